//! The product of rows of numbers with packed bits, by tables.
//!
//! `out_mn = sum_k a_mk b_nk` with b in +-1. Four values of a row of `a` make a table of their 16 sums, and four bits
//! of a row of `b` look theirs up: a vector of columns at once, for as many rows as there are registers.
//! What the numbers are, and so what a table is, says a [`Left`]: [`integer`](crate::integer) and
//! [`real`](crate::real).
//!
//! 1. k is cut into chunks of [`CHUNK`] bytes of bits, whose tables, of [`ROWS`] rows, stay in the L1 cache.
//! 2. The panels of a job's columns are streamed past them, each added to the sums of its columns.
//! 3. When all chunks are through, each row goes to a [`Sink`], in runs of columns, or straight to its place.

use core::ops::Range;

use crate::{
    engine::Engine,
    isa::{Isa, simd},
    memory::{Ahead, Plain, scratch},
    panels::{Panels, lanes},
    parts::Lent,
    simd::{Simd, Wide},
    wide,
};

/// Rows whose tables a panel meets at once.
const ROWS: usize = 4;

/// Bytes of bits at once: 64 groups of four.
pub(crate) const CHUNK: usize = 32;

/// Columns of a run at most: sums of [`ROWS`] such stay in the L2 cache.
const LONGEST: usize = 4096;

/// Sums between rows of them, so that a column of sums is not in one set of the L1 cache.
const APART: usize = 16;

/// Multiplications by which another thread pays: some microseconds, so that a single row of a large layer is shared, too.
const WORK_PER_JOB: usize = 1 << 20;

/// Where sums go while they are in the cache, panels at a time.
pub(crate) type Done<'a, S> = &'a mut dyn FnMut(&mut [S], Range<usize>);

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

    /// What is permuted: a vector of 64 bytes.
    type WideTable: Plain;
    /// How many of them the 32 values make that meet a word of each column.
    const WIDE_TABLES: usize;
    /// Words at once: their tables of [`wide::ROWS`] rows stay in the L2 cache.
    const WIDE_WORDS: usize;

    /// The tables of `row` for the values that meet word `word`, each `stride` after the one before.
    fn fill_wide<W: Wide>(
        &self,
        w: W,
        row: usize,
        word: usize,
        tables: &mut [Self::WideTable],
        stride: usize,
    );

    /// As [`add`](Self::add), by tables: (t, R), with cells: (words, 4, 16) words of 32 bits, and 3 bytes more.
    /// t is even: the last word may have less than [`WIDE_TABLES`](Self::WIDE_TABLES).
    /// `row` is the first of the rows.
    fn add_wide<W: Wide, const R: usize>(
        &self,
        w: W,
        row: usize,
        tables: &[Self::WideTable],
        cells: &[u8],
        sums: Sums<Self::Sum, Self::Out>,
        ahead: &mut Ahead,
    );

    /// Whether results can go to their place without [`finish_wide`](Self::finish_wide).
    fn is_done_in_vectors(&self) -> bool {
        true
    }

    /// [`finish`](Self::finish) for sums from [`add_wide`](Self::add_wide), if they are other ones.
    #[inline(always)]
    fn finish_wide<'s>(
        &self,
        row: usize,
        sums: &'s mut [Self::Sum],
        out: &'s mut [Self::Out],
    ) -> &'s [Self::Out] {
        self.finish(row, sums, out)
    }
}

/// Sums of the 64 columns of a panel so far, in rows of `stride`.
pub(crate) struct Sums<'a, T, O> {
    pub(crate) sums: &'a mut [T],
    pub(crate) stride: usize,
    /// There are none yet: what is there is arbitrary.
    pub(crate) start: bool,
    /// Where results go, if these are the last sums and that is a place in memory.
    pub(crate) place: Option<Place<O>>,
}

/// Memory for the 64 results of a panel in each of some rows, that nobody else has.
#[derive(Clone, Copy)]
pub(crate) struct Place<T> {
    pub(crate) first: *mut T,
    /// From a result to that of the next row.
    pub(crate) stride: usize,
}

/// Where results go. Every column of every row comes once, in runs that begin at multiples of 64 columns.
pub(crate) trait Sink<T>: Sync {
    /// Columns of a run; as many as possible without.
    const RUN: Option<usize> = None;

    /// The memory that columns of row `row` will meet, which is idle until then.
    fn ahead(&self, row: usize, cols: Range<usize>, ahead: &mut Ahead) {
        let _ = (row, cols, ahead);
    }

    /// Columns `col..col + run.len()` of row `row`.
    fn put(&self, row: usize, col: usize, run: &[T]);

    /// The place of the result in column `col` of row `row`, if results need not be [put](Self::put) there.
    fn place(&self, row: usize, col: usize) -> Option<Place<T>> {
        let _ = (row, col);
        None
    }
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
    /// The memory takes them while the next ones are added up.
    const RUN: Option<usize> = Some(64);

    #[inline(always)]
    fn put(&self, row: usize, col: usize, run: &[T]) {
        let first = row * self.n + col;
        // SAFETY: the output has as many rows and columns as the product, and every run comes once.
        unsafe { self.out.part(first..first + run.len()) }.copy_from_slice(run);
    }

    fn place(&self, row: usize, col: usize) -> Option<Place<T>> {
        Some(Place { first: self.out.at(row * self.n + col), stride: self.n })
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

/// Rows that are added up together, and the panels of their columns.
pub(crate) struct Block<'a, T> {
    pub(crate) first: usize,
    /// A power of 2.
    pub(crate) height: usize,
    pub(crate) panels: Range<usize>,
    /// From a sum to that of the next row: the columns of those panels and [`APART`] more.
    pub(crate) stride: usize,
    /// Panels whose sums go to the sink together.
    run: usize,
    /// The memory that a panel's results will meet.
    ahead: &'a dyn Fn(usize, &mut Ahead),
    /// The place of a panel's results, if there is one.
    pub(crate) place: &'a dyn Fn(usize) -> Option<Place<T>>,
}

impl<T> Block<'_, T> {
    /// The panels from `panel` on that are added to before the sink gets their sums, in the last chunk of k, or all.
    #[inline(always)]
    pub(crate) fn run(&self, panel: usize, last: bool) -> Range<usize> {
        panel..if last { self.panels.end.min(panel + self.run) } else { self.panels.end }
    }

    /// What can be asked for while sums of a panel are added up: in the last chunk of k, what they will meet.
    #[inline(always)]
    pub(crate) fn look_ahead(&self, panel: usize, last: bool, ahead: &mut Ahead) {
        ahead.clear();
        if last {
            (self.ahead)(panel, ahead);
        }
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
        let bytes = left.shape().1.div_ceil(8);
        let mut tables = scratch(block.height * CHUNK.min(bytes));
        let mut ahead = Ahead::new();
        for first in (0..bytes.max(1)).step_by(CHUNK) {
            let chunk = CHUNK.min(bytes - first);
            let tables = &mut tables[..block.height * chunk];
            for (r, tables) in tables.chunks_exact_mut(chunk.max(1)).enumerate() {
                left.fill(block.first + r, first, tables);
            }
            let last = first + chunk == bytes;
            let mut run = block.run(block.panels.start, last);
            while !run.is_empty() {
                for panel in run.clone() {
                    let sums = &mut sums[(panel - block.panels.start) * S::LANES..];
                    block.look_ahead(panel, last, &mut ahead);
                    ahead.ask(usize::MAX);
                    for (which, right) in right.iter().enumerate() {
                        let bytes = &right.panel(panel)[first * S::LANES..][..chunk * S::LANES];
                        // where the next panel's chunk begins cannot be guessed from this one's
                        for line in bytes.chunks(64) {
                            s.prefetch(line.as_ptr().wrapping_add(right.depth() * S::LANES));
                        }
                        let start = first == 0 && which == 0;
                        match block.height {
                            1 => L::add::<S, 1>(s, tables, bytes, start, sums, block.stride),
                            2 => L::add::<S, 2>(s, tables, bytes, start, sums, block.stride),
                            _ => L::add::<S, ROWS>(s, tables, bytes, start, sums, block.stride),
                        }
                    }
                }
                if last {
                    done(sums, run.clone());
                }
                run = block.run(run.end, last);
            }
        }
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

#[cfg(all(test, feature = "std"))]
mod tests {
    use std::{sync::Barrier, vec};

    use super::*;
    use crate::{integer::Bytes, random_bits};

    /// Waits until so many jobs have come to their ends.
    struct Meet(Barrier);

    impl Sink<i32> for Meet {
        fn put(&self, _: usize, _: usize, _: &[i32]) {
            self.0.wait(); // hangs unless so many threads come
        }
    }

    #[test]
    fn threads_share_a_single_row() {
        let engine = Engine::new(2).unwrap();
        let panels = Panels::of_rows_for_reals(&engine, random_bits(1, 0, 4096, 784).view());
        let x = vec![7u8; 784];
        let left = Bytes::of("test", &engine, (1, 784), &x, &[&panels]).unwrap();
        product(&engine, &left, &[&panels], &Meet(Barrier::new(2)));
    }
}
