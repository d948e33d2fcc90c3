//! What travels between layers: values forward, signals backward.
//!
//! Everything is a matrix with one row a sample. A tensor with a depth axis (several thresholds a
//! feature) is stored depth-major: feature `x` at threshold `k` is column `k * features + x`.

use onebit_bits::{BitTensor, Engine, Ternary};

use crate::{
    error::{Error, Result},
    layer::Context,
    vectorized::vectorized,
};

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

    /// All values, row-major.
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }

    /// The rows in order. A matrix without columns has no rows to show.
    pub fn iter_rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.cols.max(1))
    }

    /// The transpose, `(cols, rows)`.
    pub fn transpose(&self) -> Self {
        let mut to = Self::zeros(self.cols, self.rows);
        self.transpose_into(&Engine::single(), &mut to).expect("it has the shape of the transpose");
        to
    }

    /// Writes the transpose into `to`, `(cols, rows)`.
    ///
    /// # Errors
    /// [`Error::Shape`] when `to` has another shape.
    pub fn transpose_into(&self, engine: &Engine, to: &mut Matrix) -> Result<()> {
        if to.shape() != (self.cols, self.rows) {
            let (expected, got) =
                (format!("{} x {}", self.cols, self.rows), format!("{} x {}", to.rows, to.cols));
            return Err(Error::shape("transpose", expected, got));
        }
        transpose(engine, &self.values, self.cols, to)
    }
}

/// Writes the transpose of values `(r, cols)` into `to`, `(cols, r)`.
pub(crate) fn transpose(engine: &Engine, values: &[f32], cols: usize, to: &mut Matrix) -> Result<()> {
    let rows = to.cols;
    Ok(engine.chunks(to.values_mut(), 4 * SIDE * rows, |first, columns| {
        transpose_columns(engine.isa(), values, (rows, cols), first / rows, columns);
    })?)
}

/// Side of the blocks that are transposed at once, so that memory is read and written by whole cache lines.
const SIDE: usize = 16;

vectorized! {
    /// Columns `first..` of `from` become rows.
    fn transpose_columns<'a>(from: &'a [f32], shape: (usize, usize), first: usize, rows: &'a mut [f32]) {
        let (height, from_cols) = shape;
        for (c, rows) in (first..).step_by(SIDE).zip(rows.chunks_mut(SIDE * height)) {
            let width = rows.len() / height;
            for r in (0..height).step_by(SIDE) {
                let (mut block, deep) = ([[0.0; SIDE]; SIDE], SIDE.min(height - r));
                for (line, values) in block[..deep].iter_mut().zip(from[r * from_cols..].chunks(from_cols)) {
                    line[..width].copy_from_slice(&values[c..][..width]);
                }
                for (c, row) in rows.chunks_exact_mut(height).enumerate() {
                    for (to, line) in row[r..][..deep].iter_mut().zip(&block) {
                        *to = line[c];
                    }
                }
            }
        }
    }
}

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

    /// [`into_real`](Self::into_real) with memory from the context.
    pub(crate) fn into_pooled_real(self, cx: &Context, layer: &'static str) -> Result<Matrix> {
        match self {
            Value::Bytes(bytes) => {
                let mut x = cx.matrix(bytes.rows(), bytes.cols());
                bytes.write_real(x.values_mut());
                cx.recycle([bytes]);
                Ok(x)
            }
            x => x.into_real(layer),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transposing_moves_every_value() {
        for (rows, cols) in [(0, 3), (3, 0), (1, 1), (1, 200), (200, 1), (17, 130), (100, 65)] {
            let values: Vec<f32> = (0..rows * cols).map(|at| at as f32).collect();
            let (from, mut to) = (Matrix::new(rows, cols, values).unwrap(), Matrix::zeros(cols, rows));
            from.transpose_into(&Engine::single(), &mut to).unwrap();
            for (at, value) in to.values().iter().enumerate() {
                assert_eq!(*value, from.values()[at % rows * cols + at / rows], "{rows} x {cols}");
            }
        }
        let error =
            Matrix::zeros(2, 3).transpose_into(&Engine::single(), &mut Matrix::zeros(2, 3)).unwrap_err();
        assert_eq!(error.to_string(), "transpose: expected 3 x 2, got 2 x 3");
    }
}
