//! Left operands of bytes, without and with a scale for each row.

use super::{byte::Byte, digits, halves};
use crate::{
    error::{Error, Result, check_len, check_shape},
    machine::{Ahead, Engine},
    numbers_x_bits::{Numbers, Sums},
    panels::Panels,
    simd::{Simd, Wide},
};

/// A left operand of (m, k) bytes.
pub(crate) struct Bytes<'a, T> {
    pub(super) m: usize,
    k: usize,
    values: &'a [T],
    /// Multiples of S in a sum: two, or one for each half of a ternary.
    times: i32,
}

impl<'a, T: Byte> Bytes<'a, T> {
    pub(crate) fn of(
        op: &'static str,
        engine: &Engine,
        (m, k): (usize, usize),
        values: &'a [T],
        b: &[&Panels],
    ) -> Result<Self> {
        for b in b {
            b.check_reals(op, engine)?;
            check_shape(op, "a", (m, b.k()), (m, k))?;
        }
        check_len(op, "a", (m, k), values.len())?;
        if k > (i32::MAX / 512) as usize {
            return Err(Error::TooLarge { op, rows: m, cols: k });
        }
        Ok(Self { m, k, values, times: if b.len() == 1 { 2 } else { 1 } })
    }

    #[inline(always)]
    fn row(&self, row: usize) -> &[T] {
        &self.values[row * self.k..][..self.k]
    }

    /// The sum from the total over the right operands: the same for one, half for the two halves of a
    /// ternary.
    #[inline(always)]
    fn mean(&self, sum: i32) -> i32 {
        if self.times == 2 { sum } else { sum / 2 }
    }

    /// The excess of `2 S` over the sum, including biases; for a ternary, that of the S of both halves.
    #[inline(always)]
    fn excess(&self, row: usize) -> i32 {
        let mut excess = 4 * i32::from(T::BIAS) * self.k.div_ceil(8) as i32;
        for value in self.row(row) {
            excess += i32::from(value.get());
        }
        excess
    }
}

impl<T: Byte> Numbers for Bytes<'_, T> {
    type Table = [u8; 64];
    type Sum = i32;
    type Out = i32;

    fn shape(&self) -> (usize, usize) {
        (self.m, self.k)
    }

    #[inline(always)]
    fn fill(&self, row: usize, at: usize, tables: &mut [[u8; 64]]) {
        digits::fill_all(&self.row(row)[8 * at..], tables);
    }

    #[inline(always)]
    fn add<S: Simd, const R: usize>(
        s: S,
        tables: &[[u8; 64]],
        panel: &[u8],
        start: bool,
        sums: &mut [i32],
        stride: usize,
    ) {
        digits::add::<S, R>(s, tables, panel, start, sums, stride);
    }

    #[inline(always)]
    fn finish<'s>(&self, row: usize, sums: &'s mut [i32], _: &'s mut [i32]) -> &'s [i32] {
        let excess = self.excess(row);
        for sum in &mut *sums {
            *sum = self.times * *sum - excess;
        }
        sums
    }

    type WideTable = [i16; 32];
    const WIDE_TABLES: usize = 4;
    const WIDE_WORDS: usize = T::WORDS;

    #[inline(always)]
    fn fill_wide<W: Wide>(&self, w: W, row: usize, word: usize, tables: &mut [[i16; 32]], stride: usize) {
        halves::fill(w, &self.row(row)[32 * word..], tables, stride);
    }

    #[inline(always)]
    fn add_wide<W: Wide, const R: usize>(
        &self,
        w: W,
        _: usize,
        tables: &[[i16; 32]],
        cells: &[u8],
        sums: Sums<i32, i32>,
        ahead: &mut Ahead,
    ) {
        halves::add::<_, _, R>(w, T::WORDS, tables, cells, sums, ahead, |_, sums| sums);
    }

    fn is_done_in_vectors(&self) -> bool {
        self.times == 2
    }

    #[inline(always)]
    fn finish_wide<'s>(&self, _: usize, sums: &'s mut [i32], _: &'s mut [i32]) -> &'s [i32] {
        for sum in &mut *sums {
            *sum = self.mean(*sum);
        }
        sums
    }
}

/// A left operand of bytes with a scale for each row.
pub(crate) struct Scaled<'a> {
    pub(super) left: Bytes<'a, i8>,
    pub(super) scales: &'a [f32],
}

impl Numbers for Scaled<'_> {
    type Table = [u8; 64];
    type Sum = i32;
    type Out = f32;

    fn shape(&self) -> (usize, usize) {
        self.left.shape()
    }

    #[inline(always)]
    fn fill(&self, row: usize, at: usize, tables: &mut [[u8; 64]]) {
        self.left.fill(row, at, tables);
    }

    #[inline(always)]
    fn add<S: Simd, const R: usize>(
        s: S,
        tables: &[[u8; 64]],
        panel: &[u8],
        start: bool,
        sums: &mut [i32],
        stride: usize,
    ) {
        Bytes::<i8>::add::<S, R>(s, tables, panel, start, sums, stride);
    }

    #[inline(always)]
    fn finish<'s>(&self, row: usize, sums: &'s mut [i32], out: &'s mut [f32]) -> &'s [f32] {
        let (times, excess, scale) = (self.left.times, self.left.excess(row), self.scales[row]);
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = scale * (times * *sum - excess) as f32;
        }
        out
    }

    type WideTable = [i16; 32];
    const WIDE_TABLES: usize = Bytes::<i8>::WIDE_TABLES;
    const WIDE_WORDS: usize = Bytes::<i8>::WIDE_WORDS;

    #[inline(always)]
    fn fill_wide<W: Wide>(&self, w: W, row: usize, word: usize, tables: &mut [[i16; 32]], stride: usize) {
        self.left.fill_wide(w, row, word, tables, stride);
    }

    #[inline(always)]
    fn add_wide<W: Wide, const R: usize>(
        &self,
        w: W,
        row: usize,
        tables: &[[i16; 32]],
        cells: &[u8],
        sums: Sums<i32, f32>,
        ahead: &mut Ahead,
    ) {
        halves::add::<_, _, R>(w, i8::WORDS, tables, cells, sums, ahead, |r, sums| {
            w.scale32(sums, self.scales[row + r])
        });
    }

    fn is_done_in_vectors(&self) -> bool {
        self.left.is_done_in_vectors()
    }

    #[inline(always)]
    fn finish_wide<'s>(&self, row: usize, sums: &'s mut [i32], out: &'s mut [f32]) -> &'s [f32] {
        let scale = self.scales[row];
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = scale * self.left.mean(*sum) as f32;
        }
        out
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use std::vec;

    use super::*;
    use crate::{machine::meeting::Meeting, numbers_x_bits::multiply, product::Put, tensor::random_bits};

    impl Put<i32> for Meeting {
        fn put(&self, _: usize, _: usize, _: &[i32]) {
            self.wait();
        }
    }

    #[test]
    fn threads_share_a_single_row() {
        let engine = Engine::new(2).unwrap();
        let panels = Panels::of_rows_for_reals(&engine, random_bits(1, 0, 4096, 784).view());
        let x = vec![7u8; 784];
        let left = Bytes::of("test", &engine, (1, 784), &x, &[&panels]).unwrap();
        multiply(&engine, &left, &[&panels], &Meeting::of(2));
    }
}
