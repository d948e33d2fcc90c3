//! Bits x bits by counting ones, for instruction sets that do so in one instruction, and for those whose look-ups
//! are slow.
//!
//! A word of 32 bits of a left row is compared with as many columns as a vector has words. Words go through a
//! carry-save adder in pairs, so that there is one count for two:
//!
//! ```text
//! ones + (a0 ^ b0) + (a1 ^ b1) = sum + 2 carry    half = ones ^ a0 ^ b0
//!                                                 sum = half ^ a1 ^ b1
//!                                                 carry = half ? !sum : ones
//! ```
//!
//! Each line on the right is one instruction of AVX-512: five, with the count and its addition, for 1024
//! multiplications. There, a tile is eight rows high and one vector wide, so that every word of the left rows is
//! loaded for one use and its register may be overwritten; elsewhere it is one row high and four vectors wide, for
//! want of registers. There is no sum across lanes.

#![allow(
    clippy::needless_range_loop,
    reason = "an index serves several arrays, and iterators may stay calls"
)]

use core::ops::Range;

use crate::{
    panels::Panels,
    product::{Left, Sink},
    simd::Simd,
};

/// Rows of a tall tile.
const ROWS: usize = 8;

/// The same where each row comes with its nonzeros, for there are twice as many addresses to keep.
const TERNARY_ROWS: usize = 4;

/// Vectors of a panel, because a cell is a word.
const VECTORS: usize = 4;

/// Rows `rows` of the product, columns of `panels`.
#[inline(always)]
pub(crate) fn count_tile<S: Simd, K: Sink>(
    s: S,
    left: Left,
    right: &Panels,
    rows: Range<usize>,
    panels: Range<usize>,
    sink: &K,
) {
    for panel in panels {
        let strip = Strip { left: &left, right, panel };
        match left.nonzero {
            None => strip.tiles::<S, K, ROWS, false>(s, &rows, sink),
            Some(_) => strip.tiles::<S, K, TERNARY_ROWS, true>(s, &rows, sink),
        }
    }
}

/// The columns of a panel.
struct Strip<'a> {
    left: &'a Left<'a>,
    right: &'a Panels,
    panel: usize,
}

impl Strip<'_> {
    #[inline(always)]
    fn tiles<S: Simd, K: Sink, const R: usize, const TERNARY: bool>(
        &self,
        s: S,
        rows: &Range<usize>,
        sink: &K,
    ) {
        let mut row = rows.start;
        while S::LANES == 64 && row + R <= rows.end {
            self.tile::<S, K, R, 1, TERNARY>(s, row, sink);
            row += R;
        }
        while row < rows.end {
            self.tile::<S, K, 1, VECTORS, TERNARY>(s, row, sink);
            row += 1;
        }
    }

    /// Rows `row..row + R`, `A` vectors at once.
    #[inline(always)]
    fn tile<S: Simd, K: Sink, const R: usize, const A: usize, const TERNARY: bool>(
        &self,
        s: S,
        row: usize,
        sink: &K,
    ) {
        let mut sums = [[0i32; 64]; R];
        for vector in (0..VECTORS).step_by(A) {
            let differences = self.differences::<S, R, A, TERNARY>(s, row, vector);
            for r in 0..R {
                for j in 0..A {
                    let to = sums[r][(vector + j) * S::LANES / 4..].as_mut_ptr().cast();
                    // SAFETY: a row has 64 sums, and four vectors have at most as many words.
                    unsafe { s.store(to, differences[r][j]) };
                }
            }
        }
        let col = self.panel * S::LANES;
        let width = S::LANES.min(self.right.n() - col);
        for r in 0..R {
            let nonzeros = self.left.nonzeros(row + r);
            let sums = &mut sums[r][..width];
            for sum in &mut *sums {
                *sum = nonzeros - 2 * i32::from_le(*sum);
            }
            sink.put(row + r, col, sums);
        }
    }

    /// In how many places each row differs from each column of the vectors from `vector` on: (R, A) vectors.
    #[inline(always)]
    fn differences<S: Simd, const R: usize, const A: usize, const TERNARY: bool>(
        &self,
        s: S,
        row: usize,
        vector: usize,
    ) -> [[S::V; A]; R] {
        // panel: (words, 2, VECTORS) vectors
        let (panel, words) = (self.right.panel(self.panel), self.left.sign.words_per_row());
        assert!(panel.len() == words * 2 * VECTORS * S::LANES && vector + A <= VECTORS);
        let mut rows = Rows { sign: [&[][..]; R], nonzero: [&[][..]; R] };
        for r in 0..R {
            rows.sign[r] = &self.left.sign.into_row(row + r)[..words];
            rows.nonzero[r] = match self.left.nonzero {
                Some(nonzero) => &nonzero.into_row(row + r)[..words],
                None => rows.sign[r],
            };
        }
        let zero = s.splat32(0);
        let mut totals = Totals { ones: [[zero; A]; R], twos: [[zero; A]; R] };
        let load = |w: usize| {
            let mut b = [[zero; 2]; A];
            for j in 0..A {
                for half in 0..2 {
                    let at = ((2 * w + half) * VECTORS + vector + j) * S::LANES;
                    // SAFETY: every w is below `words`, and the panel is as long as asserted.
                    b[j][half] = unsafe { s.load(panel.as_ptr().add(at)) };
                }
            }
            b
        };
        // two at once, so that no register has to be copied to where the next turn expects it
        for w in (0..words / 2 * 2).step_by(2) {
            totals.add::<S, TERNARY>(s, &rows, w, load(w));
            totals.add::<S, TERNARY>(s, &rows, w + 1, load(w + 1));
        }
        if words % 2 == 1 {
            totals.add::<S, TERNARY>(s, &rows, words - 1, load(words - 1));
        }
        totals.sums(s)
    }
}

/// The left rows of a tile, in words.
struct Rows<'a, const R: usize> {
    sign: [&'a [u64]; R],
    nonzero: [&'a [u64]; R],
}

/// Differences in each word of (R, A) vectors: twice `twos`, and the ones among the bits of `ones`.
struct Totals<V, const R: usize, const A: usize> {
    ones: [[V; A]; R],
    twos: [[V; A]; R],
}

impl<V: Copy, const R: usize, const A: usize> Totals<V, R, A> {
    /// Adds those between word `w` of each row and both halves of the columns' words.
    #[inline(always)]
    fn add<S: Simd<V = V>, const TERNARY: bool>(&mut self, s: S, rows: &Rows<R>, w: usize, b: [[V; 2]; A]) {
        for r in 0..R {
            let a = s.halves(&rows.sign[r][w]);
            let exists = s.halves(&rows.nonzero[r][w]);
            for j in 0..A {
                let ones = &mut self.ones[r][j];
                let carry;
                (*ones, carry) = if TERNARY {
                    let low = s.and(s.xor(a[0], b[j][0]), exists[0]);
                    let high = s.and(s.xor(a[1], b[j][1]), exists[1]);
                    s.add_bits(*ones, low, high)
                } else {
                    s.add_differences(*ones, a, b[j])
                };
                self.twos[r][j] = s.add32(self.twos[r][j], s.ones32(carry));
            }
        }
    }

    #[inline(always)]
    fn sums<S: Simd<V = V>>(self, s: S) -> [[V; A]; R] {
        let mut sums = self.ones;
        for r in 0..R {
            for j in 0..A {
                let twos = self.twos[r][j];
                sums[r][j] = s.add32(s.add32(twos, twos), s.ones32(sums[r][j]));
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Engine, Isa, Ternary, product::Store, random_bits, simd::Portable};

    /// Tiles that only an instruction set with many registers uses, on every machine.
    #[test]
    fn tall_tiles_find_what_flat_ones_do() {
        let engine = Engine::single().with_isa(Isa::PORTABLE);
        for k in [1, 33, 64, 97, 200] {
            let (bits, nonzero) = (random_bits(1, 0, 8, k), random_bits(2, 0, 8, k));
            let sign = bits.and(nonzero.view()).expect("equal shapes");
            let ternary = Ternary::new(sign, nonzero).expect("no zero has a sign");
            let right = Panels::of_rows(&engine, random_bits(3, 0, 13, k).view());
            for left in [Left::bits(bits.view()), Left::ternary(&ternary)] {
                let (mut tall, mut flat) = ([0; 8 * 13], [0; 8 * 13]);
                let (to_tall, to_flat) = (Store::new(13, &mut tall), Store::new(13, &mut flat));
                let strip = Strip { left: &left, right: &right, panel: 0 };
                if left.nonzero.is_none() {
                    strip.tile::<_, _, 8, 1, false>(Portable, 0, &to_tall);
                    strip.tiles::<_, _, 8, false>(Portable, &(0..8), &to_flat);
                } else {
                    strip.tile::<_, _, 8, 1, true>(Portable, 0, &to_tall);
                    strip.tiles::<_, _, 8, true>(Portable, &(0..8), &to_flat);
                }
                assert_eq!(tall, flat, "{k}");
                assert_ne!(flat, [0; 8 * 13], "{k}");
            }
        }
    }
}
