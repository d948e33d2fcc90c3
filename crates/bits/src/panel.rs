//! Counting ones in many rows at once, without a horizontal sum.
//!
//! The rows of a right operand (n, k) lie side by side in panels of 8: (w, 8) words. Word w of a left row is
//! compared with all 8, so that each vector lane counts for an output of its own.

use alloc::{vec, vec::Vec};

use crate::{tensor::BitView, transpose::transpose_block};

/// Rows side by side: the words of the longest vector.
pub(crate) const LANES: usize = 8;

/// A count for each of 64 rows, panel by panel.
pub(crate) type Counts = [[u32; LANES]; 64 / LANES];

/// Scratch for 64 rows of a right operand.
pub(crate) struct Panels {
    words: Vec<[u64; LANES]>,
    /// Words in a row.
    depth: usize,
}

impl Panels {
    /// Room for 64 rows of `depth` > 0 words.
    #[inline(always)]
    pub(crate) fn new(depth: usize) -> Self {
        Self { words: vec![[0; LANES]; 64 / LANES * depth], depth }
    }

    /// Lays rows `first..first + 64` of `bits`: (n, k) side by side, as far as they exist.
    #[inline(always)]
    pub(crate) fn lay_rows(&mut self, bits: BitView, first: usize) {
        let panels = self.words.chunks_exact_mut(self.depth);
        for (panel, first) in panels.zip((first..bits.rows()).step_by(LANES)) {
            for (lane, row) in (first..bits.rows().min(first + LANES)).enumerate() {
                for (words, word) in panel.iter_mut().zip(bits.row(row)) {
                    words[lane] = *word;
                }
            }
        }
    }

    /// Lays the 64 columns of word `word` of `bits`: (k, n) side by side, as rows.
    #[inline(always)]
    pub(crate) fn lay_columns(&mut self, bits: BitView, word: usize) {
        let mut block = [0; 64];
        for w in 0..self.depth {
            block.fill(0);
            for (line, row) in block.iter_mut().zip(w * 64..bits.rows()) {
                *line = bits.row(row)[word];
            }
            transpose_block(&mut block);
            for (panel, lines) in self.words.chunks_exact_mut(self.depth).zip(block.as_chunks().0) {
                panel[w] = *lines;
            }
        }
    }

    /// The panels, each (depth, 8), that hold the first `rows` of the 64 rows.
    #[inline(always)]
    pub(crate) fn first(&self, rows: usize) -> impl Iterator<Item = &[[u64; LANES]]> {
        self.words.chunks_exact(self.depth).take(rows.div_ceil(LANES))
    }
}

/// The ones of `word(w)` over all w < `depth`, for each lane.
///
/// Pairs of words go through a carry-save adder, so that there is one popcount for two words:
/// `ones + a + b = sum + 2 carry`.
#[inline(always)]
pub(crate) fn count_lanes(depth: usize, word: impl Fn(usize) -> [u64; LANES]) -> [u32; LANES] {
    let odd = depth % 2;
    let mut ones = if odd == 1 { word(0) } else { [0; LANES] };
    let mut twos = [0u64; LANES];
    for w in (odd..depth).step_by(2) {
        let (a, b) = (word(w), word(w + 1));
        for lane in 0..LANES {
            let half = ones[lane] ^ a[lane];
            let carry = (ones[lane] & a[lane]) | (half & b[lane]);
            ones[lane] = half ^ b[lane];
            twos[lane] += u64::from(carry.count_ones());
        }
    }
    core::array::from_fn(|lane| 2 * twos[lane] as u32 + ones[lane].count_ones())
}
