//! How kernels hand over results while these are in registers or in the cache.

use core::ops::Range;

use crate::{machine::Ahead, simd::Simd};

/// A sink opened for results of one shape, (m, n), of type `T`: sums (`i32`, `i8`) or reals.
///
/// Every column of every row comes exactly once, in runs: stretches of columns of one row. A run begins at a
/// multiple of 64 columns, or does not cross one. Threads share the results at multiples of 64 columns.
pub trait Put<T>: Sync {
    /// Preferred length of a run in columns; `None` means as long as possible.
    const RUN: Option<usize> = None;

    /// Whether no run may cross a multiple of 64 columns.
    const IN_WORDS: bool = false;

    /// Notes the memory that some columns of row `row` will be combined with, which nobody uses until then.
    fn ahead(&self, row: usize, cols: Range<usize>, ahead: &mut Ahead) {
        let _ = (row, cols, ahead);
    }

    /// Takes the columns `col..col + run.len()` of row `row`.
    fn put(&self, row: usize, col: usize, run: &[T]);

    /// Takes such a run of each of the `R` rows from `row` on, in vectors of 32-bit sums.
    #[inline(always)]
    fn put_tile<S: Simd, const R: usize, const A: usize>(
        &self,
        s: S,
        row: usize,
        col: usize,
        sums: &[[S::V; A]; R],
    ) where
        Self: Put<i32>,
    {
        put_rows(self, s, row, col, sums);
    }

    /// Where the result in column `col` of row `row` belongs, if kernels may write there instead of calling
    /// [`put`](Self::put).
    fn place(&self, row: usize, col: usize) -> Option<Place<T>> {
        let _ = (row, col);
        None
    }

    /// The memory for all results, row after row, if the sink only stores them.
    fn whole(&mut self) -> Option<&mut [T]> {
        None
    }
}

/// Exclusive output memory for one panel: 64 results in each of several rows.
#[derive(Clone, Copy)]
pub struct Place<T> {
    pub(crate) first: *mut T,
    /// Elements from one row to the next.
    pub(crate) stride: usize,
}

/// Puts a tile row by row.
#[inline(always)]
pub(crate) fn put_rows<S: Simd, K: Put<i32> + ?Sized, const R: usize, const A: usize>(
    sink: &K,
    s: S,
    row: usize,
    col: usize,
    sums: &[[S::V; A]; R],
) {
    for (row, sums) in (row..).zip(sums) {
        sink.put(row, col, &in_memory(s, sums)[..A * S::LANES / 4]);
    }
}

/// The 32-bit sums of some vectors, at most 64 of them.
#[inline(always)]
pub(crate) fn in_memory<S: Simd>(s: S, vectors: &[S::V]) -> [i32; 64] {
    let mut sums = [0i32; 64];
    for (to, vector) in sums.chunks_exact_mut(S::LANES / 4).zip(vectors) {
        // SAFETY: `LANES / 4` sums have the `LANES` bytes of a vector.
        unsafe { s.store(to.as_mut_ptr().cast(), *vector) };
    }
    sums.map(i32::from_le)
}
