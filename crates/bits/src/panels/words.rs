//! Packing into cells of 32 bits: each word of 64 bits is two cells, side by side with the cells of other
//! rows.
//!
//! Bits pass through blocks with eight words in each row, a cache line. Columns become rows by swaps of bits
//! (Warren, *Hacker's Delight*, 7-3). Blocks are written out in pairs of cells.

use crate::{machine::simd, simd::Simd, tensor::BitView};

/// Words of a row in a block.
pub(super) const ABREAST: usize = 8;

/// Lanes that are written at once: a cache line, which divides the lanes of every instruction set.
const RUN: usize = 16;

/// The low half of a word.
const LOW: u64 = 0x0000_0000_ffff_ffff;

/// Rows of [`ABREAST`] words.
type Block<const R: usize> = [[u64; ABREAST]; R];

simd! {
    /// Packs rows `first..first + LANES` of `bits` as a panel.
    pub(super) fn pack_rows<S>(s: S, bits: BitView, first: usize, panel: &mut [u8]) {
        let mut block = [[0; ABREAST]; RUN];
        for lane in (0..S::LANES.min(bits.rows() - first)).step_by(RUN) {
            for word in (0..bits.words_per_row()).step_by(ABREAST) {
                read(bits, first + lane, word, &mut block);
                // low halves in even rows, high ones in odd rows
                in_vectors::<S, RUN, 1>(s, &mut block, |rows| swap::<S, 32, 1, RUN>(s, rows, LOW));
                for l in 0..ABREAST.min(bits.words_per_row() - word) {
                    for half in 0..2 {
                        let cell = 2 * (word + l) + half;
                        write(&block, half, l, &mut panel[(cell * S::LANES + lane) * 4..]);
                    }
                }
            }
        }
    }
}

simd! {
    /// Packs columns `first..` of `bits` as panels of `depth` bytes a row.
    pub(super) fn pack_columns<S>(
        s: S, bits: BitView, first: usize, depth: usize, panels: &mut [u8],
    ) {
        let columns = (panels.len() / depth).min(bits.cols() - first);
        let mut block = [[0; ABREAST]; 32];
        for cell in 0..depth / 4 {
            for col in (0..columns).step_by(64 * ABREAST) {
                read(bits, 32 * cell, (first + col) / 64, &mut block);
                turn(s, &mut block);
                for (run, col) in (col..columns.min(col + 64 * ABREAST)).step_by(RUN).enumerate() {
                    let (l, row) = (run / 4, run % 2 * RUN + run % 4 / 2);
                    let panel = &mut panels[col / S::LANES * depth * S::LANES..];
                    write(&block, row, l, &mut panel[(cell * S::LANES + col % S::LANES) * 4..]);
                }
            }
        }
    }
}

/// Reads words `word..` of rows `row..`; zeros beyond the matrix.
#[inline(always)]
fn read<const R: usize>(bits: BitView, row: usize, word: usize, block: &mut Block<R>) {
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

/// Transposes blocks of 32 x 32 bits. Even rows j then hold the columns j and j + 1 of each word, odd rows
/// the columns j + 31 and j + 32.
#[inline(always)]
fn turn<S: Simd>(s: S, block: &mut Block<32>) {
    for row in 0..8 {
        // rows row, row + 8, ..
        in_vectors::<S, 4, 8>(s, &mut block[row..], |rows| {
            swap::<S, 16, 2, 4>(s, rows, 0x0000_ffff_0000_ffff);
            swap::<S, 8, 1, 4>(s, rows, 0x00ff_00ff_00ff_00ff);
        });
    }
    for row in (0..32).step_by(8) {
        in_vectors::<S, 8, 1>(s, &mut block[row..], |rows| {
            swap::<S, 4, 4, 8>(s, rows, 0x0f0f_0f0f_0f0f_0f0f);
            swap::<S, 2, 2, 8>(s, rows, 0x3333_3333_3333_3333);
            swap::<S, 1, 1, 8>(s, rows, 0x5555_5555_5555_5555);
            swap::<S, 32, 1, 8>(s, rows, LOW);
        });
    }
}

/// Applies `change` to `R` rows that lie `APART`, vector by vector.
#[inline(always)]
fn in_vectors<S: Simd, const R: usize, const APART: usize>(
    s: S,
    rows: &mut [[u64; ABREAST]],
    change: impl Fn(&mut [S::V; R]),
) {
    let rows = &mut rows[..(R - 1) * APART + 1];
    for at in (0..ABREAST).step_by(S::LANES / 8) {
        let mut vectors = [s.splat(0); R];
        for r in 0..R {
            // SAFETY: a row is one vector or several.
            vectors[r] = unsafe { s.load(rows[r * APART].as_ptr().add(at).cast()) };
        }
        change(&mut vectors);
        for r in 0..R {
            // SAFETY: a row is one vector or several.
            unsafe { s.store(rows[r * APART].as_mut_ptr().add(at).cast(), vectors[r]) };
        }
    }
}

/// Swaps bits between rows that lie `APART`: the upper row's bits `SHIFT` above the mask `low` with the lower
/// row's bits at `low`.
#[inline(always)]
fn swap<S: Simd, const SHIFT: i32, const APART: usize, const R: usize>(s: S, rows: &mut [S::V; R], low: u64) {
    // SAFETY: 16 bytes.
    let low = unsafe { s.table([low; 2].as_ptr().cast()) };
    for upper in 0..R {
        if upper & APART == 0 {
            let lower = upper + APART;
            let swap = s.and(s.xor(s.shr64::<SHIFT>(rows[upper]), rows[lower]), low);
            rows[upper] = s.xor(rows[upper], s.shl64::<SHIFT>(swap));
            rows[lower] = s.xor(rows[lower], swap);
        }
    }
}

/// Writes word `l` of every second row from `row` on: two cells each.
#[inline(always)]
fn write<const R: usize>(block: &Block<R>, row: usize, l: usize, cells: &mut [u8]) {
    let cells = &mut cells[..4 * RUN];
    for pair in 0..RUN / 2 {
        cells[8 * pair..][..8].copy_from_slice(&block[row + 2 * pair][l].to_le_bytes());
    }
}
