//! The left rows of a job, prepared for counting ones.

use core::ops::Range;

use super::signs::Signs;
use crate::machine::{Scratch, scratch};

/// Rows, tile by tile in the order in which the kernel reads them: (words, height, planes) words.
///
/// Bits have one plane: the low half of a word and, above it, the XOR of both halves. Ternary values have
/// two: sign and nonzero.
pub(crate) struct Rows {
    range: Range<usize>,
    words: Scratch<u64>,
    /// Words of a row, of all planes.
    per_row: usize,
    ternary: bool,
    /// The number of values of each row that are not 0.
    nonzeros: Scratch<i32>,
}

impl Rows {
    /// Prepares the rows `range` of `left`. `height` gives the height of the next tile from the number of
    /// rows left.
    #[inline(always)]
    pub(crate) fn of(left: &Signs, range: Range<usize>, height: impl Fn(usize) -> usize) -> Self {
        let Some(nonzero) = left.nonzero else {
            let fill = |row, cells: &mut Cells| cells.extend(left.sign.row(row));
            return Self::of_bits(left.sign.cols(), range, height, fill);
        };
        let mut rows = Self::new(2 * left.sign.words_per_row(), true, range);
        for row in rows.range.clone() {
            rows.nonzeros[row - rows.range.start] = left.nonzeros(row);
        }
        rows.fill(height, |row, cells| {
            for (sign, nonzero) in left.sign.row(row).iter().zip(nonzero.row(row)) {
                cells.put([*sign, *nonzero]);
            }
        });
        rows
    }

    /// Prepares rows of `k` bits. `fill(row, its cells)` puts all words of a row, in order.
    #[inline(always)]
    pub(crate) fn of_bits(
        k: usize,
        range: Range<usize>,
        height: impl Fn(usize) -> usize,
        fill: impl FnMut(usize, &mut Cells),
    ) -> Self {
        let mut rows = Self::new(k.div_ceil(64), false, range);
        rows.nonzeros.fill(k as i32);
        rows.fill(height, fill);
        rows
    }

    fn new(per_row: usize, ternary: bool, range: Range<usize>) -> Self {
        let (words, nonzeros) = (scratch(range.len() * per_row), scratch(range.len()));
        Self { range, words, per_row, ternary, nonzeros }
    }

    #[inline(always)]
    fn fill(&mut self, height: impl Fn(usize) -> usize, mut fill: impl FnMut(usize, &mut Cells)) {
        let mut row = self.range.start;
        while row < self.range.end {
            let height = height(self.range.end - row);
            let tile = &mut self.words[(row - self.range.start) * self.per_row..][..height * self.per_row];
            let planes = 1 + usize::from(self.ternary);
            for r in 0..height {
                fill(row + r, &mut Cells { tile, at: r * planes, step: height * planes });
            }
            row += height;
        }
    }

    /// The rows of the product.
    #[inline(always)]
    pub(crate) fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// Whether the rows have two planes.
    #[inline(always)]
    pub(crate) fn ternary(&self) -> bool {
        self.ternary
    }

    /// The number of values that are not 0, for each row of the tile from row `row` on.
    #[inline(always)]
    pub(crate) fn nonzeros(&self, row: usize, height: usize) -> &[i32] {
        &self.nonzeros[row - self.range.start..][..height]
    }

    /// The words of the tile from row `row` on.
    #[inline(always)]
    pub(crate) fn tile(&self, row: usize, height: usize) -> &[u64] {
        &self.words[(row - self.range.start) * self.per_row..][..height * self.per_row]
    }
}

/// The words of one row within a tile: a cell of all planes every `step` words.
pub(crate) struct Cells<'a> {
    tile: &'a mut [u64],
    /// The next cell.
    at: usize,
    step: usize,
}

impl Cells<'_> {
    /// Puts the next words of bits.
    #[inline(always)]
    pub(crate) fn extend(&mut self, bits: &[u64]) {
        for word in bits {
            self.put([word ^ word << 32]);
        }
    }

    #[inline(always)]
    fn put<const PLANES: usize>(&mut self, cell: [u64; PLANES]) {
        self.tile[self.at..][..PLANES].copy_from_slice(&cell);
        self.at += self.step;
    }
}
