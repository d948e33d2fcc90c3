//! Storing results, row after row.

use crate::{
    error::{Result, check_len},
    machine::SharedSlice,
    product::{Open, Place, Put},
    simd::Simd,
};

/// Memory for (m, n) results.
pub struct Store<'a, T> {
    n: usize,
    out: SharedSlice<'a, T>,
}

impl<'a, T> Store<'a, T> {
    /// out: (m, n)
    pub(crate) fn new(n: usize, out: &'a mut [T]) -> Self {
        Self { n, out: SharedSlice::new(out) }
    }

    /// The memory of a run.
    ///
    /// # Safety
    /// The run lies within the output, and comes once.
    #[inline(always)]
    unsafe fn run(&self, row: usize, col: usize, len: usize) -> &'a mut [T] {
        let first = row * self.n + col;
        // SAFETY: the run lies within the output, and nobody else has it.
        unsafe { self.out.part(first..first + len) }
    }

    /// Every result at its place.
    fn place(&self, row: usize, col: usize) -> Place<T> {
        Place { first: self.out.at(row * self.n + col), stride: self.n }
    }
}

macro_rules! open {
    ($($Sum:ty => $T:ty),*) => {$(
        impl<'a> Open<$Sum> for &'a mut [$T] {
            type Opened = Store<'a, $T>;

            fn rows(&self, n: usize) -> Option<usize> {
                self.len().checked_div(n)
            }

            fn open(self, op: &'static str, (m, n): (usize, usize)) -> Result<Store<'a, $T>> {
                check_len(op, "out", (m, n), self.len())?;
                Ok(Store::new(n, self))
            }
        }
    )*};
}
open!(i32 => i32, i32 => f32, f32 => f32);

impl Put<f32> for Store<'_, f32> {
    /// The memory takes them while the next ones are added up.
    const RUN: Option<usize> = Some(64);

    #[inline(always)]
    fn put(&self, row: usize, col: usize, run: &[f32]) {
        // SAFETY: the output has the rows and columns of the product, and every run comes once.
        unsafe { self.run(row, col, run.len()) }.copy_from_slice(run);
    }

    fn place(&self, row: usize, col: usize) -> Option<Place<f32>> {
        Some(self.place(row, col))
    }

    fn whole(&mut self) -> Option<&mut [f32]> {
        Some(self.out.whole())
    }
}

impl Put<i32> for Store<'_, i32> {
    /// The memory takes them while the next ones are added up.
    const RUN: Option<usize> = Some(64);

    #[inline(always)]
    fn put(&self, row: usize, col: usize, run: &[i32]) {
        // SAFETY: the output has the rows and columns of the product, and every run comes once.
        let out = unsafe { self.run(row, col, run.len()) };
        // a loop: a few sums are not worth a call to copy
        out.iter_mut().zip(run).for_each(|(out, sum)| *out = *sum);
    }

    #[inline(always)]
    fn put_tile<S: Simd, const R: usize, const A: usize>(
        &self,
        s: S,
        row: usize,
        col: usize,
        sums: &[[S::V; A]; R],
    ) {
        let lanes = S::LANES / 4;
        for (row, sums) in (row..).zip(sums) {
            // SAFETY: the output has the rows and columns of the product, and every run comes once.
            let out = unsafe { self.run(row, col, A * lanes) };
            for (out, sums) in out.chunks_exact_mut(lanes).zip(sums) {
                // SAFETY: `LANES / 4` sums have the `LANES` bytes of a vector.
                unsafe { s.store(out.as_mut_ptr().cast(), *sums) };
                out.iter_mut().for_each(|sum| *sum = i32::from_le(*sum));
            }
        }
    }

    fn place(&self, row: usize, col: usize) -> Option<Place<i32>> {
        Some(self.place(row, col))
    }

    fn whole(&mut self) -> Option<&mut [i32]> {
        Some(self.out.whole())
    }
}

/// Sums as f32, which has all integers up to `2^24`.
impl Put<i32> for Store<'_, f32> {
    #[inline(always)]
    fn put(&self, row: usize, col: usize, run: &[i32]) {
        // SAFETY: the output has the rows and columns of the product, and every run comes once.
        let out = unsafe { self.run(row, col, run.len()) };
        out.iter_mut().zip(run).for_each(|(out, sum)| *out = *sum as f32);
    }
}

/// Sums as bytes, which hold them if k is at most 127.
impl Put<i32> for Store<'_, i8> {
    #[inline(always)]
    fn put(&self, row: usize, col: usize, run: &[i32]) {
        // SAFETY: the output has the rows and columns of the product, and every run comes once.
        let out = unsafe { self.run(row, col, run.len()) };
        out.iter_mut().zip(run).for_each(|(out, sum)| *out = *sum as i8);
    }
}
