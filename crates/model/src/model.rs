//! A trained network: its layers, and the words around them.

use alloc::{borrow::Cow, string::String, vec, vec::Vec};

use onebit_bits::{Pad, Padding};

use crate::{
    columns::Columns,
    error::{Error, Result},
    layer::{Conv, Layer, Limits, Output, Thermometer, Thresholds},
};

/// Numbers of an image at most, before and after each convolution: so that a small file cannot ask for much memory.
const LARGEST_IMAGE: usize = 1 << 24;
/// Inputs of a channel at most, for the same reason.
const LARGEST_PATCH: usize = 1 << 20;
/// Bytes that a unit sees at most: their sums are exact in f32.
pub const MOST_BYTES: usize = ((1 << 24) - 1) / 255;

/// A network that is ready to run. It can only be made of layers that fit together.
///
/// `W` owns the words of its weights, or borrows them: see [`ModelView`].
#[derive(Clone, Debug, PartialEq)]
pub struct Model<W = Vec<u64>> {
    pub(crate) inputs: usize,
    pub(crate) layers: Vec<Layer<W>>,
    pub(crate) labels: Vec<String>,
    pub(crate) features: Vec<String>,
    pub(crate) columns: Option<Columns>,
    pub(crate) standardize: Standardize,
}

/// A model whose weights lie in the bytes of its file, wherever these are: [`Model::in_place`].
pub type ModelView<'a> = Model<Cow<'a, [u64]>>;

/// `x = (raw - mean) * scale` for each feature: what training did to its data before the first layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Standardize {
    /// Subtracted first, `(features)`.
    pub mean: Vec<f32>,
    /// Multiplied second, `(features)`.
    pub scale: Vec<f32>,
}

impl Standardize {
    /// Leaves every feature as it is.
    pub fn identity(features: usize) -> Self {
        Self { mean: vec![0.0; features], scale: vec![1.0; features] }
    }
}

impl Model {
    /// A network of `layers` over `inputs` real features, with one label a class.
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::Order`] when the layers do not fit together, [`Error::Description`]
    /// when the labels do not fit the last layer.
    pub fn new(inputs: usize, layers: Vec<Layer>, labels: Vec<String>) -> Result<Self> {
        Self::of_layers(inputs, layers, labels)
    }
}

impl<W: AsRef<[u64]>> Model<W> {
    /// As [`new`](Model::new), whoever owns the weights.
    pub(crate) fn of_layers(inputs: usize, layers: Vec<Layer<W>>, labels: Vec<String>) -> Result<Self> {
        let classes = check(inputs, &layers)?;
        same("labels", classes, labels.len())?;
        let standardize = Standardize::identity(inputs);
        Ok(Self { inputs, layers, labels, features: Vec::new(), columns: None, standardize })
    }

    /// Adds what is done to raw features before the first layer.
    ///
    /// # Errors
    /// [`Error::Description`] when the lengths differ from the number of features,
    /// [`Error::Standardization`] for a value that is not a finite number.
    pub fn with_standardize(mut self, standardize: Standardize) -> Result<Self> {
        for (what, values) in
            [("standardization means", &standardize.mean), ("standardization scales", &standardize.scale)]
        {
            same(what, self.inputs, values.len())?;
            if let Some(feature) = values.iter().position(|value| !value.is_finite()) {
                return Err(Error::Standardization { what, feature, value: values[feature] });
            }
        }
        if self.takes_bytes() && standardize != Standardize::identity(self.inputs) {
            return Err(Error::Order { layer: 0, what: "bytes are not standardized" });
        }
        self.standardize = standardize;
        Ok(self)
    }

    /// Adds the names of the features; none at all is fine.
    ///
    /// # Errors
    /// [`Error::Description`] when there are some, but not one a feature.
    pub fn with_features(mut self, features: Vec<String>) -> Result<Self> {
        if !features.is_empty() {
            same("feature names", self.inputs, features.len())?;
        }
        self.features = features;
        Ok(self)
    }

    /// Adds how the columns of a raw table become the features.
    ///
    /// # Errors
    /// [`Error::Description`] unless they become as many.
    pub fn with_columns(mut self, columns: Option<Columns>) -> Result<Self> {
        if let Some(columns) = &columns {
            same("features of the columns", self.inputs, columns.features())?;
        }
        self.columns = columns;
        Ok(self)
    }

    /// Number of real features of a sample.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.labels.len()
    }

    /// The layers, first to last.
    pub fn layers(&self) -> &[Layer<W>] {
        &self.layers
    }

    /// The name of each class.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The name of each feature; empty when the data had none.
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// How the columns of a raw table become the features, where this is more than one number each.
    pub fn columns(&self) -> Option<&Columns> {
        self.columns.as_ref()
    }

    /// Whether the features are bytes, whole numbers from 0 to 255, such as pixels: then the first layer takes them as they
    /// are, and its sums are exact.
    pub fn takes_bytes(&self) -> bool {
        self.layers.first().is_some_and(Layer::has_integer_sums)
    }

    /// What is done to raw features before the first layer.
    pub fn standardize(&self) -> &Standardize {
        &self.standardize
    }
}

fn same(what: &'static str, expected: usize, got: usize) -> Result<()> {
    if expected == got { Ok(()) } else { Err(Error::Description { what, expected, got }) }
}

/// Walks through the layers; returns the number of scores of the last.
fn check<W: AsRef<[u64]>>(inputs: usize, layers: &[Layer<W>]) -> Result<usize> {
    let (mut columns, mut bits, mut scores) = (inputs, false, false);
    for (index, layer) in layers.iter().enumerate() {
        let at = At { index };
        if scores {
            return at.order("nothing can follow the layer that gives the scores");
        }
        at.fits("inputs", columns, layer.inputs())?;
        match layer {
            Layer::Binarize(_) if index > 0 => return at.order("binarize can only be the first layer"),
            Layer::Binarize(b) if b.thresholds.is_empty() => return at.order("binarize needs a threshold"),
            Layer::Binarize(b) if b.thresholds.iter().any(|t| !t.is_finite()) => {
                return at.order("a threshold is not a finite number");
            }
            Layer::Binarize(_) => {}
            Layer::Thermometer(_) if index > 0 => return at.order("thermometer can only be the first layer"),
            Layer::Thermometer(t) => at.check_thermometer(t)?,
            Layer::Dense(dense) => {
                let outputs = dense.weights.rows();
                if outputs == 0 || columns == 0 {
                    return at.order("a dense layer needs at least one input and one output");
                }
                match &dense.output {
                    Output::Bits(thresholds) => {
                        let limits = thresholds.limits.len();
                        if limits == 0 || limits % outputs != 0 {
                            at.fits("limits (a multiple of the outputs)", outputs, limits)?;
                        }
                        at.check_thresholds(thresholds, outputs, bits)?;
                        at.check_bytes(thresholds, columns, bits)?;
                    }
                    Output::Scores(affine) => {
                        for (what, values) in
                            [("mean", &affine.mean), ("scale", &affine.scale), ("shift", &affine.shift)]
                        {
                            at.fits(what, outputs, values.len())?;
                            if values.iter().any(|v| !v.is_finite()) {
                                return at.order("mean, scale or shift is not a finite number");
                            }
                        }
                        scores = true;
                    }
                }
            }
            Layer::Conv(conv) => at.check_conv(layer, conv, bits)?,
        }
        bits = true;
        columns = layer.outputs();
    }
    if scores {
        Ok(columns)
    } else {
        Err(Error::Order { layer: layers.len(), what: "the last layer must give scores" })
    }
}

/// The layer that is checked.
struct At {
    index: usize,
}

impl At {
    fn fits(&self, what: &'static str, expected: usize, got: usize) -> Result<()> {
        if expected == got { Ok(()) } else { Err(Error::Shape { layer: self.index, what, expected, got }) }
    }

    fn order<T>(&self, what: &'static str) -> Result<T> {
        Err(Error::Order { layer: self.index, what })
    }

    /// Those of `outputs` units over sums of bits or of reals.
    fn check_thresholds(&self, thresholds: &Thresholds, outputs: usize, bits: bool) -> Result<()> {
        self.fits("descending rows", 1, thresholds.descending.rows())?;
        self.fits("descending", outputs, thresholds.descending.cols())?;
        match (&thresholds.limits, bits) {
            (Limits::Real(_), true) => self.order("sums of bits need integer limits"),
            (Limits::Real(l), false) if l.iter().any(|l| l.is_nan()) => self.order("a limit is not a number"),
            _ => Ok(()),
        }
    }

    /// Those that a unit of a first layer with integer sums sees.
    fn check_bytes(&self, thresholds: &Thresholds, seen: usize, bits: bool) -> Result<()> {
        match thresholds.limits {
            Limits::Integer(_) if !bits && seen > MOST_BYTES => {
                self.order("a unit sees more than 65793 bytes")
            }
            _ => Ok(()),
        }
    }

    fn check_thermometer(&self, thermometer: &Thermometer) -> Result<()> {
        let Thermometer { features, channels, thresholds } = thermometer;
        if thresholds.is_empty() || *channels == 0 {
            return self.order("thermometer needs a channel and a threshold");
        }
        if !features.is_multiple_of(*channels) {
            self.fits("features (a multiple of the channels)", *channels, *features)?;
        }
        if !thresholds.len().is_multiple_of(*channels) {
            self.fits("thresholds (a multiple of the channels)", *channels, thresholds.len())?;
        }
        if thresholds.iter().any(|t| !t.is_finite()) {
            return self.order("a threshold is not a finite number");
        }
        Ok(())
    }

    fn check_conv<W: AsRef<[u64]>>(&self, layer: &Layer<W>, conv: &Conv<W>, bits: bool) -> Result<()> {
        let geometry = |source| Error::Geometry { layer: self.index, source };
        let Padding { top, left, bottom, right } = conv.geometry.padding;
        let (patch, (rows, cols)) = (conv.geometry.patch().map_err(geometry)?, conv.geometry.kernel);
        if layer.inputs() == 0 || conv.geometry.c_out == 0 {
            return self.order("a convolution needs at least one pixel, one input and one output channel");
        }
        if top.max(bottom) >= rows || left.max(right) >= cols {
            return self.order("a kernel lies in the padding alone");
        }
        conv.output().map_err(geometry)?;
        if layer.widest() > LARGEST_IMAGE {
            return self.order("an image of more than 2^24 numbers");
        }
        let steps = conv.pool.map_or((1, 1), |pool| pool.stride);
        if [conv.geometry.stride, steps].iter().any(|(down, right)| *down.max(right) > LARGEST_IMAGE) {
            return self.order("a stride of more than 2^24 pixels");
        }
        if patch > LARGEST_PATCH {
            return self.order("a kernel of more than 2^20 weights a channel");
        }
        if !bits && conv.geometry.pad != Pad::Zero {
            return self.order("around real images there can only be zeros");
        }
        self.fits("weights rows", conv.geometry.c_out, conv.weights.rows())?;
        self.fits("weights columns", patch, conv.weights.cols())?;
        self.fits("limits", conv.geometry.c_out, conv.thresholds.limits.len())?;
        self.check_bytes(&conv.thresholds, patch, bits)?;
        self.check_thresholds(&conv.thresholds, conv.geometry.c_out, bits)
    }
}
