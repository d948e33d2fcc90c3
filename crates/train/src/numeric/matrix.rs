//! A matrix of real numbers.

use onebit_bits::{Engine, vectorized};

use crate::error::{Error, Result};

/// A dense row-major matrix of f32, `(rows, cols)`.
///
/// ```
/// use onebit_train::Matrix;
///
/// let m = Matrix::new(2, 3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?;
/// assert_eq!(m.transpose(), Matrix::new(3, 2, vec![1.0, 4.0, 2.0, 5.0, 3.0, 6.0])?);
/// let error = Matrix::new(2, 3, vec![1.0]).unwrap_err().to_string();
/// assert_eq!(error, "matrix: expected 2 x 3 values, got 1");
/// # Ok::<(), onebit_train::Error>(())
/// ```
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

    /// Creates a matrix from row-major values, `(rows, cols)`.
    ///
    /// # Errors
    /// [`Error::Shape`] if `values.len() != rows * cols`.
    pub fn new(rows: usize, cols: usize, values: Vec<f32>) -> Result<Self> {
        if Some(values.len()) != rows.checked_mul(cols) {
            return Err(Error::shape("matrix", format!("{rows} x {cols} values"), values.len()));
        }
        Ok(Self { rows, cols, values })
    }

    /// The number of rows, one per sample.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns, one per feature.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// `(rows, cols)`.
    pub fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    /// All values, row-major.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// All values, row-major, for changes in place.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// All values, row-major.
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }

    /// The rows in order. For a matrix without columns the iterator is empty.
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
    /// [`Error::Shape`] if `to` has another shape.
    pub fn transpose_into(&self, engine: &Engine, to: &mut Matrix) -> Result<()> {
        if to.shape() != (self.cols, self.rows) {
            let (expected, got) =
                (format!("{} x {}", self.cols, self.rows), format!("{} x {}", to.rows, to.cols));
            return Err(Error::shape("transpose", expected, got));
        }
        transpose(engine, &self.values, self.cols, to)
    }
}

/// Writes the transpose of `values`, `(r, cols)`, into `to`, `(cols, r)`.
pub(crate) fn transpose(engine: &Engine, values: &[f32], cols: usize, to: &mut Matrix) -> Result<()> {
    let rows = to.cols;
    Ok(engine.chunks(to.values_mut(), 4 * SIDE * rows, |first, columns| {
        transpose_columns(engine.isa(), values, (rows, cols), first / rows, columns);
    })?)
}

/// The side of the blocks that are transposed at once: memory is read and written in whole cache lines.
const SIDE: usize = 16;

vectorized! {
    /// Writes the columns from `first` on as rows.
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
