//! The product of rows of numbers with packed bits, by tables, tile by tile.
//!
//! The simple loop, with b in {-1, +1}:
//!
//! ```text
//! for m in 0..M { for n in 0..N { for k in 0..K { out[m][n] += a[m][k] * b[n][k] } } }
//! ```
//!
//! Four values of a row of `a` have only 16 sums with the signs of four bits. These make a table, in which
//! four bits of a row of `b` are the index. So:
//!
//! 1. k is cut into chunks of [`CHUNK`] bytes of bits, whose tables, of [`ROWS`] rows, stay in the L1 cache.
//! 2. The [panels](crate::Panels) of a job's columns are streamed past the tables. One instruction looks up
//!    the sums of a vector of columns, once for each of the rows.
//! 3. After the last chunk, each row goes to a sink ([`Put`]) in runs of columns, or straight to its place in
//!    memory.
//!
//! The type of the numbers, and with it of the tables, is a left operand's ([`Numbers`]): `integer/` and
//! `real/`. The look-up has two ways: a shuffle of bytes (`narrow.rs`), or a permutation of a whole vector
//! (`wide.rs`).

use core::ops::Range;

use super::{
    contract::{Block, Done, Numbers},
    narrow::{self, CHUNK, ROWS},
    wide,
};
use crate::{
    machine::{Ahead, Engine, Isa, scratch, simd},
    panels::{Panels, lanes},
    product::Put,
};

/// Most columns of a tile: the sums of [`ROWS`] rows of them stay in the L2 cache.
const LONGEST: usize = 4096;

/// Sums left free between rows, so that the sums of one column are not all in one set of the L1 cache.
const APART: usize = 16;

/// Multiplications that pay for another thread: some microseconds of work, so that threads share even a
/// single row of a large layer.
const WORK_PER_JOB: usize = 1 << 20;

/// Computes all results. left: (m, k), right: n rows of k bits; the sums of several right operands of one
/// shape are added up. Threads share the longer side of the output.
pub(crate) fn multiply<L: Numbers, K: Put<L::Out>>(engine: &Engine, left: &L, right: &[&Panels], sink: &K) {
    let ((m, k), n) = (left.shape(), right[0].n());
    if m == 0 || n == 0 {
        return;
    }
    let jobs = engine.threads().min(m.saturating_mul(n).saturating_mul(k) / WORK_PER_JOB).max(1);
    let (height, width) = if jobs == 1 {
        (m, n)
    } else if m >= n {
        // more jobs than threads, because threads may be interrupted
        (m.div_ceil(4 * jobs).next_multiple_of(wide::ROWS), n)
    } else {
        (m, n.div_ceil(jobs))
    };
    let width = width.next_multiple_of(64).min(LONGEST);
    let across = n.div_ceil(width);
    engine.each_index(m.div_ceil(height) * across, |job| {
        let (row, col) = (job / across * height, job % across * width);
        let (rows, cols) = (row..m.min(row + height), col..n.min(col + width));
        tile(engine.isa(), left, right, rows, cols, sink);
    });
}

/// Computes rows `rows` and columns `cols` of the product; columns begin at a multiple of 64.
pub(crate) fn tile<L: Numbers, K: Put<L::Out>>(
    isa: Isa,
    left: &L,
    right: &[&Panels],
    rows: Range<usize>,
    cols: Range<usize>,
    sink: &K,
) {
    if cols.is_empty() {
        return;
    }
    let (lanes, tallest) = (lanes(isa), tallest(isa));
    let panels = cols.start / lanes..cols.end.div_ceil(lanes);
    let width = panels.len() * lanes;
    let stride = width + APART;
    let mut sums = scratch(tallest * stride);
    let mut out = scratch(width);
    let mut first = rows.start;
    while first < rows.end {
        let height = tallest.min(1 << (rows.end - first).ilog2());
        let sums = &mut sums[..height * stride];
        if left.shape().1 == 0 {
            sums.fill(L::Sum::default());
        }
        let columns = |panels: Range<usize>| panels.start * lanes..cols.end.min(panels.end * lanes);
        let ahead = |panel: usize, ahead: &mut Ahead| {
            (first..first + height).for_each(|row| sink.ahead(row, columns(panel..panel + 1), ahead));
        };
        let place = |panel: usize| {
            let whole = columns(panel..panel + 1).len() == lanes;
            sink.place(first, panel * lanes).filter(|_| whole && left.is_done_in_vectors())
        };
        // finishing a row takes time that grows with k
        let run = match K::RUN {
            Some(run) if K::IN_WORDS || tallest == wide::ROWS || left.shape().1 <= 8 * CHUNK => {
                (run / lanes).max(1)
            }
            _ => panels.len(),
        };
        let block =
            Block { first, height, panels: panels.clone(), stride, run, ahead: &ahead, place: &place };
        add_up(isa, left, right, &block, sums, &mut |sums, done| {
            let at = (done.start - panels.start) * lanes;
            put(isa, left, &block, columns(done), &mut sums[at..], &mut out, sink);
        });
        first += height;
    }
}

simd! {
    /// Most rows at once.
    fn tallest<S>(s: S) -> usize {
        if s.wide().is_some() { wide::ROWS } else { ROWS }
    }
}

simd! {
    /// Adds up a block, by permutation of whole vectors where the instruction set has it. sums: (height,
    /// stride).
    fn add_up<S, L: Numbers>(
        s: S,
        left: &L,
        right: &[&Panels],
        block: &Block<L::Out>,
        sums: &mut [L::Sum],
        done: Done<'_, L::Sum>,
    ) {
        if let Some(w) = s.wide() {
            wide::add_up(w, left, right, block, sums, done);
            return;
        }
        narrow::add_up(s, left, right, block, sums, done);
    }
}

simd! {
    /// Hands some columns of a block to the sink. sums: (height, stride), from the first of these columns on.
    fn put<S, L: Numbers, K: Put<L::Out>>(
        s: S,
        left: &L,
        block: &Block<L::Out>,
        cols: Range<usize>,
        sums: &mut [L::Sum],
        out: &mut [L::Out],
        sink: &K,
    ) {
        for (row, sums) in (block.first..).zip(sums.chunks_mut(block.stride)).take(block.height) {
            let (sums, out) = (&mut sums[..cols.len()], &mut out[..cols.len()]);
            let run = if s.wide().is_some() {
                left.finish_wide(row, sums, out)
            } else {
                left.finish(row, sums, out)
            };
            sink.put(row, cols.start, run);
        }
    }
}
