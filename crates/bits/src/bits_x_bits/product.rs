//! The product of bits with packed bits, whatever becomes of its sums.
//!
//! `sum_mn = sum_k a_mk b_nk` with a in {-1, 0, +1} and b in +-1 is the number of places where `a` is not 0, less
//! twice the number of those where it differs from `b`. Two kernels count the differences: one looks sums of four
//! bits up (`lookup`), one counts ones (`count`); the instruction set decides.
//!
//! The sums of a tile never leave the cache: they go to a [`Sink`], which stores them, compares them with
//! thresholds, or adds them to something.

use core::ops::Range;

use super::{count::count_tile, left::Left, lookup::lookup_tile, sink::Sink};
use crate::{
    machine::{Engine, Isa, simd},
    panels::Panels,
};

/// Rows of a job at most, so that their tables are built while they are in the cache and threads can share.
const TALLEST: usize = 128;

/// Multiplications by which another thread pays: a microsecond from the cache, some more where the right operand comes from
/// memory, as it does for a single row.
const WORK_PER_JOB: usize = 1 << 20;

/// Computes all sums: left (m, k), right: n rows of k bits. Threads get disjoint columns, in multiples of 64, or rows.
pub(crate) fn product<K: Sink>(engine: &Engine, left: Left, right: &Panels, sink: &K) {
    let (m, k) = left.sign.shape();
    let lanes = right.lanes();
    let panels = right.n().div_ceil(lanes);
    if m == 0 || panels == 0 {
        return;
    }
    let jobs = engine.threads().min(m.saturating_mul(right.n()).saturating_mul(k) / WORK_PER_JOB).max(1);
    let words = right.n().div_ceil(64);
    // by columns if there are enough, because that also splits the right operand
    let (height, width) = if words >= jobs {
        (TALLEST, words.div_ceil(jobs) * 64 / lanes)
    } else {
        (TALLEST.min(m.div_ceil(jobs).next_multiple_of(8)), words * 64 / lanes)
    };
    let across = panels.div_ceil(width);
    engine.each_index(m.div_ceil(height) * across, |job| {
        let (row, panel) = (job / across * height, job % across * width);
        let (rows, columns) = (row..m.min(row + height), panel..panels.min(panel + width));
        tile(engine, left, right, rows, columns, sink);
    });
}

/// Computes the sums of some rows and panels.
pub(crate) fn tile<K: Sink>(
    engine: &Engine,
    left: Left,
    right: &Panels,
    rows: Range<usize>,
    panels: Range<usize>,
    sink: &K,
) {
    tile_on(engine.isa(), engine.isa(), left, right, rows, panels, sink);
}

simd! {
    /// Either kernel is compiled only where it is used.
    fn tile_on<S, K: Sink>(
        s: S, isa: Isa, left: Left, right: &Panels, rows: Range<usize>, panels: Range<usize>, sink: &K,
    ) {
        if S::COUNTS {
            count_tile(s, left, right, rows, panels, sink);
        } else {
            lookup_tile(s, isa, left, right, rows, panels, sink);
        }
    }
}
