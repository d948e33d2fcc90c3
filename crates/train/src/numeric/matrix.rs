//! A matrix of real numbers.

use onebit_bits::{Engine, vectorized};

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
