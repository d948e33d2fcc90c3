//! The left operand of products of bits, as sign and nonzero bits.

use core::ops::Range;

use crate::tensor::{BitView, Ternary};

/// A left operand, (m, k), in {-1, 0, +1}.
#[derive(Clone, Copy)]
pub(crate) struct Signs<'a> {
    pub(crate) sign: BitView<'a>,
    /// 1 where a value is not 0; `None` if no value is 0.
    pub(crate) nonzero: Option<BitView<'a>>,
}

impl<'a> Signs<'a> {
    pub(crate) fn bits(sign: BitView<'a>) -> Self {
        Self { sign, nonzero: None }
    }

    pub(crate) fn ternary(x: &'a Ternary) -> Self {
        Self { sign: x.sign().view(), nonzero: Some(x.nonzero().view()) }
    }

    /// A range of the rows.
    pub(crate) fn rows(&self, rows: Range<usize>) -> Self {
        let nonzero = self.nonzero.map(|nonzero| nonzero.part(rows.clone()));
        Self { sign: self.sign.part(rows), nonzero }
    }

    /// The number of values of a row that are not 0.
    #[inline(always)]
    pub(crate) fn nonzeros(&self, row: usize) -> i32 {
        match self.nonzero {
            Some(nonzero) => nonzero.row(row).iter().map(|word| word.count_ones() as i32).sum(),
            None => self.sign.cols() as i32,
        }
    }
}
