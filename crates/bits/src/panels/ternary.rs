//! Ternaries as the right operand of bytes, for inputs of which some are dropped, that is, 0.
//!
//! `x = (low + high) / 2` with low and high in +-1, which differ where x is 0: there low is -1 and high is
//! +1. So a product with x is half the sum of two products with bits, which share their tables.

use super::packed::Panels;
use crate::{
    machine::Engine,
    tensor::{BitTensor, BitView, Ternary},
};

/// Ternaries packed for one instruction set: n rows of k values.
#[derive(Debug)]
pub struct TernaryPanels {
    low: Panels,
    high: Panels,
    /// The bits of `high`, kept to reuse their memory.
    bits: BitTensor,
}

impl TernaryPanels {
    /// Packs the rows of x, (n, k), for `a x^T`.
    #[must_use]
    pub fn of_rows_for_reals(engine: &Engine, x: &Ternary) -> Self {
        Self::pack(engine, x, Panels::of_rows_for_reals)
    }

    /// Packs the columns of x, (k, n), for `a x`.
    #[must_use]
    pub fn of_columns_for_reals(engine: &Engine, x: &Ternary) -> Self {
        Self::pack(engine, x, Panels::of_columns_for_reals)
    }

    /// Packs other ternaries from the same side, in the same memory if they have the same shape.
    pub fn repack(&mut self, engine: &Engine, x: &Ternary) {
        set_high(x, &mut self.bits);
        self.low.repack(engine, x.sign().view());
        self.high.repack(engine, self.bits.view());
    }

    /// Number of rows: the outputs of a product.
    #[must_use]
    pub fn n(&self) -> usize {
        self.low.n()
    }

    /// Values of a row: the length of the sums.
    #[must_use]
    pub fn k(&self) -> usize {
        self.low.k()
    }

    /// The panels of low and of high.
    pub(crate) fn both(&self) -> [&Panels; 2] {
        [&self.low, &self.high]
    }

    fn pack(engine: &Engine, x: &Ternary, pack: fn(&Engine, BitView) -> Panels) -> Self {
        let mut bits = BitTensor::default();
        set_high(x, &mut bits);
        Self { low: pack(engine, x.sign().view()), high: pack(engine, bits.view()), bits }
    }
}

/// Sets the bits of `high`: 1 where x is 0 or +1.
fn set_high(x: &Ternary, bits: &mut BitTensor) {
    if bits.shape() != x.shape() {
        *bits = BitTensor::zeros(x.rows(), x.cols());
    }
    let planes = x.sign().words().iter().zip(x.nonzero().words());
    for (word, (sign, nonzero)) in bits.words_mut().iter_mut().zip(planes) {
        *word = sign | !nonzero;
    }
    bits.clear_padding();
}
