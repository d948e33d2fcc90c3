//! How a batch is cut up for sums over it: into parts that stay in the cache and that threads can share.
//!
//! The cuts depend on the batch's shape alone, and parts are added in their order, so threads do not change a sum. What
//! is summed up has a place for each part and feature: `(parts of rows, features)`, each row padded to whole parts.

use crate::numeric::matrix::Matrix;

/// Rows of a part.
const ROWS: usize = 128;

/// Features of a part at most: their sums stay in the L1 cache.
const WIDEST: usize = 512;

/// The parts of a batch.
#[derive(Clone, Copy)]
pub(crate) struct Grid {
    rows: usize,
    cols: usize,
    /// Features of a part; the last of a row may have fewer.
    pub(crate) width: usize,
}

/// Some rows and features of a batch.
#[derive(Clone, Copy)]
pub(crate) struct Part {
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

    /// Places for sums.
    pub(crate) fn len(&self) -> usize {
        self.rows.div_ceil(ROWS) * self.stride()
    }

    /// The part whose sums begin at place `first`.
    pub(crate) fn part(&self, first: usize) -> Part {
        let (row, col) = (first / self.stride() * ROWS, first % self.stride());
        Part { row, rows: ROWS.min(self.rows - row), col, cols: self.width.min(self.cols - col) }
    }

    /// The places of a feature's sums, and how many rows each is of.
    pub(crate) fn parts_of(self, feature: usize) -> impl Iterator<Item = (usize, f64)> {
        let rows = move |part: usize| ROWS.min(self.rows - part * ROWS) as f64;
        (0..self.rows.div_ceil(ROWS)).map(move |part| (part * self.stride() + feature, rows(part)))
    }
}
