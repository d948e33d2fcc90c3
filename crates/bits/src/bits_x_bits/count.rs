//! Bits x bits by counting ones, for instruction sets that count them in one instruction, and for those whose
//! look-ups are slow.
//!
//! The simple loop, for one row `a` and one column `b` of words:
//!
//! ```text
//! for w in 0..words { differences += count_ones(a[w] ^ b[w]) }
//! ```
//!
//! Four things are done differently:
//!
//! 1. The columns are packed in panels with cells of 32 bits ([`Panels`]): a vector holds a word of as many
//!    columns as it has words, so nothing is summed across lanes.
//! 2. A count is slow, so words are counted in pairs. A carry-save adder adds the bits of two differences to
//!    the bits of `ones`, and only its carries, worth two each, are counted:
//!
//!    ```text
//!    ones + (a0 ^ b0) + (a1 ^ b1) = sum + 2 carry    first = a0 ^ b0
//!                                                    sum = ones ^ (a0 ^ a1) ^ (b0 ^ b1)
//!                                                    carry = sum == ones ? first : ones
//!    ```
//!
//!    Each line on the right is one instruction of AVX-512, and only the second depends on the words before:
//!    five instructions, with the count and its addition, for 1024 multiplications.
//! 3. `a0 ^ a1` does not depend on the column, and `b0 ^ b1` not on the row. So left rows are prepared once,
//!    as *planes* ([`Rows`]): the words themselves and their pairwise XOR, or for ternaries the signs and the
//!    nonzeros.
//! 4. A tile of several rows shares the loads of the columns. With AVX-512 it is eight rows high and one
//!    vector wide, so that every word of the left rows is a memory operand of the one instruction that uses
//!    it. Elsewhere it is one row high and four vectors wide, for lack of registers.

#![allow(
    clippy::needless_range_loop,
    reason = "an index serves several arrays, and iterators may stay calls"
)]

use core::ops::Range;

use super::{count_rows::Rows, signs::Signs};
use crate::{
    panels::Panels,
    product::{Put, in_memory},
    simd::Simd,
};

/// Vectors of a panel for each cell, because a cell is a word and a panel has a row for each byte of a
/// vector.
const VECTORS: usize = 4;

/// Computes the sums of rows `rows` with the columns of `panels`.
#[inline(always)]
pub(crate) fn count_tile<S: Simd, K: Put<i32>>(
    s: S,
    left: Signs,
    right: &Panels,
    rows: Range<usize>,
    panels: Range<usize>,
    sink: &K,
) {
    count_rows(s, Rows::of(&left, rows, height::<S>), right, panels, sink);
}

/// Computes the sums of prepared rows with the columns of `panels`.
#[inline(always)]
pub(crate) fn count_rows<S: Simd, K: Put<i32>>(
    s: S,
    rows: Rows,
    right: &Panels,
    panels: Range<usize>,
    sink: &K,
) {
    let tiles = Tiles { rows, right };
    for panel in panels {
        if tiles.rows.ternary() {
            tiles.panel::<S, K, true>(s, panel, sink);
        } else {
            tiles.panel::<S, K, false>(s, panel, sink);
        }
    }
}

/// Height of the next tile if `rest` rows are left.
#[inline(always)]
pub(crate) fn height<S: Simd>(rest: usize) -> usize {
    match rest {
        8.. if S::LANES == 64 => 8,
        4.. if S::LANES == 64 => 4,
        _ => 1,
    }
}

/// The rows and columns of a job.
struct Tiles<'a> {
    rows: Rows,
    right: &'a Panels,
}

impl Tiles<'_> {
    #[inline(always)]
    fn panel<S: Simd, K: Put<i32>, const TERNARY: bool>(&self, s: S, panel: usize, sink: &K) {
        let mut row = self.rows.range().start;
        while row < self.rows.range().end {
            let height = height::<S>(self.rows.range().end - row);
            match height {
                8 => self.tile::<S, K, 8, 1, TERNARY>(s, row, panel, sink),
                4 => self.tile::<S, K, 4, 1, TERNARY>(s, row, panel, sink),
                _ => self.tile::<S, K, 1, VECTORS, TERNARY>(s, row, panel, sink),
            }
            row += height;
        }
    }

    /// Computes rows `row..row + R`, `A` vectors at once.
    #[inline(always)]
    fn tile<S: Simd, K: Put<i32>, const R: usize, const A: usize, const TERNARY: bool>(
        &self,
        s: S,
        row: usize,
        panel: usize,
        sink: &K,
    ) {
        let (rows, columns) = (self.rows.tile(row, R), self.right.panel(panel));
        let nonzeros = self.rows.nonzeros(row, R);
        for vector in (0..VECTORS).step_by(A) {
            let col = panel * S::LANES + vector * S::LANES / 4;
            let width = (A * S::LANES / 4).min(self.right.n().saturating_sub(col));
            if width == 0 {
                break;
            }
            let mut sums = differences::<S, R, A, TERNARY>(s, rows, columns, vector);
            for (sums, nonzeros) in sums.iter_mut().zip(nonzeros) {
                for sum in sums {
                    *sum = s.sub32(s.splat32(*nonzeros as u32), s.add32(*sum, *sum));
                }
            }
            if width == A * S::LANES / 4 {
                sink.put_tile(s, row, col, &sums);
            } else {
                for r in 0..R {
                    sink.put(row + r, col, &in_memory(s, &sums[r])[..width]);
                }
            }
        }
    }
}

/// The number of differences between each row and each column of the vectors from `vector` on: (R, A)
/// vectors.
///
/// rows: (words, R, planes), panel: (words, 2, VECTORS) vectors.
#[inline(always)]
fn differences<S: Simd, const R: usize, const A: usize, const TERNARY: bool>(
    s: S,
    rows: &[u64],
    panel: &[u8],
    vector: usize,
) -> [[S::V; A]; R] {
    let per_word = R * (1 + usize::from(TERNARY));
    let words = rows.len() / per_word;
    assert!(panel.len() == words * 2 * VECTORS * S::LANES && vector + A <= VECTORS);
    let zero = s.splat32(0);
    let mut totals = Totals { ones: [[zero; A]; R], twos: [[zero; A]; R] };
    for (w, rows) in rows.chunks_exact(per_word).enumerate() {
        let mut columns = [[zero; 2]; A];
        for j in 0..A {
            for half in 0..2 {
                let at = ((2 * w + half) * VECTORS + vector + j) * S::LANES;
                // SAFETY: every w is below `words`, and the panel is as long as asserted.
                columns[j][half] = unsafe { s.load(panel.as_ptr().add(at)) };
            }
        }
        totals.add::<S, TERNARY>(s, rows, columns);
    }
    totals.sums(s)
}

/// Differences so far, in each word of (R, A) vectors: twice `twos`, plus the number of ones in `ones`.
struct Totals<V, const R: usize, const A: usize> {
    ones: [[V; A]; R],
    twos: [[V; A]; R],
}

impl<V: Copy, const R: usize, const A: usize> Totals<V, R, A> {
    /// Adds the differences between a cell of each row and both halves of the columns' words.
    #[inline(always)]
    fn add<S: Simd<V = V>, const TERNARY: bool>(&mut self, s: S, rows: &[u64], columns: [[V; 2]; A]) {
        for j in 0..A {
            let (mut ones, mut twos) = (self.ones.map(|ones| ones[j]), self.twos.map(|twos| twos[j]));
            let [low, high] = columns[j];
            if TERNARY {
                let rows = rows.as_chunks().0.first_chunk().expect("a word of all planes for each row");
                s.count_ternary_differences(&mut ones, &mut twos, rows, [low, high]);
            } else {
                let rows = rows.first_chunk().expect("a word for each row");
                s.count_differences(&mut ones, &mut twos, rows, [low, s.xor(low, high)]);
            }
            for r in 0..R {
                (self.ones[r][j], self.twos[r][j]) = (ones[r], twos[r]);
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
    use crate::machine::Engine;
    use crate::machine::Isa;
    use crate::product::Store;
    use crate::simd::Portable;
    use crate::tensor::Ternary;
    use crate::tensor::random_bits;

    /// Tiles that only an instruction set with many registers uses, on every machine.
    #[test]
    fn tall_tiles_find_what_flat_ones_do() {
        let engine = Engine::single().with_isa(Isa::PORTABLE);
        for k in [1, 33, 64, 97, 200] {
            let (bits, nonzero) = (random_bits(1, 0, 8, k), random_bits(2, 0, 8, k));
            let sign = bits.and(nonzero.view()).expect("equal shapes");
            let ternary = Ternary::new(sign, nonzero).expect("no zero has a sign");
            let right = Panels::of_rows(&engine, random_bits(3, 0, 13, k).view());
            for left in [Signs::bits(bits.view()), Signs::ternary(&ternary)] {
                let tiles = |height: usize| {
                    let mut sums = [0; 8 * 13];
                    let (rows, store) = (Rows::of(&left, 0..8, |_| height), Store::new(13, &mut sums));
                    let tiles = Tiles { rows, right: &right };
                    for row in (0..8).step_by(height) {
                        match (height, left.nonzero) {
                            (8, None) => tiles.tile::<_, _, 8, 1, false>(Portable, row, 0, &store),
                            (8, Some(_)) => tiles.tile::<_, _, 8, 1, true>(Portable, row, 0, &store),
                            (4, None) => tiles.tile::<_, _, 4, 1, false>(Portable, row, 0, &store),
                            (4, Some(_)) => tiles.tile::<_, _, 4, 1, true>(Portable, row, 0, &store),
                            (_, None) => tiles.tile::<_, _, 1, 4, false>(Portable, row, 0, &store),
                            (_, Some(_)) => tiles.tile::<_, _, 1, 4, true>(Portable, row, 0, &store),
                        }
                    }
                    sums
                };
                assert_eq!(tiles(8), tiles(1), "{k}");
                assert_eq!(tiles(4), tiles(1), "{k}");
                assert_ne!(tiles(1), [0; 8 * 13], "{k}");
            }
        }
    }
}
