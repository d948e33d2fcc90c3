//! Packing into cells of one byte: eight bits of a row, folded, or seven bits as they are.
//!
//! Blocks of eight rows and some words are transposed in registers: by bytes, and for columns then by bits.

use super::cell::{Cell, SEVEN, fold};
use crate::{machine::simd, tensor::BitView};

/// Words of a row in a block: the compiler keeps them in vectors.
pub(super) const ABREAST: usize = 4;

simd! {
    /// Packs rows `first..first + LANES` of `bits` as a panel of bytes.
    pub(super) fn pack_rows<S>(_s: S, bits: BitView, first: usize, cell: Cell, panel: &mut [u8]) {
        let lanes = S::LANES;
        let used = bits.cols().div_ceil(8);
        let mut block = [[0; ABREAST]; 8];
        for lane in (0..lanes.min(bits.rows() - first)).step_by(8) {
            for word in (0..bits.words_per_row()).step_by(ABREAST) {
                read_block(bits, first + lane, word, &mut block);
                // row j: byte j of each row side by side
                transpose_bytes(&mut block);
                if cell == Cell::Byte {
                    fold_all(&mut block);
                }
                for l in 0..ABREAST {
                    for j in 0..8.min(used.saturating_sub((word + l) * 8)) {
                        let at = ((word + l) * 8 + j) * lanes + lane;
                        panel[at..at + 8].copy_from_slice(&block[j][l].to_le_bytes());
                    }
                }
            }
        }
    }
}

simd! {
    /// Packs columns `first..` of `bits` as panels of `depth` bytes a row.
    pub(super) fn pack_columns<S>(
        _s: S, bits: BitView, first: usize, depth: usize, cell: Cell, panels: &mut [u8],
    ) {
        let per_byte = if cell == Cell::Seven { SEVEN } else { 8 };
        let lanes = S::LANES;
        let columns = panels.len() / depth;
        let mut block = [[0; ABREAST]; 8];
        for at in 0..bits.rows().div_ceil(per_byte) {
            for col in (0..columns.min(bits.cols() - first)).step_by(64 * ABREAST) {
                read_block(bits, at * per_byte, (first + col) / 64, &mut block);
                transpose_bytes(&mut block);
                transpose_bits(&mut block);
                if cell == Cell::Byte {
                    fold_all(&mut block);
                }
                for l in 0..ABREAST {
                    for j in 0..8 {
                        // byte c of the word: the bits of column c of its eight
                        let (eight, col) = (block[j][l].to_le_bytes(), col + 64 * l + 8 * j);
                        if col < columns {
                            let panel = &mut panels[col / lanes * depth * lanes..][..depth * lanes];
                            panel[at * lanes + col % lanes..][..8].copy_from_slice(&eight);
                        }
                    }
                }
            }
        }
    }
}

/// Eight rows of [`ABREAST`] words; zeros beyond the matrix.
type Block = [[u64; ABREAST]; 8];

#[inline(always)]
fn read_block(bits: BitView, row: usize, word: usize, block: &mut Block) {
    for (r, words) in block.iter_mut().enumerate() {
        *words = [0; ABREAST];
        if row + r < bits.rows() {
            let row = &bits.row(row + r)[word..];
            match row.first_chunk() {
                Some(whole) => *words = *whole,
                None => words.iter_mut().zip(row).for_each(|(to, word)| *to = *word),
            }
        }
    }
}

/// Transposes by bytes: row j of the result holds byte j of each row, in each word of the block.
#[inline(always)]
fn transpose_bytes(block: &mut Block) {
    for (half, low) in [(4, 0x0000_0000_ffff_ffff), (2, 0x0000_ffff_0000_ffff), (1, 0x00ff_00ff_00ff_00ff)] {
        for top in 0..8 {
            if top & half == 0 {
                for l in 0..ABREAST {
                    let (t, b) = (block[top][l], block[top + half][l]);
                    let swap = (t >> (8 * half) ^ b) & low;
                    block[top][l] = t ^ swap << (8 * half);
                    block[top + half][l] = b ^ swap;
                }
            }
        }
    }
}

/// Transposes each word by bits: byte c of the result holds bit c of each byte.
#[inline(always)]
fn transpose_bits(block: &mut Block) {
    for words in block {
        for (shift, mask) in
            [(7, 0x00aa_00aa_00aa_00aa), (14, 0x0000_cccc_0000_cccc), (28, 0x0000_0000_f0f0_f0f0)]
        {
            for word in &mut *words {
                let swap = (*word >> shift ^ *word) & mask;
                *word ^= swap ^ swap << shift;
            }
        }
    }
}

#[inline(always)]
fn fold_all(block: &mut Block) {
    for words in block {
        for word in words {
            *word = fold(*word);
        }
    }
}
