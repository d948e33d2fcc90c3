//! The product of rows of numbers with packed bits, by tables.
//!
//! `out_mn = sum_k a_mk b_nk` with b in +-1. Four values of a row of `a` make a table of their 16 sums, and four bits
//! of a row of `b` look theirs up: a vector of columns at once, for as many rows as there are registers.
//! What the numbers are, and so what a table is, says a [`Left`]: [`integer`](crate::integer) and
//! [`real`](crate::real).
//!
//! 1. k is cut into chunks of [`CHUNK`] bytes of bits, whose tables, of [`ROWS`] rows, stay in the L1 cache.
//! 2. The panels of a job's columns are streamed past them, each added to the sums of its columns.
//! 3. When all chunks are through, each row goes to a [`Sink`] as one run of columns.

use core::ops::Range;

use crate::{
    engine::Engine,
    isa::simd,
    memory::{Plain, scratch},
    panels::Panels,
    parts::Lent,
    simd::Simd,
};

/// Rows whose tables a panel meets at once.
const ROWS: usize = 4;

/// Bytes of bits at once: 64 groups of four.
pub(crate) const CHUNK: usize = 32;

/// Columns of a run at most: sums of [`ROWS`] such stay in the L2 cache.
const LONGEST: usize = 4096;

/// Multiplications by which another thread pays.
const WORK_PER_JOB: usize = 1 << 21;

/// The left operand: (m, k) numbers.
pub(crate) trait Left: Sync {
    /// The tables of eight values.
    type Table: Plain;
    /// What is added up.
    type Sum: Plain + Default;
    /// What comes out.
    type Out: Plain;

    /// (m, k)
    fn shape(&self) -> (usize, usize);

    /// The tables of `row` for the values that meet the bytes from `at` on; values beyond k are 0.
    fn fill(&self, row: usize, at: usize, tables: &mut [Self::Table]);

    /// Adds what R rows have in common with a panel: (t, lanes) bytes, by tables: (R, t).
    /// sums: rows of `stride`, of which each begins with the sum of each lane; arbitrary at the start.
    fn add<S: Simd, const R: usize>(
        s: S,
        tables: &[Self::Table],
        panel: &[u8],
        start: bool,
        sums: &mut [Self::Sum],
        stride: usize,
    );

    /// The results of a row, in either of the two slices.
    fn finish<'s>(&self, row: usize, sums: &'s mut [Self::Sum], out: &'s mut [Self::Out]) -> &'s [Self::Out];
}

/// Where results go. Every column of every row comes once, in runs that begin at multiples of 64 columns.
pub(crate) trait Sink<T>: Sync {
    /// Columns `col..col + run.len()` of row `row`.
    fn put(&self, row: usize, col: usize, run: &[T]);
}

/// Stores the results: (m, n).
pub(crate) struct Store<'a, T> {
    n: usize,
    out: Lent<'a, T>,
}

impl<'a, T> Store<'a, T> {
    pub(crate) fn new(n: usize, out: &'a mut [T]) -> Self {
        Self { n, out: Lent::new(out) }
    }
}

impl<T: Copy + Send> Sink<T> for Store<'_, T> {
    #[inline(always)]
    fn put(&self, row: usize, col: usize, run: &[T]) {
        let first = row * self.n + col;
        // SAFETY: the output has as many rows and columns as the product, and every run comes once.
        unsafe { self.out.part(first..first + run.len()) }.copy_from_slice(run);
    }
}

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
        (m.div_ceil(4 * jobs).next_multiple_of(ROWS), n)
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

simd! {
    /// Rows `rows` and columns `cols` of the product; columns begin at a multiple of 64.
    pub(crate) fn tile<S, L: Left, K: Sink<L::Out>>(
        s: S, left: &L, right: &[&Panels], rows: Range<usize>, cols: Range<usize>, sink: &K,
    ) {
        let panels = cols.start / S::LANES..cols.end.div_ceil(S::LANES);
        let width = panels.len() * S::LANES;
        let bytes = left.shape().1.div_ceil(8);
        let mut tables = scratch(ROWS * CHUNK.min(bytes));
        let mut sums = scratch(ROWS * width);
        let mut out = scratch(width);
        let mut row = rows.start;
        while row < rows.end {
            let height = ROWS.min(rows.end - row);
            let sums = &mut sums[..height * width];
            if bytes == 0 {
                sums.fill(L::Sum::default());
            }
            let mut first = 0;
            while first < bytes {
                let chunk = CHUNK.min(bytes - first);
                let tables = &mut tables[..height * chunk];
                for r in 0..height {
                    left.fill(row + r, first, &mut tables[r * chunk..][..chunk]);
                }
                for (index, panel) in panels.clone().enumerate() {
                    let sums = &mut sums[index * S::LANES..];
                    for (which, right) in right.iter().enumerate() {
                        let bytes = &right.panel(panel)[first * S::LANES..][..chunk * S::LANES];
                        // where the next panel's chunk begins cannot be guessed from this one's
                        for line in bytes.chunks(64) {
                            s.prefetch(line.as_ptr().wrapping_add(right.depth() * S::LANES));
                        }
                        let start = first == 0 && which == 0;
                        match height {
                            1 => L::add::<S, 1>(s, tables, bytes, start, sums, width),
                            2 => L::add::<S, 2>(s, tables, bytes, start, sums, width),
                            3 => L::add::<S, 3>(s, tables, bytes, start, sums, width),
                            _ => L::add::<S, ROWS>(s, tables, bytes, start, sums, width),
                        }
                    }
                }
                first += chunk;
            }
            for r in 0..height {
                let run = left.finish(row + r, &mut sums[r * width..][..width], &mut out);
                sink.put(row + r, cols.start, &run[..cols.len()]);
            }
            row += height;
        }
    }
}
