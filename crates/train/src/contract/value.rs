//! The data between layers: values travel forward, signals backward.
//!
//! Each is a matrix with one row for each sample. A tensor with a depth axis (several thresholds for each
//! feature) is stored depth-major: feature `x` at threshold `k` is column `k * features + x`.

use onebit_bits::{BitTensor, Ternary};
pub use onebit_data::ByteScale;

use crate::{
    error::{Error, Result},
    numeric::Matrix,
};

/// Bytes, `(rows, cols)`, each of which stands for the number `(byte - mean) * scale`.
///
/// ```
/// use onebit_train::{ByteScale, Bytes};
///
/// let pixels = Bytes::new(1, 3, vec![0, 102, 255], ByteScale::Centred(2.0))?;
/// assert_eq!(pixels.to_real().values(), [-255.0, -51.0, 255.0]);
/// # Ok::<(), onebit_train::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Bytes {
    rows: usize,
    cols: usize,
    values: Vec<u8>,
    scale: ByteScale,
}

impl Bytes {
    /// Takes row-major bytes, `(rows, cols)`.
    ///
    /// # Errors
    /// [`Error::Shape`] when `values.len() != rows * cols`.
    pub fn new(rows: usize, cols: usize, values: Vec<u8>, scale: ByteScale) -> Result<Self> {
        if Some(values.len()) != rows.checked_mul(cols) {
            return Err(Error::shape("bytes", format!("{rows} x {cols} values"), values.len()));
        }
        Ok(Self { rows, cols, values, scale })
    }

    /// Number of rows, one for each sample.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns, one for each feature.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// All bytes, row-major.
    pub fn values(&self) -> &[u8] {
        &self.values
    }

    /// All bytes, row-major, mutable.
    pub fn values_mut(&mut self) -> &mut [u8] {
        &mut self.values
    }

    /// Returns all bytes, row-major.
    pub fn into_values(self) -> Vec<u8> {
        self.values
    }

    /// The numbers that the bytes stand for.
    pub fn byte_scale(&self) -> ByteScale {
        self.scale
    }

    /// The number subtracted from each byte.
    pub fn mean(&self) -> f32 {
        self.scale.mean()
    }

    /// The factor applied afterwards.
    pub fn scale(&self) -> f32 {
        self.scale.scale()
    }

    /// Returns the numbers that the bytes stand for.
    pub fn to_real(&self) -> Matrix {
        let mut matrix = Matrix::zeros(self.rows, self.cols);
        self.write_real(matrix.values_mut());
        matrix
    }

    /// [`to_real`](Self::to_real) into an existing buffer.
    pub(crate) fn write_real(&self, to: &mut [f32]) {
        let (mean, scale) = (self.mean(), self.scale());
        to.iter_mut().zip(&self.values).for_each(|(to, byte)| *to = (f32::from(*byte) - mean) * scale);
    }
}

/// The input and the output of a layer.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Real numbers, `(b, x)`.
    Real(Matrix),
    /// Bytes, such as pixels, that stand for real numbers, `(b, x)`.
    Bytes(Bytes),
    /// Single bits, `(b, x)`; bit 1 is +1.
    Bits(BitTensor),
    /// Ternary numbers `scale * {-1, 0, +1}`, `(b, x)`, for example bits after dropout.
    Ternary(Ternary, f32),
}

impl From<Matrix> for Value {
    fn from(matrix: Matrix) -> Self {
        Value::Real(matrix)
    }
}

impl From<Bytes> for Value {
    fn from(bytes: Bytes) -> Self {
        Value::Bytes(bytes)
    }
}

impl From<BitTensor> for Value {
    fn from(bits: BitTensor) -> Self {
        Value::Bits(bits)
    }
}

impl Value {
    /// Number of rows, one for each sample.
    pub fn rows(&self) -> usize {
        match self {
            Value::Real(m) => m.rows(),
            Value::Bytes(b) => b.rows,
            Value::Bits(b) => b.rows(),
            Value::Ternary(t, _) => t.rows(),
        }
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        match self {
            Value::Real(m) => m.cols(),
            Value::Bytes(b) => b.cols,
            Value::Bits(b) => b.cols(),
            Value::Ternary(t, _) => t.cols(),
        }
    }

    /// Borrows the bits, for `layer`.
    ///
    /// # Errors
    /// [`Error::Kind`], which names the layer, when the value is not bits.
    pub fn bits(&self, layer: &'static str) -> Result<&BitTensor> {
        match self {
            Value::Bits(bits) => Ok(bits),
            other => Err(Error::Kind { layer, expected: "bits", got: other.kind() }),
        }
    }

    /// Returns the bits, for `layer`.
    ///
    /// # Errors
    /// [`Error::Kind`], which names the layer, when the value is not bits.
    pub fn into_bits(self, layer: &'static str) -> Result<BitTensor> {
        match self {
            Value::Bits(bits) => Ok(bits),
            other => Err(Error::Kind { layer, expected: "bits", got: other.kind() }),
        }
    }

    /// Returns the real numbers, or those that bytes stand for, for `layer`.
    ///
    /// # Errors
    /// [`Error::Kind`], which names the layer, when the value is bits or ternary numbers.
    pub fn into_real(self, layer: &'static str) -> Result<Matrix> {
        match self {
            Value::Real(matrix) => Ok(matrix),
            Value::Bytes(bytes) => Ok(bytes.to_real()),
            other => Err(Error::Kind { layer, expected: "real numbers", got: other.kind() }),
        }
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Value::Real(_) => "real numbers",
            Value::Bytes(_) => "bytes",
            Value::Bits(_) => "bits",
            Value::Ternary(..) => "ternary numbers",
        }
    }
}

/// The number of voters that ask each bit to flip, `(rows, cols)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Votes {
    /// Number of rows of the bit tensor that may flip.
    pub rows: usize,
    /// Number of its columns.
    pub cols: usize,
    /// Votes for a flip, row-major, each in `0..=voters`.
    pub counts: Vec<u32>,
    /// Number of voters, including those that did not vote.
    pub voters: u32,
}

/// The backward signal, which a rule turns into flips of weights.
#[derive(Clone, Debug, PartialEq)]
pub enum Signal {
    /// A gradient: `dL/dx`, `(b, x)`.
    Grad(Matrix),
    /// A flip for each bit: 1 means "this bit should change", `(b, x)`.
    Flip(BitTensor),
    /// The number of samples that asked for each flip.
    Votes(Votes),
}

impl Signal {
    /// Returns the gradient, for `layer`.
    ///
    /// # Errors
    /// [`Error::Kind`], which names the layer, when the signal is not a gradient.
    pub fn into_grad(self, layer: &'static str) -> Result<Matrix> {
        match self {
            Signal::Grad(matrix) => Ok(matrix),
            other => Err(Error::Kind { layer, expected: "a gradient", got: other.kind() }),
        }
    }

    /// Returns the flips, for `layer`.
    ///
    /// # Errors
    /// [`Error::Kind`], which names the layer, when the signal is not flips.
    pub fn into_flip(self, layer: &'static str) -> Result<BitTensor> {
        match self {
            Signal::Flip(bits) => Ok(bits),
            other => Err(Error::Kind { layer, expected: "flips", got: other.kind() }),
        }
    }

    /// The kind of this signal, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Signal::Grad(_) => "a gradient",
            Signal::Flip(_) => "flips",
            Signal::Votes(_) => "votes",
        }
    }
}
