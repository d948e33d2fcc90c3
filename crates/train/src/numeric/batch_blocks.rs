//! The blocks into which a batch is cut for sums over it: they stay in the cache, and threads can share them.
//!
//! The cuts depend only on the shape of the batch, and blocks are added in order, so threads do not change a
//! sum. The sums of a batch have one slot per block and feature, `(blocks of rows, features)`, with the
//! features padded to whole blocks.

use crate::numeric::matrix::Matrix;

/// Rows per block.
const ROWS: usize = 128;

/// The largest number of features per block: their sums stay in the L1 cache.
const WIDEST: usize = 512;

/// The blocks of a batch.
#[derive(Clone, Copy)]
pub(crate) struct Grid {
    rows: usize,
    cols: usize,
    /// Features per block; the last block of a row may have fewer.
    pub(crate) width: usize,
}

/// A rectangle of rows and features of a batch.
#[derive(Clone, Copy)]
pub(crate) struct Block {
    pub(crate) row: usize,
    pub(crate) rows: usize,
    pub(crate) col: usize,
    pub(crate) cols: usize,
}

impl Grid {
    pub(crate) fn over(batch: &Matrix) -> Self {
        let (rows, cols) = batch.shape();
        Self { rows, cols, width: cols.clamp(1, WIDEST) }
    }

    fn stride(&self) -> usize {
        self.cols.next_multiple_of(self.width)
    }

    /// The number of slots for sums.
    pub(crate) fn len(&self) -> usize {
        self.rows.div_ceil(ROWS) * self.stride()
    }

    /// The block whose sums begin at slot `first`.
    pub(crate) fn block(&self, first: usize) -> Block {
        let (row, col) = (first / self.stride() * ROWS, first % self.stride());
        Block { row, rows: ROWS.min(self.rows - row), col, cols: self.width.min(self.cols - col) }
    }

    /// The slots of a feature's sums, each with the number of rows in its block.
    pub(crate) fn blocks_of(self, feature: usize) -> impl Iterator<Item = (usize, f64)> {
        let rows = move |block: usize| ROWS.min(self.rows - block * ROWS) as f64;
        (0..self.rows.div_ceil(ROWS)).map(move |block| (block * self.stride() + feature, rows(block)))
    }
}
