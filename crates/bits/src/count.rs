//! Bits x bits by counting ones, for instruction sets that do so in one instruction, and for those that have no
//! table look-up either.
//!
//! A word of a left row is compared with as many columns as a vector has words. Pairs of words go through a
//! carry-save adder, `ones + a + b = sum + 2 carry`, so that there is one count for two words. A tile of four
//! rows and two vectors of columns uses every load eight times, and there is no sum across lanes.

use core::ops::Range;

use crate::{
    isa::simd,
    panels::Panels,
    product::{Left, Sink},
    simd::Simd,
};

/// Rows and vectors of a register tile.
const ROWS: usize = 4;
const ACROSS: usize = 2;

simd! {
    /// Rows `rows` of the product, columns of `panels`.
    pub(crate) fn count_tile<S, K: Sink>(
        s: S, left: Left, right: &Panels, rows: Range<usize>, panels: Range<usize>, sink: &K,
    ) {
        for panel in panels {
            let words = right.panel(panel);
            let col = panel * S::LANES;
            let width = S::LANES.min(right.n() - col);
            let mut row = rows.start;
            while row < rows.end {
                let height = ROWS.min(rows.end - row);
                let mut sums = [[0; 64]; ROWS];
                match (height, left.nonzero) {
                    (ROWS, None) => count::<S, ROWS, false>(s, &left, row, words, &mut sums),
                    (ROWS, Some(_)) => count::<S, ROWS, true>(s, &left, row, words, &mut sums),
                    (_, None) => {
                        for r in 0..height {
                            count::<S, 1, false>(s, &left, row + r, words, &mut sums[r..]);
                        }
                    }
                    (_, Some(_)) => {
                        for r in 0..height {
                            count::<S, 1, true>(s, &left, row + r, words, &mut sums[r..]);
                        }
                    }
                }
                for (r, sums) in sums[..height].iter_mut().enumerate() {
                    let nonzeros = left.nonzeros(row + r);
                    sums.iter_mut().for_each(|sum| *sum = nonzeros - 2 * *sum);
                    sink.put(row + r, col, &sums[..width]);
                }
                row += height;
            }
        }
    }
}

/// sums: (R, lanes) differences of rows `row..row + R` from a panel: (k / 32, lanes) words.
#[inline(always)]
fn count<S: Simd, const R: usize, const TERNARY: bool>(
    s: S,
    left: &Left,
    row: usize,
    panel: &[u8],
    sums: &mut [[i32; 64]],
) {
    let sign: [&[u64]; R] = core::array::from_fn(|r| left.sign.into_row(row + r));
    let nonzero: [&[u64]; R] =
        core::array::from_fn(|r| left.nonzero.map_or(sign[r], |nonzero| nonzero.into_row(row + r)));
    let depth = sign[0].len();
    // a panel's row is padded to a multiple of 3 words, but may be shorter than the last word of 64 bits
    let words = panel.len() / (4 * S::LANES);
    let load = |word: usize, vector: usize| {
        if word < words {
            // SAFETY: the panel has 4 vectors for each word.
            unsafe { s.load(panel.as_ptr().add((word * 4 + vector) * S::LANES)) }
        } else {
            s.splat32(0)
        }
    };
    for vectors in (0..4).step_by(ACROSS) {
        let mut ones = [[s.splat32(0); ACROSS]; R];
        let mut twos = ones;
        for w in 0..depth {
            let b: [[S::V; ACROSS]; 2] =
                core::array::from_fn(|half| core::array::from_fn(|j| load(2 * w + half, vectors + j)));
            for r in 0..R {
                let halves = |word: u64| [s.splat32(word as u32), s.splat32((word >> 32) as u32)];
                let a = halves(sign[r][w]);
                let exists = halves(nonzero[r][w]);
                for j in 0..ACROSS {
                    let [x, y] = core::array::from_fn(|half| {
                        let differs = s.xor(a[half], b[half][j]);
                        if TERNARY { s.and(differs, exists[half]) } else { differs }
                    });
                    let half = s.xor(ones[r][j], x);
                    let carry = s.or(s.and(ones[r][j], x), s.and(half, y));
                    ones[r][j] = s.xor(half, y);
                    twos[r][j] = s.add32(twos[r][j], s.ones32(carry));
                }
            }
        }
        for r in 0..R {
            for j in 0..ACROSS {
                let sum = s.add32(s.add32(twos[r][j], twos[r][j]), s.ones32(ones[r][j]));
                let mut bytes = [0; 64];
                // SAFETY: a vector has at most 64 bytes.
                unsafe { s.store(bytes.as_mut_ptr(), sum) };
                let lanes = sums[r][(vectors + j) * S::LANES / 4..].iter_mut();
                for (sum, bytes) in lanes.zip(bytes[..S::LANES].as_chunks().0) {
                    *sum = i32::from_le_bytes(*bytes);
                }
            }
        }
    }
}
