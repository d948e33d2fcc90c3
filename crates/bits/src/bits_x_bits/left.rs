//! The left operand of products of bits.

use core::ops::Range;

use crate::tensor::{BitView, Ternary};

/// The left operand: (m, k) in {-1, 0, +1}.
#[derive(Clone, Copy)]
pub(crate) struct Left<'a> {
    pub(crate) sign: BitView<'a>,
    /// Without it there are no zeros.
    pub(crate) nonzero: Option<BitView<'a>>,
}

impl<'a> Left<'a> {
    pub(crate) fn bits(sign: BitView<'a>) -> Self {
        Self { sign, nonzero: None }
    }

    pub(crate) fn ternary(x: &'a Ternary) -> Self {
        Self { sign: x.sign().view(), nonzero: Some(x.nonzero().view()) }
    }

    /// Some of the rows.
    pub(crate) fn rows(&self, rows: Range<usize>) -> Self {
        let nonzero = self.nonzero.map(|nonzero| nonzero.part(rows.clone()));
        Self { sign: self.sign.part(rows), nonzero }
    }

    /// How many values of a row are not 0.
    #[inline(always)]
    pub(crate) fn nonzeros(&self, row: usize) -> i32 {
        match self.nonzero {
            Some(nonzero) => nonzero.row(row).iter().map(|word| word.count_ones() as i32).sum(),
            None => self.sign.cols() as i32,
        }
    }
}
