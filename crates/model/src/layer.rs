//! Layers at run time: real features to bits, bits to bits, bits to scores.

use alloc::{vec, vec::Vec};

use onebit_bits::{BitTensor, Bits, Geometry, Images, Pool};

/// One layer of a deployed network. `W` holds the words of its weights, owned or borrowed: see
/// [`ModelView`](crate::ModelView).
#[derive(Clone, Debug, PartialEq)]
pub enum Layer<W = Vec<u64>> {
    /// Real features to bits, by the same thresholds for all features. Only as the first layer.
    Binarize(Binarize),
    /// Real features to bits, by thresholds of each channel. Only as the first layer.
    Thermometer(Thermometer),
    /// A matrix product with binary weights, then thresholds or scores.
    Dense(Dense<W>),
    /// A convolution with binary weights, optional max pooling, then thresholds.
    Conv(Conv<W>),
}

/// `bit_kx = [x > t_k]`, `(b, x) -> (b, d x)`: feature `x` at threshold `k` is column `k features + x`.
///
/// ```
/// use onebit_bits::{BitTensor, Engine};
/// use onebit_model::{Affine, Binarize, Dense, Layer, Model, Output};
///
/// // One feature, two thresholds: the score is the sum of the bits as +-1.
/// let binarize = Layer::Binarize(Binarize { features: 1, thresholds: vec![0.0, 1.0] });
/// let weights = BitTensor::from_fn(1, 2, |_, _| true);
/// let scores = Layer::Dense(Dense { weights, output: Output::Scores(Affine::identity(1)) });
/// let model = Model::new(1, vec![binarize, scores], vec!["level".into()])?;
/// assert_eq!(model.scores(&Engine::single(), &[-0.5, 0.5, 1.5])?, [-2.0, 0.0, 2.0]);
/// # Ok::<(), onebit_model::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Binarize {
    /// Number of features.
    pub features: usize,
    /// Thresholds `(d)` on the standardized features.
    pub thresholds: Vec<f32>,
}

/// `bit_pkc = [x_pc > t_kc]` for each pixel `p`, `(b, p c) -> (b, p d c)`.
///
/// Channel `c` of a pixel at threshold `k` is column `k channels + c` of the pixel's bits, and pixels lie
/// side by side, so a convolution over `d c` channels may follow. Features that are not an image are the
/// channels of one pixel.
///
/// ```
/// use onebit_bits::{BitTensor, Engine};
/// use onebit_model::{Affine, Dense, Layer, Model, Output, Thermometer};
///
/// // One pixel of two channels, with one threshold each: the score is the sum of the bits as +-1.
/// let thermometer = Thermometer { features: 2, channels: 2, thresholds: vec![0.0, 10.0] };
/// let weights = BitTensor::from_fn(1, 2, |_, _| true);
/// let scores = Layer::Dense(Dense { weights, output: Output::Scores(Affine::identity(1)) });
/// let model = Model::new(2, vec![Layer::Thermometer(thermometer), scores], vec!["level".into()])?;
/// assert_eq!(model.scores(&Engine::single(), &[5.0, 5.0, 5.0, 20.0])?, [0.0, 2.0]);
/// # Ok::<(), onebit_model::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Thermometer {
    /// Number of features, a multiple of `channels`.
    pub features: usize,
    /// Number of channels of a pixel.
    pub channels: usize,
    /// Thresholds `(d, c)` on the standardized features.
    pub thresholds: Vec<f32>,
}

impl Thermometer {
    /// Number of thresholds of each channel.
    pub fn depth(&self) -> usize {
        self.thresholds.len().checked_div(self.channels).unwrap_or(0)
    }
}

/// `s = x w^T` with weights of +-1, `(b, i) -> (b, o)`, then thresholds or scores. The sums are integers when
/// `x` is bits or bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense<W = Vec<u64>> {
    /// Weights, `(o, i)` bits.
    pub weights: Bits<W>,
    /// What the sums become.
    pub output: Output,
}

/// `s_po = sum_(tap, i) x_(p + tap)i w_o(tap)i` with weights of +-1, then the largest sum of each pooling
/// window, then thresholds: `(b, h w c) -> (b, h' w' o)`.
///
/// The columns of a sample are its pixels, row by row, with the channels of a pixel side by side. So a dense
/// layer with `h' w' o` inputs may follow, and a convolution may follow any layer with `h w c` outputs. The
/// sums are integers when `x` is bits or bytes. Images of real numbers or bytes are padded with zeros.
///
/// ```
/// use onebit_bits::{BitTensor, Engine, Geometry, Pad};
/// use onebit_model::{Affine, Conv, Dense, Layer, Limits, Model, Output, Thresholds};
///
/// // An image of 1 x 3 pixels. The kernel (+1, -1) gives `x_p - x_(p + 1)`; the bit is 1 if that is at least
/// // 2.
/// let conv = Conv {
///     geometry: Geometry { pad: Pad::Zero, ..Geometry::new(1, 1, (1, 2)) },
///     image: (1, 3),
///     weights: BitTensor::from_fn(1, 2, |_, tap| tap == 0),
///     pool: None,
///     thresholds: Thresholds { limits: Limits::Real(vec![2.0]), descending: BitTensor::zeros(1, 1) },
/// };
/// let weights = BitTensor::from_fn(1, 2, |_, _| true);
/// let scores = Layer::Dense(Dense { weights, output: Output::Scores(Affine::identity(1)) });
/// let model = Model::new(3, vec![Layer::Conv(conv), scores], vec!["falling".into()])?;
/// assert_eq!(model.scores(&Engine::single(), &[7.0, 4.0, 3.0, 7.0, 4.0, 1.0])?, [0.0, 2.0]);
/// # Ok::<(), onebit_model::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Conv<W = Vec<u64>> {
    /// Channels, kernel, stride, padding and groups.
    pub geometry: Geometry,
    /// Height and width of an input image, `(h, w)`.
    pub image: (usize, usize),
    /// Weights, `(o, kh kw c / groups)` bits.
    pub weights: Bits<W>,
    /// Max pooling of the sums.
    pub pool: Option<Pool>,
    /// Thresholds on the pooled sums, of depth 1.
    pub thresholds: Thresholds,
}

impl<W> Conv<W> {
    /// The shape of the sums of one image, before and after pooling.
    ///
    /// # Errors
    /// [`onebit_bits::Error`] if the geometry is impossible, or the kernel or the window does not fit into
    /// the image.
    pub fn output(&self) -> onebit_bits::Result<(Images, Images)> {
        let sums = self.geometry.output(Images { b: 1, h: self.image.0, w: self.image.1 })?;
        Ok((sums, self.pool.map_or(Ok(sums), |pool| pool.output(sums))?))
    }
}

/// What the sums of a [`Dense`] layer become.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Bits for the next layer.
    Bits(Thresholds),
    /// One real score for each class. Only in the last layer, which must have it.
    Scores(Affine),
}

/// `bit = [s >= limit]`, or `[s <= limit]` if the unit is descending; `(b, o) -> (b, d o)`.
///
/// Normalization, scale, shift and sign of training all end up here: each is monotonic in `s`, so together
/// they are a comparison of `s` with one number, from above or from below.
#[derive(Clone, Debug, PartialEq)]
pub struct Thresholds {
    /// Limits `(d, o)`, of the same kind as the sums.
    pub limits: Limits,
    /// `(1, o)` bits: 1 if the unit is descending, with output 1 for small sums.
    pub descending: BitTensor,
}

/// Limits on integer or real sums.
#[derive(Clone, Debug, PartialEq)]
pub enum Limits {
    /// For sums over bits; in the first layer, for sums over bytes. A byte counts as `2 byte - 255`, so that
    /// the values are symmetric around 0, the padding of images.
    Integer(Vec<i32>),
    /// For sums over real features.
    Real(Vec<f32>),
}

impl Limits {
    /// Number of limits.
    pub fn len(&self) -> usize {
        match self {
            Limits::Integer(limits) => limits.len(),
            Limits::Real(limits) => limits.len(),
        }
    }

    /// Whether there are no limits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// `score = (s - mean) * scale + shift`, computed in f32 in this order, `(b, o)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Affine {
    /// Subtracted first; `(o)`.
    pub mean: Vec<f32>,
    /// Multiplied second; `(o)`.
    pub scale: Vec<f32>,
    /// Added last; `(o)`.
    pub shift: Vec<f32>,
}

impl Affine {
    /// The scores are the sums themselves.
    pub fn identity(outputs: usize) -> Self {
        Self { mean: vec![0.0; outputs], scale: vec![1.0; outputs], shift: vec![0.0; outputs] }
    }
}

impl<W: AsRef<[u64]>> Layer<W> {
    /// A short name for tables: `binarize`, `thermometer`, `dense` or `conv`.
    pub fn name(&self) -> &'static str {
        match self {
            Layer::Binarize(_) => "binarize",
            Layer::Thermometer(_) => "thermometer",
            Layer::Dense(_) => "dense",
            Layer::Conv(_) => "conv",
        }
    }

    /// Number of input values of a sample.
    pub fn inputs(&self) -> usize {
        match self {
            Layer::Binarize(b) => b.features,
            Layer::Thermometer(t) => t.features,
            Layer::Dense(d) => d.weights.cols(),
            Layer::Conv(c) => columns(c.image, c.geometry.c_in),
        }
    }

    /// Number of output values of a sample; 0 if the geometry of a convolution is impossible.
    pub fn outputs(&self) -> usize {
        match self {
            Layer::Binarize(b) => b.features.saturating_mul(b.thresholds.len()),
            Layer::Thermometer(t) => t.features.saturating_mul(t.depth()),
            Layer::Dense(d) => match &d.output {
                Output::Bits(thresholds) => thresholds.limits.len(),
                Output::Scores(_) => d.weights.rows(),
            },
            Layer::Conv(c) => {
                c.output().map_or(0, |(_, output)| columns((output.h, output.w), c.geometry.c_out))
            }
        }
    }

    /// Number of 1-bit weights.
    pub fn weights(&self) -> usize {
        match self {
            Layer::Binarize(_) | Layer::Thermometer(_) => 0,
            Layer::Dense(d) => d.weights.rows() * d.weights.cols(),
            Layer::Conv(c) => c.weights.rows() * c.weights.cols(),
        }
    }

    /// Whether the sums of the layer are integers. As the first layer it then takes bytes.
    pub(crate) fn has_integer_sums(&self) -> bool {
        let thresholds = match self {
            Layer::Dense(Dense { output: Output::Bits(thresholds), .. }) => thresholds,
            Layer::Conv(conv) => &conv.thresholds,
            _ => return false,
        };
        matches!(thresholds.limits, Limits::Integer(_))
    }

    /// Number of values of a sample where the layer is widest: its input, its sums or its output.
    pub(crate) fn widest(&self) -> usize {
        let sums = match self {
            Layer::Conv(c) => c.output().map_or(0, |(sums, _)| columns((sums.h, sums.w), c.geometry.c_out)),
            _ => 0,
        };
        sums.max(self.inputs()).max(self.outputs())
    }
}

/// Number of values of an image, saturating.
fn columns((h, w): (usize, usize), channels: usize) -> usize {
    h.saturating_mul(w).saturating_mul(channels)
}
