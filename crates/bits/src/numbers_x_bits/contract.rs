//! The contract between the left operands, which define tables, and the two ways to look them up.

use core::ops::Range;

use crate::{
    machine::{Ahead, Plain},
    product::Place,
    simd::{Simd, Wide},
};

/// Consumes finished sums while they are in the cache: those of a range of panels.
pub(crate) type Done<'a, S> = &'a mut dyn FnMut(&mut [S], Range<usize>);

/// A left operand of numbers: (m, k). Four values of a row make a table of their 16 sums with the signs of
/// four bits.
pub(crate) trait Numbers: Sync {
    /// The tables of eight values of a row, that is, of a byte of bits.
    type Table: Plain;
    /// The type in which sums are added up.
    type Sum: Plain + Default;
    /// The type of results.
    type Out: Plain;

    /// (m, k)
    fn shape(&self) -> (usize, usize);

    /// Fills the tables of `row` for the values that meet the bytes from `at` on; values beyond k are 0.
    fn fill(&self, row: usize, at: usize, tables: &mut [Self::Table]);

    /// Adds the products of R rows with a panel, (t, lanes) bytes, by tables (R, t). sums: R rows that are
    /// `stride` apart, each of which begins with the sum of each lane; arbitrary if `start`.
    fn add<S: Simd, const R: usize>(
        s: S,
        tables: &[Self::Table],
        panel: &[u8],
        start: bool,
        sums: &mut [Self::Sum],
        stride: usize,
    );

    /// Computes the results of a row, in one of the two slices.
    fn finish<'s>(&self, row: usize, sums: &'s mut [Self::Sum], out: &'s mut [Self::Out]) -> &'s [Self::Out];

    /// A table that is permuted: a vector of 64 bytes.
    type WideTable: Plain;
    /// Tables of the 32 values that meet a word of each column.
    const WIDE_TABLES: usize;
    /// Words at once: their tables of `wide::ROWS` rows stay in the L2 cache.
    const WIDE_WORDS: usize;

    /// Fills the tables of `row` for the values that meet word `word`, each `stride` after the previous one.
    fn fill_wide<W: Wide>(
        &self,
        w: W,
        row: usize,
        word: usize,
        tables: &mut [Self::WideTable],
        stride: usize,
    );

    /// [`add`](Self::add) by permutation: by tables (t, R), with cells, (words, 4, 16) words of 32 bits and 3
    /// bytes more. t is even: the last word may have fewer than [`WIDE_TABLES`](Self::WIDE_TABLES). `row` is
    /// the first of the rows.
    fn add_wide<W: Wide, const R: usize>(
        &self,
        w: W,
        row: usize,
        tables: &[Self::WideTable],
        cells: &[u8],
        sums: Sums<Self::Sum, Self::Out>,
        ahead: &mut Ahead,
    );

    /// Whether [`add_wide`](Self::add_wide) can write results to their place, without
    /// [`finish_wide`](Self::finish_wide).
    fn is_done_in_vectors(&self) -> bool {
        true
    }

    /// [`finish`](Self::finish) for the sums of [`add_wide`](Self::add_wide), where they differ.
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

/// Sums so far of the 64 columns of a panel, in rows that are `stride` apart.
pub(crate) struct Sums<'a, T, O> {
    pub(crate) sums: &'a mut [T],
    pub(crate) stride: usize,
    /// Whether these are the first sums, so that the memory is arbitrary.
    pub(crate) start: bool,
    /// Where results go, if these are the last sums and the sink has a place for them.
    pub(crate) place: Option<Place<O>>,
}

/// Rows whose sums are added up together, and the panels of their columns.
pub(crate) struct Block<'a, T> {
    pub(crate) first: usize,
    /// A power of 2.
    pub(crate) height: usize,
    pub(crate) panels: Range<usize>,
    /// Sums from one row to the next: the columns of the panels and `APART` more.
    pub(crate) stride: usize,
    /// Panels whose sums go to the sink together, at most.
    pub(crate) run: usize,
    /// Queues the memory that the results of a panel will be combined with.
    pub(crate) ahead: &'a dyn Fn(usize, &mut Ahead),
    /// The place of a panel's results, if the sink has one.
    pub(crate) place: &'a dyn Fn(usize) -> Option<Place<T>>,
}

impl<T> Block<'_, T> {
    /// The panels, from `panel` on, of one run: in the last chunk of k those that go to the sink together,
    /// otherwise all.
    #[inline(always)]
    pub(crate) fn run(&self, panel: usize, last: bool) -> Range<usize> {
        panel..if last { self.panels.end.min(panel + self.run) } else { self.panels.end }
    }

    /// Queues prefetches while a panel is summed: in the last chunk of `k`, the state that its results will
    /// be combined with.
    #[inline(always)]
    pub(crate) fn look_ahead(&self, panel: usize, last: bool, ahead: &mut Ahead) {
        ahead.clear();
        if last {
            (self.ahead)(panel, ahead);
        }
    }
}
