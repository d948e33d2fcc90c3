//! What travels between layers: values forward, signals backward.
//!
//! Everything is a matrix with one row a sample. A tensor with a depth axis (several thresholds a
//! feature) is stored depth-major: feature `x` at threshold `k` is column `k * features + x`.

use onebit_bits::{BitTensor, Ternary};

use crate::error::{Error, Result};

/// A dense row-major matrix of f32, `(rows, cols)`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    rows: usize,
    cols: usize,
    values: Vec<f32>,
}

impl Matrix {
    /// A matrix of zeros, `(rows, cols)`.
    pub fn zeros(rows: usize, cols: usize) -> Self {
        Self { rows, cols, values: vec![0.0; rows * cols] }
    }

    /// This matrix in another shape, `(rows, cols)`, in the memory that it has; the values are arbitrary.
    pub(crate) fn reshaped(mut self, rows: usize, cols: usize) -> Self {
        self.values.resize(rows * cols, 0.0);
        Self { rows, cols, values: self.values }
    }

    /// Takes row-major values, `(rows, cols)`.
    ///
    /// # Errors
    /// [`Error::Shape`] when `values.len() != rows * cols`.
    pub fn new(rows: usize, cols: usize, values: Vec<f32>) -> Result<Self> {
        if Some(values.len()) != rows.checked_mul(cols) {
            return Err(Error::shape("matrix", format!("{rows} x {cols} values"), values.len()));
        }
        Ok(Self { rows, cols, values })
    }

    /// Number of rows, one a sample.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns, one a feature.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// (rows, columns).
    pub fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    /// All values, row-major.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// All values, row-major, to change in place.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// The rows in order. A matrix without columns has no rows to show.
    pub fn iter_rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.cols.max(1))
    }

    /// The transpose, `(cols, rows)`.
    pub fn transpose(&self) -> Self {
        let values = onebit_bits::real::transpose(self.rows, self.cols, &self.values);
        Self { rows: self.cols, cols: self.rows, values: values.expect("the lengths agree by construction") }
    }
}

/// What a layer is given and what it returns.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Real numbers, `(b, x)`.
    Real(Matrix),
    /// Single bits, `(b, x)`; bit 1 is +1.
    Bits(BitTensor),
    /// Bits of which dropout has silenced some: `scale * {-1, 0, +1}`, `(b, x)`.
    Dropped(Ternary, f32),
}

impl Value {
    /// Number of rows, one a sample.
    pub fn rows(&self) -> usize {
        match self {
            Value::Real(m) => m.rows(),
            Value::Bits(b) => b.rows(),
            Value::Dropped(t, _) => t.rows(),
        }
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        match self {
            Value::Real(m) => m.cols(),
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

    /// The real numbers, or an error that names the layer that needed them.
    ///
    /// # Errors
    /// [`Error::Kind`] when the value is not real.
    pub fn into_real(self, layer: &'static str) -> Result<Matrix> {
        match self {
            Value::Real(matrix) => Ok(matrix),
            other => Err(Error::Kind { layer, expected: "real numbers", got: other.kind() }),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Value::Real(_) => "real numbers",
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
