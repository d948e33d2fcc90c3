//! Transposition of bit matrices, (r, c) -> (c, r), in blocks of 64 x 64.
//!
//! A block is turned in six steps (Warren, *Hacker's Delight*, 7-3): swap the off-diagonal halves,
//! then the off-diagonal quarters of each half, down to single bits.

use alloc::{vec, vec::Vec};

use crate::error::{Result, check_len};

use super::bits::{BitTensor, Bits};

/// Transposes 64 rows of 64 bits.
pub(crate) fn transpose_block(block: &mut [u64; 64]) {
    let mut half = 32;
    // the columns whose index has bit `half` clear
    let mut low: u64 = 0x0000_0000_ffff_ffff;
    while half > 0 {
        for pair in block.chunks_exact_mut(2 * half) {
            let (top, bottom) = pair.split_at_mut(half);
            for (t, b) in top.iter_mut().zip(bottom) {
                let swap = (*t >> half ^ *b) & low;
                *t ^= swap << half;
                *b ^= swap;
            }
        }
        half /= 2;
        low ^= low << half;
    }
}

impl<W: AsRef<[u64]>> Bits<W> {
    /// The transposed matrix: (r, c) -> (c, r).
    #[must_use]
    pub fn transpose(&self) -> BitTensor {
        let (rows, cols) = self.shape();
        let mut turned = BitTensor::zeros(cols, rows);
        let (w_in, w_out) = (self.words_per_row(), turned.words_per_row());
        let (words, out) = (self.words(), turned.words_mut());
        let mut block = [0; 64];
        for r in (0..rows).step_by(64) {
            for w in 0..w_in {
                block.fill(0);
                for (line, r) in block.iter_mut().zip(r..rows) {
                    *line = words[r * w_in + w];
                }
                transpose_block(&mut block);
                for (line, c) in block.iter().zip(w * 64..cols) {
                    out[c * w_out + r / 64] = *line;
                }
            }
        }
        turned
    }

    /// Number of ones in each column.
    #[must_use]
    pub fn column_ones(&self) -> Vec<u32> {
        if self.cols() == 0 {
            return vec![];
        }
        let turned = self.transpose();
        (0..self.cols()).map(|c| turned.row(c).iter().map(|word| word.count_ones()).sum()).collect()
    }
}

/// The transposed matrix of any values: (r, c) -> (c, r).
///
/// # Errors
/// [`Error::Length`](crate::Error::Length) unless there are `rows * cols` values.
pub fn transpose<T: Copy>(rows: usize, cols: usize, values: &[T]) -> Result<Vec<T>> {
    /// Side of the blocks through which values go, so that memory is read and written by whole cache lines.
    const SIDE: usize = 16;
    check_len("transpose", "values", (rows, cols), values.len())?;
    let mut turned = Vec::from(values);
    let Some(&any) = values.first() else { return Ok(turned) };
    for r0 in (0..rows).step_by(SIDE) {
        for c0 in (0..cols).step_by(SIDE) {
            let (height, width) = (SIDE.min(rows - r0), SIDE.min(cols - c0));
            let mut block = [[any; SIDE]; SIDE];
            for (r, line) in (r0..).zip(&mut block[..height]) {
                line[..width].copy_from_slice(&values[r * cols + c0..][..width]);
            }
            for c in 0..width {
                let line = &mut turned[(c0 + c) * rows + r0..][..height];
                line.iter_mut().zip(&block).for_each(|(to, from)| *to = from[c]);
            }
        }
    }
    Ok(turned)
}
