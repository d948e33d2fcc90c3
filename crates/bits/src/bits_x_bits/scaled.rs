//! Ternaries with a scale for each row, x bits.

use super::{gemm::check, left::Left, product::product, sink::Sink};
use crate::{
    error::{Result, check_len},
    machine::{Engine, SharedSlice, Slices},
    numbers_x_bits::{Update, Updating, by_blocks},
    panels::Panels,
    round::ScaledTernary,
    tensor::BitTensor,
};

/// `out = a * b^T`: `out_mn = scale_m sum_mn`. a: (m, k), b: n rows of k bits, out: (m, n).
///
/// # Errors
/// [`Error::Length`](crate::Error::Length), [`Error::Shape`](crate::Error::Shape) unless the operands fit,
/// [`Error::Packed`](crate::Error::Packed) if the panels are for another instruction set or for reals.
pub fn scaled_ternary_gemm(engine: &Engine, a: &ScaledTernary, b: &Panels, out: &mut [f32]) -> Result<()> {
    const OP: &str = "scaled_ternary_gemm";
    check(OP, engine, a.values().shape(), b)?;
    check_len(OP, "out", (a.values().rows(), b.n()), out.len())?;
    let sink = Scaled { n: b.n(), first: 0, scales: a.scales(), out: SharedSlice::new(out) };
    product(engine, Left::ternary(a.values()), b, &sink);
    Ok(())
}

/// [`scaled_ternary_gemm`], whose results go to an [`Update`] block by block instead of memory.
///
/// states: slices of m * n elements, weights: (m, n).
///
/// # Errors
/// As [`scaled_ternary_gemm`].
pub fn scaled_ternary_gemm_with<S: Slices, U: Update<S>>(
    engine: &Engine,
    a: &ScaledTernary,
    b: &Panels,
    states: S,
    weights: &mut BitTensor,
    update: &U,
) -> Result<()> {
    const OP: &str = "scaled_ternary_gemm_with";
    check(OP, engine, a.values().shape(), b)?;
    let (m, n) = (a.values().rows(), b.n());
    let sink = Updating::new(OP, (m, n), states, weights, update)?;
    by_blocks(engine, (m, n), &sink, |row, rows, block| {
        let block = Scaled { n, first: row, scales: a.scales(), out: SharedSlice::new(block) };
        product(engine, Left::ternary(a.values()).rows(row..row + rows), b, &block);
        Ok(())
    })
}

/// Stores sums, each times the scale of its row: rows from `first` on, (.., n).
struct Scaled<'a> {
    n: usize,
    first: usize,
    scales: &'a [f32],
    out: SharedSlice<'a, f32>,
}

impl Sink for Scaled<'_> {
    #[inline(always)]
    fn put(&self, row: usize, col: usize, sums: &[i32]) {
        let (first, scale) = (row * self.n + col, self.scales[self.first + row]);
        // SAFETY: the output has as many rows and columns as the product, and every run comes once.
        let out = unsafe { self.out.part(first..first + sums.len()) };
        out.iter_mut().zip(sums).for_each(|(out, sum)| *out = scale * *sum as f32);
    }
}
