//! Sums that are compared with thresholds, and never stored.

use crate::{
    error::{Result, check_len, check_shape},
    machine::SharedSlice,
    product::{Open, Put, put_rows},
    simd::Simd,
    tensor::{BitTensor, BitView, compare_pairs},
};

/// Compares each sum with the threshold of its column, for the bits of a network's next layer:
/// `[sum_mn >= t_n]`, and `[sum_mn <= t_n]` where `descending_n` is 1.
#[derive(Debug)]
pub struct Threshold<'a> {
    /// (n)
    pub thresholds: &'a [i32],
    /// (1, n) bits
    pub descending: BitView<'a>,
    /// The result: (m, n) bits.
    pub bits: &'a mut BitTensor,
}

impl<'a> Open<i32> for Threshold<'a> {
    type Opened = Compare<'a>;

    fn rows(&self, _: usize) -> Option<usize> {
        Some(self.bits.rows())
    }

    fn open(self, op: &'static str, (m, n): (usize, usize)) -> Result<Compare<'a>> {
        check_len(op, "thresholds", (1, n), self.thresholds.len())?;
        check_shape(op, "descending", (1, n), self.descending.shape())?;
        check_shape(op, "bits", (m, n), self.bits.shape())?;
        let words = self.bits.words_mut();
        words.fill(0);
        let (stride, descending) = (self.descending.words_per_row(), self.descending.into_words());
        Ok(Compare { thresholds: self.thresholds, descending, stride, words: SharedSlice::new(words) })
    }
}

/// Opened [`Threshold`].
pub struct Compare<'a> {
    thresholds: &'a [i32],
    descending: &'a [u64],
    /// Words of a row.
    stride: usize,
    /// (m, stride), zeros at first.
    words: SharedSlice<'a, u64>,
}

impl Compare<'_> {
    /// Puts bits into the word of column `col`.
    #[inline(always)]
    fn put_bits(&self, row: usize, col: usize, bits: u64) {
        let at = row * self.stride + col / 64;
        // SAFETY: the words have the rows and columns of the product; the runs of a word, one after the
        // other, come from one job, because jobs begin at multiples of 64 columns.
        let word = unsafe { self.words.part(at..at + 1) };
        word[0] |= bits << (col % 64);
    }
}

impl Put<i32> for Compare<'_> {
    const RUN: Option<usize> = Some(64);
    const IN_WORDS: bool = true;

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
            // SAFETY: `LANES / 4` thresholds have the `LANES` bytes of a vector.
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
