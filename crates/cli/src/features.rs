//! What a model says about its features.

use onebit::{
    Model,
    data::ImageShape,
    model::{Conv, Layer},
};

/// The model's names for its features, or names that no file has, so that columns are taken by position.
pub(crate) fn feature_names(model: &Model) -> Vec<String> {
    match model.features() {
        [] => (0..model.inputs()).map(|i| format!("feature {i} of the model")).collect(),
        names => names.to_vec(),
    }
}

/// The shape of the images that the model takes, if the names of its features or a convolution over them say.
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
