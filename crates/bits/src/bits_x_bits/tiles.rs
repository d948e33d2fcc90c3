//! The product of bits with packed bits, tile by tile.
//!
//! The simple loop, with a in {-1, 0, +1} and b in {-1, +1}:
//!
//! ```text
//! for m in 0..M { for n in 0..N { sum[m][n] = sum over k of a[m][k] * b[n][k] } }
//! ```
//!
//! A product of signs is -1 where they differ. So the sum over the places where `a` is not 0 is their number,
//! less twice the number of differences, and only differences have to be counted:
//!
//! ```text
//! sum[m][n] = nonzeros(a[m]) - 2 differences(a[m], b[n])
//! ```
//!
//! Three things are done differently from the loop:
//!
//! 1. Rows of `b` are packed side by side in [panels](crate::Panels), so that a vector computes the sums of
//!    many n at once.
//! 2. A kernel computes a *tile*: some rows m and some panels, whose counts stay in registers or in the L1
//!    cache. Of the two kernels, one looks up the differences of four bits (`lookup.rs`), the other counts
//!    ones (`count.rs`); the instruction set decides.
//! 3. The sums of a tile never leave the cache: they go to a sink ([`Put`]), which stores them, compares them
//!    with thresholds, or adds them to something.

use core::ops::Range;

use super::{count::count_tile, lookup::lookup_tile, signs::Signs};
use crate::{
    machine::{Engine, Isa, simd},
    panels::Panels,
    product::Put,
};

/// Most rows of a job: their tables are built while the rows are in the cache, and threads can share the
/// work.
const TALLEST: usize = 128;

/// Multiplications that pay for another thread: a microsecond of work from the cache, and more where the
/// right operand comes from memory, as for a single row.
const WORK_PER_JOB: usize = 1 << 20;

/// Computes all sums. left: (m, k), right: n rows of k bits. Threads get disjoint columns, in multiples of
/// 64, or disjoint rows. A run of sums lies within one word of 64 columns.
pub(crate) fn multiply<K: Put<i32>>(engine: &Engine, left: Signs, right: &Panels, sink: &K) {
    let (m, k) = left.sign.shape();
    let lanes = right.lanes();
    let panels = right.n().div_ceil(lanes);
    if m == 0 || panels == 0 {
        return;
    }
    let jobs = engine.threads().min(m.saturating_mul(right.n()).saturating_mul(k) / WORK_PER_JOB).max(1);
    let words = right.n().div_ceil(64);
    // by columns if they suffice, because that also splits the right operand
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
pub(crate) fn tile<K: Put<i32>>(
    engine: &Engine,
    left: Signs,
    right: &Panels,
    rows: Range<usize>,
    panels: Range<usize>,
    sink: &K,
) {
    tile_on(engine.isa(), engine.isa(), left, right, rows, panels, sink);
}

simd! {
    /// Compiles, for each instruction set, only the kernel that it uses.
    fn tile_on<S, K: Put<i32>>(
        s: S, isa: Isa, left: Signs, right: &Panels, rows: Range<usize>, panels: Range<usize>, sink: &K,
    ) {
        if S::COUNTS {
            count_tile(s, left, right, rows, panels, sink);
        } else {
            lookup_tile(s, isa, left, right, rows, panels, sink);
        }
    }
}
