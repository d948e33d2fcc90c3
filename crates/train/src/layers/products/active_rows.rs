//! Samples that ask for something: those whose signal is not 0 throughout. Late in training they are few, and the products
//! of the way back need only them.

use onebit_bits::BitTensor;

use crate::{contract::context::Context, error::Result, numeric::matrix::Matrix};

/// Whether a sample asks for anything.
#[inline(always)]
pub(crate) fn asks(dy: &[f32]) -> bool {
    dy.iter().any(|dy| *dy != 0.0)
}

/// The rows of a batch that were picked, in order, if some were.
#[derive(Default)]
pub(crate) struct Asking {
    rows: Vec<usize>,
    of: Option<usize>,
}

impl Asking {
    /// How many rows the batch has from which some were picked.
    pub(crate) fn of(&self) -> Option<usize> {
        self.of
    }

    /// Forgets what was picked.
    pub(crate) fn all(&mut self) {
        self.of = None;
    }

    /// Picks the rows of dy that ask, if they are so few that it pays, and says so.
    pub(crate) fn pick(&mut self, dy: &Matrix) -> bool {
        self.rows.clear();
        self.rows.extend(dy.iter_rows().enumerate().filter(|(_, dy)| asks(dy)).map(|(row, _)| row));
        if self.rows.is_empty() {
            self.rows.extend((0..dy.rows()).take(1)); // kernels want a row
        }
        self.of = (8 * self.rows.len() <= 7 * dy.rows()).then_some(dy.rows());
        self.of.is_some()
    }

    /// The rows that were picked, or all.
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

    /// The same rows of bits.
    pub(crate) fn bits(&self, cx: &Context, from: &BitTensor) -> Result<BitTensor> {
        let mut to = cx.bits(self.rows.len(), from.cols());
        from.gather_rows(&self.rows, &mut to)?;
        Ok(to)
    }

    /// Puts rows back where they were; the others are 0.
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
