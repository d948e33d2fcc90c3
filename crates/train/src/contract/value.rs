//! What travels between layers: values forward, signals backward.
//!
//! Everything is a matrix with one row a sample. A tensor with a depth axis (several thresholds a
//! feature) is stored depth-major: feature `x` at threshold `k` is column `k * features + x`.

use onebit_bits::{BitTensor, Ternary};

use crate::{
    error::{Error, Result},
    numeric::Matrix,
};

/// Bytes, `(rows, cols)`, each of which stands for `(byte - mean) * scale`.
#[derive(Clone, Debug, PartialEq)]
pub struct Bytes {
    rows: usize,
    cols: usize,
    values: Vec<u8>,
    mean: f32,
    scale: f32,
}

impl Bytes {
    /// Takes row-major bytes, `(rows, cols)`.
    ///
    /// # Errors
    /// [`Error::Shape`] when `values.len() != rows * cols`.
    pub fn new(rows: usize, cols: usize, values: Vec<u8>, mean: f32, scale: f32) -> Result<Self> {
        if Some(values.len()) != rows.checked_mul(cols) {
            return Err(Error::shape("bytes", format!("{rows} x {cols} values"), values.len()));
        }
        Ok(Self { rows, cols, values, mean, scale })
    }

    /// Number of rows, one a sample.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns, one a feature.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// All bytes, row-major.
    pub fn values(&self) -> &[u8] {
        &self.values
    }

    /// All bytes, row-major, to change in place.
    pub fn values_mut(&mut self) -> &mut [u8] {
        &mut self.values
    }

    /// All bytes, row-major.
    pub fn into_values(self) -> Vec<u8> {
        self.values
    }

    /// What is subtracted.
    pub fn mean(&self) -> f32 {
        self.mean
    }

    /// What it is multiplied by then.
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// The numbers that they stand for.
    pub fn to_real(&self) -> Matrix {
        let mut matrix = Matrix::zeros(self.rows, self.cols);
        self.write_real(matrix.values_mut());
        matrix
    }

    /// [`to_real`](Self::to_real) into memory that is there already.
    pub(crate) fn write_real(&self, to: &mut [f32]) {
        to.iter_mut()
            .zip(&self.values)
            .for_each(|(to, byte)| *to = (f32::from(*byte) - self.mean) * self.scale);
    }
}

/// What a layer is given and what it returns.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Real numbers, `(b, x)`.
    Real(Matrix),
    /// Bytes, such as pixels, that stand for real numbers, `(b, x)`.
    Bytes(Bytes),
    /// Single bits, `(b, x)`; bit 1 is +1.
    Bits(BitTensor),
    /// Bits of which dropout has silenced some: `scale * {-1, 0, +1}`, `(b, x)`.
    Dropped(Ternary, f32),
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
    /// Number of rows, one a sample.
    pub fn rows(&self) -> usize {
        match self {
            Value::Real(m) => m.rows(),
            Value::Bytes(b) => b.rows,
            Value::Bits(b) => b.rows(),
            Value::Dropped(t, _) => t.rows(),
        }
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        match self {
            Value::Real(m) => m.cols(),
            Value::Bytes(b) => b.cols,
            Value::Bits(b) => b.cols(),
            Value::Dropped(t, _) => t.cols(),
        }
    }

    /// The bits to look at, or an error that names the layer that needed them.
    ///
    /// # Errors
    /// [`Error::Kind`] when the value is not bits.
    pub fn bits(&self, layer: &'static str) -> Result<&BitTensor> {
        match self {
            Value::Bits(bits) => Ok(bits),
            other => Err(Error::Kind { layer, expected: "bits", got: other.kind() }),
        }
    }

    /// The bits, or an error that names the layer that needed them.
    ///
    /// # Errors
    /// [`Error::Kind`] when the value is not bits.
    pub fn into_bits(self, layer: &'static str) -> Result<BitTensor> {
        match self {
            Value::Bits(bits) => Ok(bits),
            other => Err(Error::Kind { layer, expected: "bits", got: other.kind() }),
        }
    }

    /// The real numbers, those that bytes stand for included, or an error that names the layer that needed them.
    ///
    /// # Errors
    /// [`Error::Kind`] when the value is not real.
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
            Value::Dropped(..) => "bits under dropout",
        }
    }
}

/// Requests counted: how many of `voters` ask each bit to flip, `(rows, cols)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Votes {
    /// Number of rows of the bit tensor that the votes are about.
    pub rows: usize,
    /// Number of its columns.
    pub cols: usize,
    /// Votes for a flip, row-major, each in `0..=voters`.
    pub counts: Vec<u32>,
    /// How many could have voted, the silent ones included.
    pub voters: u32,
}

/// What travels back, and what a rule turns into flips of weights.
#[derive(Clone, Debug, PartialEq)]
pub enum Signal {
    /// A gradient: `dL/dx`, `(b, x)`.
    Grad(Matrix),
    /// A flip for each bit: 1 means "this bit should change", `(b, x)`.
    Flip(BitTensor),
    /// Flips that many samples asked for, counted.
    Votes(Votes),
}

impl Signal {
    /// The gradient, or an error that names who needed it.
    ///
    /// # Errors
    /// [`Error::Kind`] when the signal is not a gradient.
    pub fn into_grad(self, layer: &'static str) -> Result<Matrix> {
        match self {
            Signal::Grad(matrix) => Ok(matrix),
            other => Err(Error::Kind { layer, expected: "a gradient", got: other.kind() }),
        }
    }

    /// The flips, or an error that names who needed them.
    ///
    /// # Errors
    /// [`Error::Kind`] when the signal is not flips.
    pub fn into_flip(self, layer: &'static str) -> Result<BitTensor> {
        match self {
            Signal::Flip(bits) => Ok(bits),
            other => Err(Error::Kind { layer, expected: "flips", got: other.kind() }),
        }
    }

    /// What this signal is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Signal::Grad(_) => "a gradient",
            Signal::Flip(_) => "flips",
            Signal::Votes(_) => "votes",
        }
    }
}
