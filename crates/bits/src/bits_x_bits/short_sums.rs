//! Sums of at most 127 products of bits and ternaries, in bytes: the votes of a batch. They are so short that
//! the work done once for each sum dominates, so nothing is ever wider than a byte, and a vector of sums is
//! stored as it is.
//!
//! The simple loop is that of `tiles.rs`. Here, on vectors of 64 bytes, one instruction looks up a byte in
//! two vectors, by an index of seven bits. Otherwise the steps are those of `differences.rs`, which looks up
//! four bits:
//!
//! 1. Seven values of a left row make a table of 128 entries: the number of places where each seven bits
//!    differ from them, at most 7. Two rows share a table, one in each half of its bytes.
//! 2. Two look-ups are added, at most 14 in each half, before the halves are separated.
//! 3. The halves are separated only at the end: `all` adds the bytes, `high` adds the upper halves as a shift
//!    of 16-bit pairs leaves them, including garbage from the neighbour.
//!
//! So 28 values take six instructions for 64 columns: 2 look-ups, 3 additions and a shift. Counting ones in
//! bytes would take ten and a half.

#![allow(
    clippy::needless_range_loop,
    reason = "an index serves several arrays, and iterators may stay calls"
)]

use core::array;

use crate::{
    machine::{Scratch, Tile, scratch, simd},
    panels::{Panels, SEVEN},
    simd::Simd,
    tensor::Ternary,
};

/// Pairs of rows at once, and vectors of columns: 32 registers have room for their sums.
const PAIRS: usize = 2;
const VECTORS: usize = 4;

simd! {
    /// Computes a tile of the sums of x, (m, k), with at most 127 values a row, and packed columns.
    pub(crate) fn short_sums<S>(s: S, x: &Ternary, right: &Panels, tile: &mut Tile<i8>) {
        let mut left = Tables::new(x);
        let panels = tile.col / S::LANES..(tile.col + tile.cols()).div_ceil(S::LANES);
        for row in (0..tile.rows()).step_by(2 * PAIRS) {
            left.read(s, x, tile.row + row, tile.rows() - row);
            let mut panel = panels.start;
            while panel + VECTORS <= panels.end {
                left.block::<S, VECTORS>(s, right, panel, row, tile);
                panel += VECTORS;
            }
            while panel < panels.end {
                left.block::<S, 1>(s, right, panel, row, tile);
                panel += 1;
            }
        }
    }
}

/// Entries of a table.
type Table = [u8; 1 << SEVEN];

/// The tables of some rows of x.
struct Tables {
    /// A table for each pair of rows, for each step of seven values.
    tables: Scratch<[Table; PAIRS]>,
    /// The number of values of each row that are not 0.
    voters: [u8; 2 * PAIRS],
}

impl Tables {
    fn new(x: &Ternary) -> Self {
        Self { tables: scratch(x.cols().div_ceil(SEVEN)), voters: [0; 2 * PAIRS] }
    }

    /// Reads rows `first..` of x, of which only `rows` may be left.
    #[inline(always)]
    fn read<S: Simd>(&mut self, s: S, x: &Ternary, first: usize, rows: usize) {
        let (mut signs, mut nonzeros) = ([0u128; 2 * PAIRS], [0u128; 2 * PAIRS]);
        for r in 0..rows.min(2 * PAIRS) {
            signs[r] = whole(x.sign().row(first + r));
            nonzeros[r] = whole(x.nonzero().row(first + r));
            self.voters[r] = nonzeros[r].count_ones() as u8;
        }
        let entries: Table = array::from_fn(|entry| entry as u8);
        for (step, pairs) in self.tables.iter_mut().enumerate() {
            let bits = |row: u128| s.splat((row >> (step * SEVEN)) as u8 & 127);
            for (pair, table) in pairs.iter_mut().enumerate() {
                for at in (0..table.len()).step_by(S::LANES) {
                    // SAFETY: vectors divide a table.
                    let entry = unsafe { s.load(entries.as_ptr().add(at)) };
                    let differ =
                        |row: usize| s.ones8(s.and(s.xor(entry, bits(signs[row])), bits(nonzeros[row])));
                    let both = s.add(differ(2 * pair), s.shl16::<4>(differ(2 * pair + 1)));
                    // SAFETY: vectors divide a table.
                    unsafe { s.store(table.as_mut_ptr().add(at), both) };
                }
            }
        }
    }

    /// Computes the sums of the rows, from row `row` of the tile on, with the columns of `A` panels.
    #[inline(always)]
    fn block<S: Simd, const A: usize>(
        &self,
        s: S,
        right: &Panels,
        panel: usize,
        row: usize,
        tile: &mut Tile<i8>,
    ) {
        let panels: [_; A] = array::from_fn(|a| right.panel(panel + a));
        assert!(panels.iter().all(|panel| panel.len() == self.tables.len() * S::LANES));
        let (rows, col) = ((tile.rows() - row).min(2 * PAIRS), panel * S::LANES - tile.col);
        for r in 0..rows {
            let to = tile.row(row + r)[col..].as_ptr();
            for a in 0..A {
                s.prefetch(to.wrapping_add(a * S::LANES).cast()); // a store waits for its cache line
            }
        }
        let mut sums = Sums { all: [[s.splat(0); A]; PAIRS], high: [[s.splat(0); A]; PAIRS] };
        let index = |step: usize| {
            let mut index = [s.splat(0); A];
            for a in 0..A {
                // SAFETY: the panels have as many steps as there are tables.
                index[a] = unsafe { s.load(panels[a].as_ptr().add(step * S::LANES)) };
            }
            index
        };
        let (two, last) = self.tables.as_chunks::<2>();
        for (at, tables) in two.iter().enumerate() {
            let (first, second) = (index(2 * at), index(2 * at + 1));
            for pair in 0..PAIRS {
                for a in 0..A {
                    let one = s.lookup128(&tables[0][pair], first[a]);
                    sums.add(s, pair, a, s.add(one, s.lookup128(&tables[1][pair], second[a])));
                }
            }
        }
        for tables in last {
            let index = index(self.tables.len() - 1);
            for pair in 0..PAIRS {
                for a in 0..A {
                    sums.add(s, pair, a, s.lookup128(&tables[pair], index[a]));
                }
            }
        }
        for pair in 0..PAIRS {
            let mut differ = [[s.splat(0); A]; 2];
            for a in 0..A {
                (differ[0][a], differ[1][a]) = sums.apart(s, pair, a);
            }
            for half in 0..2.min(rows.saturating_sub(2 * pair)) {
                let voters = s.splat(self.voters[2 * pair + half]);
                let votes = differ[half].map(|differ| s.sub(voters, s.add(differ, differ)));
                put(s, &votes, &mut tile.row(row + 2 * pair + half)[col..]);
            }
        }
    }
}

/// A row of at most 128 values as a number.
#[inline(always)]
fn whole(row: &[u64]) -> u128 {
    row.iter().rev().fold(0, |all, word| all << 64 | u128::from(*word))
}

/// Differences between pairs of rows and the columns of `A` vectors.
struct Sums<V, const A: usize> {
    all: [[V; A]; PAIRS],
    high: [[V; A]; PAIRS],
}

impl<V: Copy, const A: usize> Sums<V, A> {
    #[inline(always)]
    fn add<S: Simd<V = V>>(&mut self, s: S, pair: usize, a: usize, both: V) {
        self.all[pair][a] = s.add(self.all[pair][a], both);
        self.high[pair][a] = s.add(self.high[pair][a], s.shr16::<4>(both));
    }

    /// Separates the differences of the first row from those of the second: see `differences.rs`.
    #[inline(always)]
    fn apart<S: Simd<V = V>>(&self, s: S, pair: usize, a: usize) -> (V, V) {
        let (all, high, odd) = (self.all[pair][a], self.high[pair][a], s.splat16(0xff00));
        // the odd bytes of `high` are exact: `all = first + 16 second`
        let second = s.and(high, odd);
        let first = s.and(s.sub(all, s.shl16::<4>(second)), odd);
        // the even ones have 16 times the first of their neighbour
        let even = s.sub(high, s.shr16::<4>(first));
        let second = s.or(second, s.and(even, s.splat16(0x00ff)));
        (s.sub(all, s.and(s.shl16::<4>(second), s.splat(0xf0))), second)
    }
}

/// Stores the sums that fit into `to`.
#[inline(always)]
fn put<S: Simd, const A: usize>(s: S, sums: &[S::V; A], to: &mut [i8]) {
    for a in 0..A {
        let to = &mut to[a * S::LANES..];
        if to.len() >= S::LANES {
            // SAFETY: `to` has at least the `LANES` bytes of a vector.
            unsafe { s.store(to.as_mut_ptr().cast(), sums[a]) };
        } else {
            let mut last = [0i8; 64];
            // SAFETY: a vector has at most 64 bytes.
            unsafe { s.store(last.as_mut_ptr().cast(), sums[a]) };
            to.copy_from_slice(&last[..to.len()]);
        }
    }
}
