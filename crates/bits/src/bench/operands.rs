//! Reproducible operands.

use alloc::vec::Vec;

use crate::{
    error::Result,
    tensor::{BitTensor, Ternary, random_bits},
};

/// Random bits, (rows, cols); `which` distinguishes operands.
pub(super) fn bits(which: u64, rows: usize, cols: usize) -> BitTensor {
    random_bits(0, which, rows, cols)
}

/// Random values of -1, 0 and +1, (rows, cols), half of them 0.
pub(super) fn ternary(rows: usize, cols: usize) -> Result<Ternary> {
    let nonzero = bits(3, rows, cols);
    Ternary::new(bits(4, rows, cols).and(nonzero.view())?, nonzero)
}

/// `len` random numbers in -1..1.
pub(super) fn reals(which: u64, len: usize) -> Vec<f32> {
    let random = random_bits(1, which, 1, 64 * len);
    random.words().iter().map(|word| *word as i64 as f32 / 2f32.powi(63)).collect()
}
