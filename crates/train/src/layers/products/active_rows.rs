//! Skips samples whose gradient is zero. Late in training most are, and the backward products need only the
//! rest.

use onebit_bits::BitTensor;

use crate::{contract::context::Context, error::Result, numeric::matrix::Matrix};

/// Whether any number in the gradient of a sample differs from 0.
#[inline(always)]
pub(crate) fn is_active(dy: &[f32]) -> bool {
    dy.iter().any(|dy| *dy != 0.0)
}

/// The active rows of a batch, in order, once they have been picked.
#[derive(Default)]
pub(crate) struct ActiveRows {
    rows: Vec<usize>,
    of: Option<usize>, // rows of the batch
}

impl ActiveRows {
    /// Number of rows of the batch, if rows were picked from it.
    pub(crate) fn of(&self) -> Option<usize> {
        self.of
    }

    /// Returns to all rows.
    pub(crate) fn all(&mut self) {
        self.of = None;
    }

    /// Picks the active rows of dy if these are at most 7/8 of all, so that it pays; returns whether it did.
    pub(crate) fn pick(&mut self, dy: &Matrix) -> bool {
        self.rows.clear();
        self.rows.extend(dy.iter_rows().enumerate().filter(|(_, dy)| is_active(dy)).map(|(row, _)| row));
        if self.rows.is_empty() {
            self.rows.extend((0..dy.rows()).take(1)); // kernels need a row
        }
        self.of = (8 * self.rows.len() <= 7 * dy.rows()).then_some(dy.rows());
        self.of.is_some()
    }

    /// Returns the picked rows, or all.
    pub(crate) fn gather(&self, cx: &Context, from: Matrix) -> Matrix {
        if self.of.is_none() {
            return from;
        }
        let cols = from.cols().max(1);
        let mut to = cx.matrix(self.rows.len(), from.cols());
        for (to, row) in to.values_mut().chunks_exact_mut(cols).zip(&self.rows) {
            to.copy_from_slice(&from.values()[row * cols..][..cols]);
        }
        cx.recycle([from]);
        to
    }

    /// Returns the picked rows of bits.
    pub(crate) fn bits(&self, cx: &Context, from: &BitTensor) -> Result<BitTensor> {
        let mut to = cx.bits(self.rows.len(), from.cols());
        from.gather_rows(&self.rows, &mut to)?;
        Ok(to)
    }

    /// Puts the picked rows back in their places; the other rows are 0.
    pub(crate) fn scatter(&self, cx: &Context, from: Matrix) -> Matrix {
        let Some(of) = self.of else { return from };
        let cols = from.cols().max(1);
        let mut to = cx.matrix(of, from.cols());
        to.values_mut().fill(0.0);
        for (from, row) in from.iter_rows().zip(&self.rows) {
            to.values_mut()[row * cols..][..cols].copy_from_slice(from);
        }
        cx.recycle([from]);
        to
    }
}
