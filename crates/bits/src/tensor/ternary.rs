//! Matrices of -1, 0 and +1, stored as two bit planes.
//!
//! ```
//! use onebit_bits::Ternary;
//!
//! let x = Ternary::from_f32(1, 3, &[-0.5, 0.0, 2.0])?;
//! assert_eq!([x.get(0, 0), x.get(0, 1), x.get(0, 2)], [-1, 0, 1]);
//! # Ok::<(), onebit_bits::Error>(())
//! ```

use super::{bits::BitTensor, compare::compare};
use crate::error::{Error, Result, check_len, check_shape};

/// A matrix over {-1, 0, +1}: the plane `nonzero` is 1 where a value is not 0, the plane `sign` where it is
/// +1.
///
/// Invariant: `sign & !nonzero` is zero, so equal matrices have equal planes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ternary {
    sign: BitTensor,
    nonzero: BitTensor,
}

impl Ternary {
    /// A matrix of its two planes.
    ///
    /// # Errors
    /// [`Error::Shape`] if they differ in shape, [`Error::SignOfZero`] if a zero has a sign.
    pub fn new(sign: BitTensor, nonzero: BitTensor) -> Result<Self> {
        check_shape("ternary", "nonzero", sign.shape(), nonzero.shape())?;
        let signed_zero = sign.words().iter().zip(nonzero.words()).position(|(s, nz)| s & !nz != 0);
        match signed_zero {
            Some(word) => Err(Error::SignOfZero { row: word / sign.words_per_row() }),
            None => Ok(Self { sign, nonzero }),
        }
    }

    /// A matrix of bits: only +1 and -1.
    #[must_use]
    pub fn from_bits(sign: BitTensor) -> Self {
        let nonzero = BitTensor::zeros(sign.rows(), sign.cols()).not();
        Self { sign, nonzero }
    }

    /// The sign of each value; 0, -0 and NaN become 0. `values`: (rows, cols).
    ///
    /// # Errors
    /// [`Error::Length`] unless there are `rows * cols` values.
    pub fn from_f32(rows: usize, cols: usize, values: &[f32]) -> Result<Self> {
        check_len("ternary from f32", "values", (rows, cols), values.len())?;
        Ok(Self::from_signs(rows, cols, values))
    }

    /// The sign of each value. `values`: (rows, cols).
    ///
    /// # Errors
    /// [`Error::Length`] unless there are `rows * cols` values.
    pub fn from_i32(rows: usize, cols: usize, values: &[i32]) -> Result<Self> {
        check_len("ternary from i32", "values", (rows, cols), values.len())?;
        Ok(Self::from_signs(rows, cols, values))
    }

    /// The plane of signs: 1 where the value is +1.
    #[must_use]
    pub fn sign(&self) -> &BitTensor {
        &self.sign
    }

    /// The plane of magnitudes: 1 where the value is not 0.
    #[must_use]
    pub fn nonzero(&self) -> &BitTensor {
        &self.nonzero
    }

    /// The planes of signs and of magnitudes.
    #[must_use]
    pub fn into_planes(self) -> (BitTensor, BitTensor) {
        (self.sign, self.nonzero)
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.sign.rows()
    }

    /// Number of columns.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.sign.cols()
    }

    /// (rows, columns).
    #[must_use]
    pub fn shape(&self) -> (usize, usize) {
        self.sign.shape()
    }

    /// One value: -1, 0 or 1.
    ///
    /// # Panics
    /// Panics if there is no such row or column.
    #[must_use]
    pub fn get(&self, row: usize, col: usize) -> i8 {
        match (self.nonzero.get(row, col), self.sign.get(row, col)) {
            (false, _) => 0,
            (true, true) => 1,
            (true, false) => -1,
        }
    }

    /// Turns into (rows, cols) zeros in the same memory; returns the planes of signs and of magnitudes, to
    /// write.
    pub(crate) fn reset(&mut self, rows: usize, cols: usize) -> (&mut BitTensor, &mut BitTensor) {
        self.sign.reset(rows, cols);
        self.nonzero.reset(rows, cols);
        (&mut self.sign, &mut self.nonzero)
    }

    /// Whether any value is 0.
    pub(crate) fn has_zeros(&self) -> bool {
        self.nonzero.count_ones() < (self.rows() * self.cols()) as u64
    }

    /// The transposed matrix: (r, c) -> (c, r).
    #[must_use]
    pub fn transpose(&self) -> Self {
        Self { sign: self.sign.transpose(), nonzero: self.nonzero.transpose() }
    }

    fn from_signs<T: Copy + Default + PartialOrd>(rows: usize, cols: usize, values: &[T]) -> Self {
        let mut sign = BitTensor::zeros(rows, cols);
        let mut nonzero = sign.clone();
        let zero = T::default();
        for r in 0..rows {
            let words = sign.row_mut(r).iter_mut().zip(nonzero.row_mut(r));
            for ((sign, nonzero), values) in words.zip(values[r * cols..][..cols].chunks(64)) {
                *sign = compare(values, |_, x| x > zero);
                *nonzero = *sign | compare(values, |_, x| x < zero);
            }
        }
        Self { sign, nonzero }
    }
}
