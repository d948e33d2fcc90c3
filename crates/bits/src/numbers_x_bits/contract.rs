//! What a left operand is and where results go.

use core::ops::Range;

use crate::{
    machine::{Ahead, Plain, SharedSlice},
    simd::{Simd, Wide},
};

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
    /// Words at once: their tables of `wide::ROWS` rows stay in the L2 cache.
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
    out: SharedSlice<'a, T>,
}

impl<'a, T> Store<'a, T> {
    pub(crate) fn new(n: usize, out: &'a mut [T]) -> Self {
        Self { n, out: SharedSlice::new(out) }
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

/// Rows that are added up together, and the panels of their columns.
pub(crate) struct Block<'a, T> {
    pub(crate) first: usize,
    /// A power of 2.
    pub(crate) height: usize,
    pub(crate) panels: Range<usize>,
    /// From a sum to that of the next row: the columns of those panels and `APART` more.
    pub(crate) stride: usize,
    /// Panels whose sums go to the sink together.
    pub(crate) run: usize,
    /// The memory that a panel's results will meet.
    pub(crate) ahead: &'a dyn Fn(usize, &mut Ahead),
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
