//! Gradients of -1, 0 and +1 with a scale for each row, x bits: by counting, as bits x bits.
//!
//! `out_mn = scale_m sum_k a_mk b_nk` with a in {-1, 0, +1} and b in +-1. It is what the product of the same
//! gradient as [`Int8`](crate::Int8) is, bit for bit, several times faster.

use super::{products::check, signs::Signs, tiles::multiply};
use crate::{
    error::Result,
    machine::{Engine, SharedSlice},
    panels::Panels,
    product::{Multiply, PRODUCT, Put, Sink, by_blocks},
    round::ScaledTernary,
};

impl<K: Sink<f32>> Multiply<&Panels, K> for &ScaledTernary {
    fn multiply(self, engine: &Engine, right: &Panels, sink: K) -> Result<()> {
        check(engine, self.values().shape(), right)?;
        let (left, scales) = (Signs::ternary(self.values()), self.scales());
        let (m, n) = (scales.len(), right.n());
        let mut sink = sink.open(PRODUCT, (m, n))?;
        by_blocks(engine, (m, n), &mut sink, |first, rows, block| {
            let block = Scaled { n, first, scales, out: SharedSlice::new(block) };
            multiply(engine, left.rows(first..first + rows), right, &block);
            Ok(())
        })
    }
}

/// Stores sums, each times the scale of its row: rows from `first` on, (.., n).
struct Scaled<'a> {
    n: usize,
    first: usize,
    scales: &'a [f32],
    out: SharedSlice<'a, f32>,
}

impl Put<i32> for Scaled<'_> {
    #[inline(always)]
    fn put(&self, row: usize, col: usize, sums: &[i32]) {
        let (first, scale) = (row * self.n + col, self.scales[self.first + row]);
        // SAFETY: the output has the rows and columns of the product, and every run comes once.
        let out = unsafe { self.out.part(first..first + sums.len()) };
        out.iter_mut().zip(sums).for_each(|(out, sum)| *out = scale * *sum as f32);
    }
}
