//! A trained network: its layers, and the names and numbers that describe its inputs and classes.

use alloc::{borrow::Cow, string::String, vec, vec::Vec};

use onebit_bits::{Pad, Padding};

use crate::{
    columns::Columns,
    error::{Error, Result},
    layer::{Conv, Layer, Limits, Output, Thermometer, Thresholds},
};

/// Most values of an image before and after a convolution, so that a small file cannot ask for much memory.
const LARGEST_IMAGE: usize = 1 << 24;
/// Most weights of an output channel, for the same reason.
const LARGEST_PATCH: usize = 1 << 20;
/// The most byte inputs of a unit in a first layer, 65793: up to there, sums are exact in `f32`.
pub const MOST_BYTES: usize = ((1 << 24) - 1) / 255;

/// A trained network. Construction checks that its layers fit together, so every model can run.
///
/// `W` holds the words of the weights: a `Vec` owns them, a [`ModelView`] borrows them from the bytes of a
/// file.
///
/// ```
/// use onebit_bits::{BitTensor, Engine};
/// use onebit_model::{Affine, Binarize, Dense, Layer, Limits, Model, Output, Standardize, Thresholds};
///
/// // XOR of the signs of two features, from two hidden units: both positive, both negative.
/// let binarize = Layer::Binarize(Binarize { features: 2, thresholds: vec![0.0] });
/// let limits = Limits::Integer(vec![2, 2]);
/// let hidden = Layer::Dense(Dense {
///     weights: BitTensor::from_fn(2, 2, |unit, _| unit == 0), // rows (+1, +1) and (-1, -1)
///     output: Output::Bits(Thresholds { limits, descending: BitTensor::zeros(1, 2) }),
/// });
/// let scores = Layer::Dense(Dense {
///     weights: BitTensor::from_fn(2, 2, |class, _| class == 0),
///     output: Output::Scores(Affine { mean: vec![-1.0, 1.0], ..Affine::identity(2) }),
/// });
/// let model = Model::new(2, vec![binarize, hidden, scores], vec!["same".into(), "different".into()])?
///     .with_features(vec!["left".into(), "right".into()])?
///     .with_standardize(Standardize { mean: vec![10.0, 10.0], scale: vec![1.0, 1.0] })?;
///
/// assert_eq!((model.inputs(), model.classes()), (2, 2));
/// let x = [11.0, 12.0, 9.0, 11.0, 8.0, 8.0]; // three samples
/// assert_eq!(model.classify(&Engine::single(), &x)?, [0, 1, 0]);
/// assert_eq!(model.scores(&Engine::single(), &x[..2])?, [1.0, -1.0]);
/// # Ok::<(), onebit_model::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Model<W = Vec<u64>> {
    pub(crate) inputs: usize,
    pub(crate) layers: Vec<Layer<W>>,
    pub(crate) labels: Vec<String>,
    pub(crate) features: Vec<String>,
    pub(crate) columns: Option<Columns>,
    pub(crate) standardize: Standardize,
}

/// A model whose weights are borrowed from the bytes of its file: see [`ModelView::in_place`].
pub type ModelView<'a> = Model<Cow<'a, [u64]>>;

/// `x = (raw - mean) * scale` for each feature, as in training: applied to raw features before the first
/// layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Standardize {
    /// Subtracted first; `(features)`.
    pub mean: Vec<f32>,
    /// Multiplied second; `(features)`.
    pub scale: Vec<f32>,
}

impl Standardize {
    /// Leaves every feature as it is.
    pub fn identity(features: usize) -> Self {
        Self { mean: vec![0.0; features], scale: vec![1.0; features] }
    }
}

impl Model {
    /// A network of `layers` over `inputs` features, with one label for each class.
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::Order`] if the layers do not fit together or have an impossible setting,
    /// [`Error::Geometry`] for an impossible convolution, [`Error::Description`] if the number of labels
    /// differs from the number of scores.
    pub fn new(inputs: usize, layers: Vec<Layer>, labels: Vec<String>) -> Result<Self> {
        Self::of_layers(inputs, layers, labels)
    }
}

impl<W: AsRef<[u64]>> Model<W> {
    /// [`new`](Model::new) for owned and borrowed weights.
    pub(crate) fn of_layers(inputs: usize, layers: Vec<Layer<W>>, labels: Vec<String>) -> Result<Self> {
        let classes = check(inputs, &layers)?;
        same("labels", classes, labels.len())?;
        let standardize = Standardize::identity(inputs);
        Ok(Self { inputs, layers, labels, features: Vec::new(), columns: None, standardize })
    }

    /// Sets the standardization of raw features; a new model has the identity.
    ///
    /// # Errors
    /// [`Error::Description`] if a length differs from the number of features, [`Error::Standardization`] for
    /// NaN or an infinity, [`Error::Order`] if the model takes bytes and `standardize` is not the identity.
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
            return Err(Error::Order { layer: 0, what: "a model on bytes cannot standardize its features" });
        }
        self.standardize = standardize;
        Ok(self)
    }

    /// Sets the names of the features; an empty list removes them.
    ///
    /// # Errors
    /// [`Error::Description`] unless the list is empty or has one name for each feature.
    pub fn with_features(mut self, features: Vec<String>) -> Result<Self> {
        if !features.is_empty() {
            same("feature names", self.inputs, features.len())?;
        }
        self.features = features;
        Ok(self)
    }

    /// Sets how the columns of a raw table become the features.
    ///
    /// # Errors
    /// [`Error::Description`] if the columns do not become exactly the features of the model.
    pub fn with_columns(mut self, columns: Option<Columns>) -> Result<Self> {
        if let Some(columns) = &columns {
            same("features of the columns", self.inputs, columns.features())?;
        }
        self.columns = columns;
        Ok(self)
    }

    /// Number of features of a sample.
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

    /// Names of the classes.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Names of the features; empty if the data had none.
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// How the columns of a raw table become the features; `None` if each column is one number.
    pub fn columns(&self) -> Option<&Columns> {
        self.columns.as_ref()
    }

    /// Whether the features are bytes such as pixels, whole numbers from 0 to 255. The first layer then uses
    /// them as they are, and its sums are exact.
    pub fn takes_bytes(&self) -> bool {
        self.layers.first().is_some_and(Layer::has_integer_sums)
    }

    /// The standardization of raw features.
    pub fn standardize(&self) -> &Standardize {
        &self.standardize
    }
}

/// Checks the length of a list that describes the model.
fn same(what: &'static str, expected: usize, got: usize) -> Result<()> {
    if expected == got { Ok(()) } else { Err(Error::Description { what, expected, got }) }
}

/// Checks that the layers fit together; returns the number of scores of the last.
fn check<W: AsRef<[u64]>>(inputs: usize, layers: &[Layer<W>]) -> Result<usize> {
    let (mut columns, mut bits, mut scores) = (inputs, false, false);
    for (index, layer) in layers.iter().enumerate() {
        let at = At { index };
        if scores {
            return at.order("no layer can follow the one that gives the scores");
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

/// The position of the layer that is checked.
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

    /// Thresholds of `outputs` units over sums of bits (or of real numbers, or bytes).
    fn check_thresholds(&self, thresholds: &Thresholds, outputs: usize, bits: bool) -> Result<()> {
        self.fits("descending rows", 1, thresholds.descending.rows())?;
        self.fits("descending", outputs, thresholds.descending.cols())?;
        match (&thresholds.limits, bits) {
            (Limits::Real(_), true) => self.order("sums of bits need integer limits"),
            (Limits::Real(l), false) if l.iter().any(|l| l.is_nan()) => self.order("a limit is not a number"),
            _ => Ok(()),
        }
    }

    /// A unit of a first layer on bytes has at most [`MOST_BYTES`] inputs.
    fn check_bytes(&self, thresholds: &Thresholds, seen: usize, bits: bool) -> Result<()> {
        match thresholds.limits {
            Limits::Integer(_) if !bits && seen > MOST_BYTES => {
                self.order("a unit has more than 65793 bytes as inputs")
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
            return self.order("the padding must be smaller than the kernel");
        }
        conv.output().map_err(geometry)?;
        if layer.widest() > LARGEST_IMAGE {
            return self.order("an image has more than 2^24 values");
        }
        let steps = conv.pool.map_or((1, 1), |pool| pool.stride);
        if [conv.geometry.stride, steps].iter().any(|(down, right)| *down.max(right) > LARGEST_IMAGE) {
            return self.order("a stride is more than 2^24 pixels");
        }
        if patch > LARGEST_PATCH {
            return self.order("an output channel has more than 2^20 weights");
        }
        if !bits && conv.geometry.pad != Pad::Zero {
            return self.order("images of real numbers or bytes can only be padded with zeros");
        }
        self.fits("weights rows", conv.geometry.c_out, conv.weights.rows())?;
        self.fits("weights columns", patch, conv.weights.cols())?;
        self.fits("limits", conv.geometry.c_out, conv.thresholds.limits.len())?;
        self.check_bytes(&conv.thresholds, patch, bits)?;
        self.check_thresholds(&conv.thresholds, conv.geometry.c_out, bits)
    }
}
