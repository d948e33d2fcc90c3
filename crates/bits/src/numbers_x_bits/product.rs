//! The product of rows of numbers with packed bits, by tables.
//!
//! `out_mn = sum_k a_mk b_nk` with b in +-1. Four values of a row of `a` make a table of their 16 sums, and four bits
//! of a row of `b` look theirs up: a vector of columns at once, for as many rows as there are registers.
//! What the numbers are, and so what a table is, says a [`Left`]: `integer` and
//! `real`.
//!
//! 1. k is cut into chunks of [`CHUNK`] bytes of bits, whose tables, of [`ROWS`] rows, stay in the L1 cache.
//! 2. The panels of a job's columns are streamed past them, each added to the sums of its columns.
//! 3. When all chunks are through, each row goes to a [`Sink`], in runs of columns, or straight to its place.

use core::ops::Range;

use super::{
    contract::{Block, Done, Left, Sink},
    narrow::{self, CHUNK, ROWS},
    wide,
};
use crate::{
    machine::{Ahead, Engine, Isa, scratch, simd},
    panels::{Panels, lanes},
};

/// Columns of a run at most: sums of [`ROWS`] such stay in the L2 cache.
const LONGEST: usize = 4096;

/// Sums between rows of them, so that a column of sums is not in one set of the L1 cache.
const APART: usize = 16;

/// Multiplications by which another thread pays: some microseconds, so that a single row of a large layer is shared, too.
const WORK_PER_JOB: usize = 1 << 20;

/// Computes all results: left (m, k), right: n rows of k bits. Threads share the longer side of the output.
///
/// If there are several right operands, of one shape, their sums are added up.
pub(crate) fn product<L: Left, K: Sink<L::Out>>(engine: &Engine, left: &L, right: &[&Panels], sink: &K) {
    let ((m, k), n) = (left.shape(), right[0].n());
    if m == 0 || n == 0 {
        return;
    }
    let jobs = engine.threads().min(m.saturating_mul(n).saturating_mul(k) / WORK_PER_JOB).max(1);
    let (height, width) = if jobs == 1 {
        (m, n)
    } else if m >= n {
        // some more than there are threads, for they may be interrupted
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

/// Rows `rows` and columns `cols` of the product; columns begin at a multiple of 64.
pub(crate) fn tile<L: Left, K: Sink<L::Out>>(
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
        // to finish a row takes time that grows with k
        let run = match K::RUN {
            Some(run) if tallest == wide::ROWS || left.shape().1 <= 8 * CHUNK => (run / lanes).max(1),
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
    /// Rows at once at most.
    fn tallest<S>(s: S) -> usize {
        if s.wide().is_some() { wide::ROWS } else { ROWS }
    }
}

simd! {
    /// Adds up a block: sums (height, stride).
    fn add_up<S, L: Left>(
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
    /// Hands some columns of a block to the sink: sums (height, stride), from the first of these columns on.
    fn put<S, L: Left, K: Sink<L::Out>>(
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
