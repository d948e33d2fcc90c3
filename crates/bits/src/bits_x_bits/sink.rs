//! Where sums of bits go.

use crate::{
    machine::SharedSlice,
    simd::Simd,
    tensor::{BitView, compare_pairs},
};

/// Where sums go. Every column of every row comes once, a row's columns in runs.
pub(crate) trait Sink: Sync {
    /// Sums of row `row`, columns `col..col + sums.len()`. A run never crosses a multiple of 64.
    fn put(&self, row: usize, col: usize, sums: &[i32]);

    /// Such a run of each of the rows from `row` on, in vectors of 32-bit sums.
    #[inline(always)]
    fn put_tile<S: Simd, const R: usize, const A: usize>(
        &self,
        s: S,
        row: usize,
        col: usize,
        sums: &[[S::V; A]; R],
    ) {
        put_rows(self, s, row, col, sums);
    }
}

/// Puts a tile row by row.
#[inline(always)]
pub(crate) fn put_rows<S: Simd, K: Sink + ?Sized, const R: usize, const A: usize>(
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

/// The sums of at most 64 columns.
#[inline(always)]
pub(crate) fn in_memory<S: Simd>(s: S, vectors: &[S::V]) -> [i32; 64] {
    let mut sums = [0i32; 64];
    for (to, vector) in sums.chunks_exact_mut(S::LANES / 4).zip(vectors) {
        // SAFETY: so many sums have as many bytes as a vector.
        unsafe { s.store(to.as_mut_ptr().cast(), *vector) };
    }
    sums.map(i32::from_le)
}

/// Stores sums: (m, n).
pub(crate) struct Store<'a> {
    n: usize,
    out: SharedSlice<'a, i32>,
}

impl<'a> Store<'a> {
    pub(crate) fn new(n: usize, out: &'a mut [i32]) -> Self {
        Self { n, out: SharedSlice::new(out) }
    }
}

impl Sink for Store<'_> {
    #[inline(always)]
    fn put(&self, row: usize, col: usize, sums: &[i32]) {
        let first = row * self.n + col;
        // SAFETY: the output has as many rows and columns as the product, and every run comes once.
        let out = unsafe { self.out.part(first..first + sums.len()) };
        // a loop, for so few are not worth a call to copy
        out.iter_mut().zip(sums).for_each(|(out, sum)| *out = *sum);
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
            let first = row * self.n + col;
            // SAFETY: as above.
            let out = unsafe { self.out.part(first..first + A * lanes) };
            for (out, sums) in out.chunks_exact_mut(lanes).zip(sums) {
                // SAFETY: so many sums have as many bytes as a vector.
                unsafe { s.store(out.as_mut_ptr().cast(), *sums) };
                out.iter_mut().for_each(|sum| *sum = i32::from_le(*sum));
            }
        }
    }
}

/// Stores sums as f32: (m, n).
pub(crate) struct StoreReal<'a> {
    n: usize,
    out: SharedSlice<'a, f32>,
}

impl<'a> StoreReal<'a> {
    pub(crate) fn new(n: usize, out: &'a mut [f32]) -> Self {
        Self { n, out: SharedSlice::new(out) }
    }
}

impl Sink for StoreReal<'_> {
    #[inline(always)]
    fn put(&self, row: usize, col: usize, sums: &[i32]) {
        let first = row * self.n + col;
        // SAFETY: the output has as many rows and columns as the product, and every run comes once.
        let out = unsafe { self.out.part(first..first + sums.len()) };
        out.iter_mut().zip(sums).for_each(|(out, sum)| *out = *sum as f32);
    }
}

/// Compares sums with one threshold a column and stores bits: `[sum >= t]`, or `[sum <= t]` where `descending` is 1.
pub(crate) struct Compare<'a> {
    thresholds: &'a [i32],
    descending: &'a [u64],
    /// Words of a row.
    stride: usize,
    /// (m, stride), zeros at first.
    words: SharedSlice<'a, u64>,
}

impl<'a> Compare<'a> {
    /// thresholds: (n), descending: (1, n) bits, words: (m, ceil(n / 64)) zeros.
    pub(crate) fn new(thresholds: &'a [i32], descending: BitView<'a>, words: &'a mut [u64]) -> Self {
        let stride = descending.words_per_row();
        let descending: &'a [u64] = descending.into_words();
        Self { thresholds, descending, stride, words: SharedSlice::new(words) }
    }
}

impl Compare<'_> {
    /// Puts bits into the word of column `col`.
    #[inline(always)]
    fn put_bits(&self, row: usize, col: usize, bits: u64) {
        let at = row * self.stride + col / 64;
        // SAFETY: the words have as many rows and columns as the product; the runs of a word, one after the other,
        // come from one job, because jobs begin at multiples of 64 columns.
        let word = unsafe { self.words.part(at..at + 1) };
        word[0] |= bits << (col % 64);
    }
}

impl Sink for Compare<'_> {
    #[inline(always)]
    fn put(&self, row: usize, col: usize, sums: &[i32]) {
        let thresholds = &self.thresholds[col..][..sums.len()];
        let turned = self.descending[col / 64] >> (col % 64);
        let exists = !0 >> (64 - sums.len());
        // most networks have one direction: do not compare twice for nothing
        let up = if turned & exists == exists { 0 } else { compare_pairs(sums, thresholds, |s, t| s >= t) };
        let down = if turned & exists == 0 { 0 } else { compare_pairs(sums, thresholds, |s, t| s <= t) };
        self.put_bits(row, col, (up & !turned) | (down & turned));
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
        if lanes < 16 {
            // it has no comparison that makes bits
            return put_rows(self, s, row, col, sums);
        }
        for j in 0..A {
            let col = col + j * lanes;
            let thresholds = &self.thresholds[col..][..lanes];
            // SAFETY: so many thresholds have as many bytes as a vector.
            let thresholds = unsafe { s.load(thresholds.as_ptr().cast()) };
            let exists = !0 >> (64 - lanes);
            let turned = self.descending[col / 64] >> (col % 64) & exists;
            let mut bits = [0; R];
            if turned == 0 {
                for r in 0..R {
                    bits[r] = s.at_least32(sums[r][j], thresholds);
                }
            } else {
                for r in 0..R {
                    let (up, down) =
                        (s.at_least32(sums[r][j], thresholds), s.at_least32(thresholds, sums[r][j]));
                    bits[r] = (up & !turned) | (down & turned);
                }
            }
            for r in 0..R {
                self.put_bits(row + r, col, bits[r]);
            }
        }
    }
}
