//! The product of rows of numbers with packed bits, where an instruction permutes a whole vector of 64 bytes.
//!
//! As in [`tables`](crate::tables), four values of a left row make a table of their 16 sums. But here the table is a
//! vector, and one permutation of it looks up four bits of each column: the column's word of 32 bits is the index as
//! it is, once it is moved so that the four are its lowest. Loading from a byte further on moves it by eight bits and
//! costs no instruction.
//!
//! - **f32**: 16 sums, for 16 columns. Half of the additions are done as `1 table + sum`, which rounds alike but goes
//!   to the multipliers, for the adders share their ports with the permutations.
//! - **bytes** and **bf16**: sums of 16 bits, so a vector has two tables, one for four bits of the lower half of each
//!   word and one for four of the upper; a fifth bit of the index says which half it is.

use crate::{
    memory::scratch,
    panels::Panels,
    simd::Wide,
    tables::{Block, Done, Left},
};

/// Rows whose tables a panel meets at once.
pub(crate) const ROWS: usize = 8;

/// Columns of a panel: a vector of bytes.
const LANES: usize = 64;

/// Bytes of a word of each of a panel's columns.
pub(crate) const CELLS: usize = 4 * LANES;

/// Vectors of columns at once.
pub(crate) const ACROSS: usize = 2;

/// Adds up a block: see [`tables`](crate::tables).
#[inline(always)]
pub(crate) fn add_up<W: Wide, L: Left>(
    w: W,
    left: &L,
    right: &[&Panels],
    block: &Block,
    sums: &mut [L::Sum],
    done: Done<'_, L::Sum>,
) {
    let (k, height, stride) = (left.shape().1, block.height, block.stride);
    let words = k.div_ceil(32);
    let mut tables = scratch(height * L::WIDE_WORDS.min(words) * L::WIDE_TABLES);
    for first in (0..words.max(1)).step_by(L::WIDE_WORDS) {
        let chunk = L::WIDE_WORDS.min(words - first);
        for (word, tables) in (0..chunk).zip(tables.chunks_exact_mut(height * L::WIDE_TABLES)) {
            for r in 0..height {
                left.fill_wide(w, block.first + r, first + word, &mut tables[r..], height);
            }
        }
        // of the last word only the bytes that exist, or that exist in its lower half
        let bytes = (k - 32 * first).div_ceil(8);
        let used = bytes / 4 * L::WIDE_TABLES + (bytes % 4 * 2).min(L::WIDE_TABLES);
        let tables = &tables[..height * used.min(chunk * L::WIDE_TABLES)];
        let last = first + chunk == words;
        let mut run = block.run(block.panels.start, last);
        while !run.is_empty() {
            for panel in run.clone() {
                let sums = &mut sums[block.begin(panel, last, LANES)..];
                for (which, right) in right.iter().enumerate() {
                    let cells = &right.panel_and_beyond(panel)[first * CELLS..];
                    let start = first == 0 && which == 0;
                    match height {
                        1 => L::add_wide::<W, 1>(w, tables, cells, start, sums, stride),
                        2 => L::add_wide::<W, 2>(w, tables, cells, start, sums, stride),
                        4 => L::add_wide::<W, 4>(w, tables, cells, start, sums, stride),
                        height => {
                            debug_assert_eq!(height, ROWS);
                            L::add_wide::<W, ROWS>(w, tables, cells, start, sums, stride);
                        }
                    }
                }
            }
            if last {
                done(sums, run.clone());
            }
            run = block.run(run.end, last);
        }
    }
}
