//! Bits x bits by counting ones in bytes, for sums so short that what happens once a sum weighs most.
//!
//! A byte of a left row, eight of its values, is compared with as many columns as a vector has bytes. Differences of
//! up to 127 values are counted in the lane itself, and so is the sum made of them: nothing is ever widened, and a
//! vector of sums is stored as it is. With AVX-512 eight values take three instructions for 64 columns, for one has
//! three operands: `(x ^ w) & nonzero`.

#![allow(
    clippy::needless_range_loop,
    reason = "an index serves several arrays, and iterators may stay calls"
)]

use crate::{
    engine::Tile,
    isa::simd,
    memory::{Scratch, scratch},
    panels::Panels,
    simd::Simd,
    ternary::Ternary,
};

/// Rows of a block, and vectors of columns: as many sums as 32 registers have room for.
const ROWS: usize = 4;
const VECTORS: usize = 4;

simd! {
    /// A tile of the sums of x: (m, k), at most 127 values a row, with n rows of k bits in bytes that are not folded.
    pub(crate) fn count_bytes<S>(s: S, x: &Ternary, right: &Panels, tile: &mut Tile<i8>) {
        let left = Left::of(x, tile.row, tile.rows());
        let panels = tile.col / S::LANES..(tile.col + tile.cols()).div_ceil(S::LANES);
        for (group, words) in left.words.chunks_exact(left.group).enumerate() {
            let mut panel = panels.start;
            while panel + VECTORS <= panels.end {
                block::<S, VECTORS>(s, words, right, panel, group * ROWS, tile);
                panel += VECTORS;
            }
            while panel < panels.end {
                block::<S, 1>(s, words, right, panel, group * ROWS, tile);
                panel += 1;
            }
        }
    }
}

/// Rows of x, each byte four times, because words are broadcast for nothing and bytes are not.
struct Left {
    /// (groups of rows, group)
    words: Scratch<u32>,
    /// How many values are not 0: ([`ROWS`]). Then for each byte the signs: ([`ROWS`]), and which are not 0: ([`ROWS`]).
    group: usize,
}

impl Left {
    #[inline(always)]
    fn of(x: &Ternary, first: usize, rows: usize) -> Self {
        let bytes = x.cols().div_ceil(8);
        let group = (1 + 2 * bytes) * ROWS;
        let mut words = scratch(rows.div_ceil(ROWS) * group);
        words.fill(0);
        for row in 0..rows {
            let (sign, nonzero) = (x.sign().row(first + row), x.nonzero().row(first + row));
            let words = &mut words[row / ROWS * group..][..group];
            let voters: u32 = nonzero.iter().map(|word| word.count_ones()).sum();
            words[row % ROWS] = four_times(voters as u8);
            for (word, (sign, nonzero)) in sign.iter().zip(nonzero).enumerate() {
                let (signs, nonzeros) = (sign.to_le_bytes(), nonzero.to_le_bytes());
                let steps = words[ROWS + word * 16 * ROWS..].chunks_mut(2 * ROWS);
                for ((step, sign), nonzero) in steps.zip(signs).zip(nonzeros) {
                    step[row % ROWS] = four_times(sign);
                    step[ROWS + row % ROWS] = four_times(nonzero);
                }
            }
        }
        Self { words, group }
    }
}

#[inline(always)]
fn four_times(byte: u8) -> u32 {
    u32::from_ne_bytes([byte; 4])
}

/// The sums of a group of rows, of which `row` is the first, with the columns of `A` panels.
#[inline(always)]
fn block<S: Simd, const A: usize>(
    s: S,
    words: &[u32],
    right: &Panels,
    panel: usize,
    row: usize,
    tile: &mut Tile<i8>,
) {
    let panels: [_; A] = core::array::from_fn(|a| right.panel(panel + a));
    let (voters, steps) = words.split_at(ROWS);
    let steps = steps.as_chunks::<{ 2 * ROWS }>().0;
    assert!(panels.iter().all(|panel| panel.len() >= steps.len() * S::LANES));
    let mut differ = [[s.splat(0); A]; ROWS];
    for (at, step) in steps.iter().enumerate() {
        let mut w = [s.splat(0); A];
        for a in 0..A {
            // SAFETY: the panels have so many bytes of each column, as asserted.
            w[a] = unsafe { s.load(panels[a].as_ptr().add(at * S::LANES)) };
        }
        for r in 0..ROWS {
            let (sign, nonzero) = (s.splat32(step[r]), s.splat32(step[ROWS + r]));
            for a in 0..A {
                let differences = s.and(s.xor(w[a], sign), nonzero);
                differ[r][a] = s.add(differ[r][a], s.ones8(differences));
            }
        }
    }
    let (height, col) = (ROWS.min(tile.rows() - row), panel * S::LANES - tile.col);
    for r in 0..height {
        let voters = s.splat32(voters[r]);
        let to = &mut tile.row(row + r)[col..];
        let whole = to.len() / S::LANES;
        for a in 0..A {
            let sums = s.sub(voters, s.add(differ[r][a], differ[r][a]));
            if a < whole {
                // SAFETY: there are so many whole vectors.
                unsafe { s.store(to.as_mut_ptr().add(a * S::LANES).cast(), sums) };
            } else {
                let mut last = [0i8; 64];
                // SAFETY: a vector has at most 64 bytes.
                unsafe { s.store(last.as_mut_ptr().cast(), sums) };
                let to = &mut to[a * S::LANES..];
                to.copy_from_slice(&last[..to.len()]);
            }
        }
    }
}
