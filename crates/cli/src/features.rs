//! The features of a model: its columns and its image shape.

use onebit::{
    Model,
    data::{ImageShape, UnknownCategory},
    model::{Columns, Conv, Layer},
};

use crate::{failure::Result, output};

/// The table columns that the model takes: those that it was trained on, otherwise one number column per
/// feature. Features without a name get one that no file has, so that columns are taken by position.
pub(crate) fn columns(model: &Model) -> Result<Columns> {
    if let Some(columns) = model.columns() {
        return Ok(columns.clone());
    }
    let unnamed = |i: usize| format!("feature {i} of the model");
    Ok(match model.features() {
        [] => Columns::numbers((0..model.inputs()).map(unnamed))?,
        names => Columns::numbers(names.iter().cloned())?,
    })
}

/// Warns that a column has a category that the model does not know.
pub(crate) fn warn_unknown(file: &str, UnknownCategory { column, category }: &UnknownCategory) {
    output::warn(&format!(
        "{file}: column `{column}`: the model does not know `{category}`; unknown values count as none of \
         its categories"
    ));
}

/// The shape of the images that the model takes, if the names of its features or its first convolution tell
/// it.
pub(crate) fn image_shape(model: &Model) -> Option<ImageShape> {
    if let Some(shape) = ImageShape::of_feature_names(model.features()) {
        return Some(shape);
    }
    let weighted =
        model.layers().iter().find(|layer| !matches!(layer, Layer::Binarize(_) | Layer::Thermometer(_)));
    let Some(Layer::Conv(Conv { image: (height, width), .. })) = weighted else { return None };
    let shapes = [1, 3].map(|channels| ImageShape { height: *height, width: *width, channels });
    shapes.into_iter().find(|shape| shape.features() == Some(model.inputs()))
}
