//! The product of numbers with packed bits where an instruction permutes a whole vector of 64 bytes.
//!
//! As in `tiles.rs`, four values of a left row make a table of their 16 sums. Here the table is a vector, and
//! one permutation of it looks up four bits of each column. The index is the column's word of 32 bits,
//! shifted so that the four are its lowest; loading from one byte further on shifts it by eight bits and
//! costs no instruction.
//!
//! - **f32**: 16 sums, for 16 columns. Half of the additions are computed as `1 table + sum`, which rounds
//!   alike but runs on the multipliers, because the adders share their ports with the permutations.
//! - **bytes** and **bf16**: sums of 16 bits, so a vector has two tables: one for four bits of the lower half
//!   of each word and one for four bits of the upper half. A fifth bit of the index selects the half.

use core::ops::Range;

use super::contract::{Block, Done, Numbers, Sums};
use crate::{
    machine::{Ahead, scratch},
    panels::Panels,
    simd::Wide,
};

/// Rows whose tables a panel uses at once.
pub(crate) const ROWS: usize = 8;

/// Columns of a panel.
const LANES: usize = 64;

/// Bytes of one word of each column of a panel.
pub(crate) const CELLS: usize = 4 * LANES;

/// Vectors of columns at once.
pub(crate) const ACROSS: usize = 2;

/// Bytes of tables that a panel uses at once, if the tables of [`Numbers::WIDE_WORDS`] do not take more: half
/// of the L1 cache.
const TABLES: usize = 16 << 10;

/// Adds up a block: see `tiles.rs`.
#[inline(always)]
pub(crate) fn add_up<W: Wide, L: Numbers>(
    w: W,
    left: &L,
    right: &[&Panels],
    block: &Block<L::Out>,
    sums: &mut [L::Sum],
    done: Done<'_, L::Sum>,
) {
    let words = left.shape().1.div_ceil(32);
    let per_word = block.height * L::WIDE_TABLES;
    // the tables of a single row leave room for several steps, so that panels are read from beginning to end
    let steps = TABLES / (size_of::<L::WideTable>() * per_word * L::WIDE_WORDS);
    let at_once = L::WIDE_WORDS * steps.max(1);
    let mut tables = scratch(per_word * at_once.min(words));
    let mut ahead = Ahead::new();
    for first in (0..words.max(1)).step_by(at_once) {
        let end = words.min(first + at_once);
        for (word, tables) in (first..end).zip(tables.chunks_exact_mut(per_word)) {
            for r in 0..block.height {
                left.fill_wide(w, block.first + r, word, &mut tables[r..], block.height);
            }
        }
        let last = end == words;
        let mut run = block.run(block.panels.start, last);
        while !run.is_empty() {
            let mut placed = false;
            for panel in run.clone() {
                let place = if last { (block.place)(panel) } else { None };
                placed = place.is_some();
                block.look_ahead(panel, last, &mut ahead);
                let sums = &mut sums[(panel - block.panels.start) * LANES..];
                for from in (first..end.max(first + 1)).step_by(L::WIDE_WORDS) {
                    let to = end.min(from + L::WIDE_WORDS);
                    let tables = &tables[(from - first) * per_word..];
                    let place = place.filter(|_| to == words);
                    let sums = Sums { sums: &mut *sums, stride: block.stride, start: from == 0, place };
                    step(w, left, right, block, (panel, from..to, tables), sums, &mut ahead);
                }
            }
            // with a place, results have been written panel by panel
            if last && !placed {
                done(sums, run.clone());
            }
            run = block.run(run.end, last);
        }
    }
}

/// Adds the products of some words of a panel with the rows of a block, by the tables from the first of these
/// words on.
#[inline(always)]
fn step<W: Wide, L: Numbers>(
    w: W,
    left: &L,
    right: &[&Panels],
    block: &Block<L::Out>,
    (panel, words, tables): (usize, Range<usize>, &[L::WideTable]),
    Sums { sums, stride, start, place }: Sums<L::Sum, L::Out>,
    ahead: &mut Ahead,
) {
    // only the tables of bytes that exist; for halves of a word, of bytes that exist in its lower half
    let bytes = (left.shape().1 - 32 * words.start).div_ceil(8);
    let used = bytes / 4 * L::WIDE_TABLES + (bytes % 4 * 2).min(L::WIDE_TABLES);
    let tables = &tables[..block.height * used.min(words.len() * L::WIDE_TABLES)];
    for (which, right) in right.iter().enumerate() {
        let cells = &right.panel_and_beyond(panel)[words.start * CELLS..];
        let sums = Sums { sums: &mut *sums, stride, start: start && which == 0, place };
        match block.height {
            1 => left.add_wide::<W, 1>(w, block.first, tables, cells, sums, ahead),
            2 => left.add_wide::<W, 2>(w, block.first, tables, cells, sums, ahead),
            4 => left.add_wide::<W, 4>(w, block.first, tables, cells, sums, ahead),
            height => {
                debug_assert_eq!(height, ROWS);
                left.add_wide::<W, ROWS>(w, block.first, tables, cells, sums, ahead);
            }
        }
    }
}

/// Loads word `word` of the columns from vector `first` on, shifted so that its byte `byte` is the lowest.
///
/// # Safety
/// The cells have the word, and 3 bytes follow the last cell.
#[inline(always)]
pub(crate) unsafe fn load_cells<W: Wide>(
    w: W,
    cells: &[u8],
    (word, byte): (usize, usize),
    first: usize,
) -> [W::V; ACROSS] {
    let at = word * CELLS + byte + first * 64;
    // SAFETY: each word has 4 vectors; the cells have the word and 3 bytes after the last: this function's
    // condition.
    core::array::from_fn(|j| unsafe { w.load(cells.as_ptr().add(at + 64 * j)) })
}

impl Sums<'_, f32, f32> {
    /// Loads the sums of R rows and the columns from vector `first` on.
    #[inline(always)]
    pub(crate) fn load<W: Wide, const R: usize>(&self, w: W, first: usize) -> [[W::V; ACROSS]; R] {
        assert!(first + ACROSS <= 4 && self.sums.len() >= (R - 1) * self.stride + LANES);
        let mut all = [[w.splat32(0); ACROSS]; R];
        if !self.start {
            for (r, all) in all.iter_mut().enumerate() {
                for (j, all) in all.iter_mut().enumerate() {
                    let at = r * self.stride + (first + j) * 16;
                    // SAFETY: each row has a sum for each of 64 columns.
                    *all = unsafe { w.load(self.sums.as_ptr().add(at).cast()) };
                }
            }
        }
        all
    }

    /// Stores the sums, or writes them to their place if they are results.
    #[inline(always)]
    pub(crate) fn store<W: Wide, const R: usize>(&mut self, w: W, first: usize, all: [[W::V; ACROSS]; R]) {
        assert!(first + ACROSS <= 4 && self.sums.len() >= (R - 1) * self.stride + LANES);
        let (to, stride) = match &self.place {
            Some(place) => (place.first, place.stride),
            None => (self.sums.as_mut_ptr(), self.stride),
        };
        for (r, all) in all.iter().enumerate() {
            for (j, all) in all.iter().enumerate() {
                // SAFETY: the sums, as asserted, and a place have 64 columns of each row.
                unsafe { w.store(to.add(r * stride + (first + j) * 16).cast(), *all) };
            }
        }
    }
}
