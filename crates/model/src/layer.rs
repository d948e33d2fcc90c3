//! The layers of a deployed network.

use alloc::{vec, vec::Vec};

use onebit_bits::{BitTensor, Bits, Geometry, Images, Pool};

/// One layer at run time; `W` owns the words of its weights, or borrows them: see [`Model`](crate::Model).
#[derive(Clone, Debug, PartialEq)]
pub enum Layer<W = Vec<u64>> {
    /// Real features to bits; only as the first layer.
    Binarize(Binarize),
    /// The same by thresholds of each channel; only as the first layer.
    Thermometer(Thermometer),
    /// A product with binary weights, and what is made of its sums.
    Dense(Dense<W>),
    /// Binary weights that walk over images, and what is made of their sums.
    Conv(Conv<W>),
}

/// `bit_k = [x > t_k]`, `(b, x) -> (b, d x)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Binarize {
    /// Number of features.
    pub features: usize,
    /// The thresholds, `(d)`, in units of the standardized features.
    pub thresholds: Vec<f32>,
}

/// `bit_kc = [x_c > t_kc]` in each pixel, `(b, p c) -> (b, p d c)`: channel `c` of a pixel at threshold `k` is column
/// `k channels + c` of its bits, and the pixels are side by side. So a convolution over `d c` channels may follow.
/// Features that are no image are the channels of one pixel.
#[derive(Clone, Debug, PartialEq)]
pub struct Thermometer {
    /// Number of features: whole pixels.
    pub features: usize,
    /// Channels of a pixel.
    pub channels: usize,
    /// The thresholds, `(d, c)`, in units of the standardized features.
    pub thresholds: Vec<f32>,
}

impl Thermometer {
    /// Thresholds of each channel.
    pub fn depth(&self) -> usize {
        self.thresholds.len().checked_div(self.channels).unwrap_or(0)
    }
}

/// `s = x w^T` with weights of +-1, `(b, i) -> (b, o)`. The sums are integers when `x` is bits.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense<W = Vec<u64>> {
    /// `(o, i)` bits.
    pub weights: Bits<W>,
    /// What is made of the sums.
    pub output: Output,
}

/// `y_p = sum_(tap, i) x_(p + tap)i w_o(tap)i` with weights of +-1, then the largest sum of each window, then bits:
/// `(b, h w c) -> (b, h' w' o)`.
///
/// The columns of a sample are its pixels, row after row, and in each the channels side by side. So a dense layer may
/// follow, whose inputs are `h' w' o`, and a convolution may follow anything with as many columns as its images have.
/// The sums are integers when `x` is bits. Around real images there are zeros.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv<W = Vec<u64>> {
    /// Channels, kernel, stride, padding and groups.
    pub geometry: Geometry,
    /// Rows of an image, and pixels of a row: `(h, w)`.
    pub image: (usize, usize),
    /// `(o, kh kw c / groups)` bits.
    pub weights: Bits<W>,
    /// Windows, of whose sums the largest counts.
    pub pool: Option<Pool>,
    /// What is made of the largest sums, of depth 1: `h' w' o` bits.
    pub thresholds: Thresholds,
}

impl<W> Conv<W> {
    /// Where the sums are, and what is left of them by pooling.
    ///
    /// # Errors
    /// Those of the geometry and of the window.
    pub fn output(&self) -> onebit_bits::Result<(Images, Images)> {
        let sums = self.geometry.output(Images { b: 1, h: self.image.0, w: self.image.1 })?;
        Ok((sums, self.pool.map_or(Ok(sums), |pool| pool.output(sums))?))
    }
}

/// What becomes of the sums of a [`Dense`] layer.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Bits for the next layer.
    Bits(Thresholds),
    /// Real scores, one a class; only in the last layer.
    Scores(Affine),
}

/// `bit = [s >= limit]`, or `[s <= limit]` where the unit is descending; `(b, o) -> (b, d o)`.
///
/// Normalization, scale, shift and sign of training all end up here: each is monotonic in `s`, so
/// together they are a comparison with one number, from above or from below.
#[derive(Clone, Debug, PartialEq)]
pub struct Thresholds {
    /// `(d, o)`, of the same kind as the sums.
    pub limits: Limits,
    /// `(1, o)` bits: 1 where the unit is on for small sums.
    pub descending: BitTensor,
}

/// Limits on integer or real sums.
#[derive(Clone, Debug, PartialEq)]
pub enum Limits {
    /// For sums over bits; in the first layer for sums over bytes, each of which counts as `2 byte - 255`, so that -1 and +1
    /// are the ends as they are of bits, and 0, which is around images, is in the middle.
    Integer(Vec<i32>),
    /// For sums over real features.
    Real(Vec<f32>),
}

impl Limits {
    /// How many limits there are.
    pub fn len(&self) -> usize {
        match self {
            Limits::Integer(limits) => limits.len(),
            Limits::Real(limits) => limits.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// `score = (s - mean) * scale + shift`, computed in f32 in this order, `(b, o)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Affine {
    /// Subtracted first, `(o)`.
    pub mean: Vec<f32>,
    /// Multiplied second, `(o)`.
    pub scale: Vec<f32>,
    /// Added last, `(o)`.
    pub shift: Vec<f32>,
}

impl Affine {
    /// The sums themselves as scores.
    pub fn identity(outputs: usize) -> Self {
        Self { mean: vec![0.0; outputs], scale: vec![1.0; outputs], shift: vec![0.0; outputs] }
    }
}

impl<W: AsRef<[u64]>> Layer<W> {
    /// A short name for tables: `binarize`, `thermometer`, `dense`, `conv`.
    pub fn name(&self) -> &'static str {
        match self {
            Layer::Binarize(_) => "binarize",
            Layer::Thermometer(_) => "thermometer",
            Layer::Dense(_) => "dense",
            Layer::Conv(_) => "conv",
        }
    }

    /// Columns of the input.
    pub fn inputs(&self) -> usize {
        match self {
            Layer::Binarize(b) => b.features,
            Layer::Thermometer(t) => t.features,
            Layer::Dense(d) => d.weights.cols(),
            Layer::Conv(c) => columns(c.image, c.geometry.c_in),
        }
    }

    /// Columns of the output; 0 if the geometry of a convolution has none.
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

    /// Number of one-bit weights.
    pub fn weights(&self) -> usize {
        match self {
            Layer::Binarize(_) | Layer::Thermometer(_) => 0,
            Layer::Dense(d) => d.weights.rows() * d.weights.cols(),
            Layer::Conv(c) => c.weights.rows() * c.weights.cols(),
        }
    }

    /// Whether it takes bytes, if it is the first: its sums are integers.
    pub(crate) fn has_integer_sums(&self) -> bool {
        let thresholds = match self {
            Layer::Dense(Dense { output: Output::Bits(thresholds), .. }) => thresholds,
            Layer::Conv(conv) => &conv.thresholds,
            _ => return false,
        };
        matches!(thresholds.limits, Limits::Integer(_))
    }

    /// Columns of the widest matrix that the layer reads or makes of a sample.
    pub(crate) fn widest(&self) -> usize {
        let sums = match self {
            Layer::Conv(c) => c.output().map_or(0, |(sums, _)| columns((sums.h, sums.w), c.geometry.c_out)),
            _ => 0,
        };
        sums.max(self.inputs()).max(self.outputs())
    }
}

/// Numbers of an image, or more than there can be.
fn columns((h, w): (usize, usize), channels: usize) -> usize {
    h.saturating_mul(w).saturating_mul(channels)
}
