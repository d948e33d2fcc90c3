//! Bits x bits by looking up differences.
//!
//! The simple loop, for one row `a` and one column `b` of nibbles:
//!
//! ```text
//! for at in 0..nibbles { differences += count_ones(a[at] ^ b[at]) }
//! ```
//!
//! Tables of four bits of `a` replace the inner loop: `differences.rs` has the idea and the loop. Here, up to
//! eight rows at a time get tables, chunk by chunk, past which the panels of a job's columns are streamed. A
//! single row has no partner to share tables with, and takes four panels at once instead.

use core::ops::Range;

use super::{
    differences::{CHUNK, DIFFERENCES, LIMIT, PAIRS, Tables, add_differences, add_lanes},
    signs::Signs,
};
use crate::{
    machine::{Isa, Scratch, scratch, simd},
    panels::Panels,
    product::Put,
    simd::Simd,
};

/// Columns at once for a single row, in vectors.
const ACROSS: usize = 4;

/// A row, byte by byte.
#[derive(Clone, Copy)]
struct Bytes<'a> {
    sign: &'a [u64],
    nonzero: Option<&'a [u64]>,
    /// Bytes of the row. The contents of a panel beyond them are arbitrary.
    used: usize,
}

impl<'a> Bytes<'a> {
    #[inline(always)]
    fn of(left: &Signs<'a>, row: usize) -> Self {
        let nonzero = left.nonzero.map(|nonzero| nonzero.into_row(row));
        Self { sign: left.sign.into_row(row), nonzero, used: left.sign.cols().div_ceil(8) }
    }

    /// The tables of the low and the high nibble of byte `at`.
    #[inline(always)]
    fn tables(&self, at: usize) -> [&'static [u128; 2]; 2] {
        if at >= self.used {
            return [&DIFFERENCES[0]; 2];
        }
        let (word, shift) = (at / 8, at % 8 * 8);
        let sign = (self.sign[word] >> shift) as usize & 255;
        let nonzero = match self.nonzero {
            Some(nonzero) => (nonzero[word] >> shift) as usize & 255,
            None => 255,
        };
        [&DIFFERENCES[(nonzero & 15) << 4 | sign & 15], &DIFFERENCES[nonzero & 0xf0 | sign >> 4]]
    }
}

/// Computes the sums of rows `rows` with the columns of `panels`.
#[inline(always)]
pub(crate) fn lookup_tile<S: Simd, K: Put<i32>>(
    _s: S,
    isa: Isa,
    left: Signs,
    right: &Panels,
    rows: Range<usize>,
    panels: Range<usize>,
    sink: &K,
) {
    let mut memory = Memory::new(S::LANES, right.depth() / 3, panels.len());
    let mut row = rows.start;
    while row < rows.end {
        let height = (2 * PAIRS).min(rows.end - row);
        let tile = Tile { left: &left, right, row, rows: height, panels: panels.clone() };
        differences(isa, &tile, &mut memory);
        put::<S, K>(&tile, &memory, sink);
        row += height;
    }
}

simd! {
    /// Counts the differences between the rows of a tile and the columns of its panels. Compiled once for all
    /// sinks.
    fn differences<S>(s: S, tile: &Tile, memory: &mut Memory) {
        match tile.rows.div_ceil(2) {
            _ if tile.rows == 1 => single(s, tile, memory),
            1 => pairs::<S, 1>(s, tile, memory),
            2 => pairs::<S, 2>(s, tile, memory),
            3 => pairs::<S, 3>(s, tile, memory),
            _ => pairs::<S, PAIRS>(s, tile, memory),
        }
    }
}

/// Turns differences into sums, and hands these to the sink.
#[inline(always)]
fn put<S: Simd, K: Put<i32>>(tile: &Tile, memory: &Memory, sink: &K) {
    let of_pairs = 4 * tile.rows.div_ceil(2) * S::LANES;
    for r in 0..tile.rows {
        let nonzeros = tile.left.nonzeros(tile.row + r);
        for (index, panel) in tile.panels.clone().enumerate() {
            let col = panel * S::LANES;
            let mut out = [0; 64];
            if !memory.totals.is_empty() {
                out[..S::LANES]
                    .copy_from_slice(&memory.totals[(index * 2 * PAIRS + r) * S::LANES..][..S::LANES]);
            }
            add_lanes::<S>(&memory.sums[index * of_pairs + r * 2 * S::LANES..], &mut out);
            for out in &mut out[..S::LANES] {
                *out = nonzeros - 2 * *out;
            }
            sink.put(tile.row + r, col, &out[..S::LANES.min(tile.right.n() - col)]);
        }
    }
}

/// Up to eight rows of the product.
struct Tile<'a> {
    left: &'a Signs<'a>,
    right: &'a Panels,
    row: usize,
    rows: usize,
    panels: Range<usize>,
}

struct Memory {
    /// For each pair of rows (steps, 6, 16) bytes: tables of the low nibbles of three bytes, then of the high
    /// ones.
    tables: Scratch<u8>,
    /// For each panel and pair of rows 4 vectors of u16: even and odd columns of the first row, then of the
    /// second.
    sums: Scratch<u8>,
    /// For each panel and row, i32 where u16 could overflow.
    totals: Scratch<i32>,
}

impl Memory {
    fn new(lanes: usize, steps: usize, panels: usize) -> Self {
        let chunk = PAIRS * steps.min(CHUNK) * 96;
        let totals = if steps > LIMIT { panels * 2 * PAIRS * lanes } else { 0 };
        Self {
            // a single row has the tables of all its bytes
            tables: scratch(chunk.max(steps * 96)),
            sums: scratch(panels * PAIRS * 4 * lanes),
            totals: scratch(totals),
        }
    }
}

#[inline(always)]
fn pairs<S: Simd, const P: usize>(s: S, tile: &Tile, memory: &mut Memory) {
    let (steps, per_panel) = (tile.right.depth() / 3, P * 4 * S::LANES);
    let Memory { tables, sums, totals } = memory;
    let sums = &mut sums[..tile.panels.len() * per_panel];
    sums.fill(0);
    totals.fill(0);
    for first in (0..steps).step_by(CHUNK) {
        let chunk = CHUNK.min(steps - first);
        let tables = &mut tables[..P * chunk * 96];
        for (pair, tables) in tables.chunks_exact_mut(chunk * 96).enumerate() {
            // the last row is paired with itself
            let last = tile.row + tile.rows - 1;
            let rows = [last.min(tile.row + 2 * pair), last.min(tile.row + 2 * pair + 1)];
            fill_tables(tile.left, rows, first * 3, tables);
        }
        let side_by_side = SideBySide { first: tables.as_ptr(), stride: chunk * 96 };
        for (panel, sums) in tile.panels.clone().zip(sums.chunks_exact_mut(per_panel)) {
            let bytes = &tile.right.panel(panel)[first * 3 * S::LANES..][..chunk * 3 * S::LANES];
            // SAFETY: the tables of P pairs and all steps of the chunk have just been filled.
            unsafe { add_differences::<S, P>(s, &side_by_side, bytes, sums) };
        }
        if (first + chunk) % LIMIT == 0 && !totals.is_empty() {
            for (totals, sums) in
                totals.chunks_exact_mut(2 * PAIRS * S::LANES).zip(sums.chunks_exact_mut(per_panel))
            {
                for r in 0..2 * P {
                    add_lanes::<S>(&sums[r * 2 * S::LANES..], &mut totals[r * S::LANES..]);
                }
                sums.fill(0);
            }
        }
    }
}

/// Fills the tables, (steps, 6, 16), of two rows from byte `at` on.
#[inline(always)]
fn fill_tables(left: &Signs, rows: [usize; 2], at: usize, tables: &mut [u8]) {
    let (first, second) = (Bytes::of(left, rows[0]), Bytes::of(left, rows[1]));
    for (step, six) in tables.chunks_exact_mut(96).enumerate() {
        for j in 0..3 {
            let at = at + step * 3 + j;
            let (a, b) = (first.tables(at), second.tables(at));
            for half in 0..2 {
                let table = &mut six[half * 48 + j * 16..][..16];
                table.copy_from_slice(&(a[half][0] | b[half][1]).to_le_bytes());
            }
        }
    }
}

/// Tables side by side: (pairs, steps, 6, 16).
struct SideBySide {
    first: *const u8,
    /// Bytes of a pair.
    stride: usize,
}

impl Tables for SideBySide {
    #[inline(always)]
    unsafe fn of(&self, pair: usize, step: usize, half: usize) -> [*const u8; 3] {
        // SAFETY: `pair` and `step` exist, so the tables lie within the memory of `first`.
        unsafe {
            let first = self.first.add(pair * self.stride + step * 96 + half * 48);
            [first, first.add(16), first.add(32)]
        }
    }
}

/// One row with [`ACROSS`] panels at once, because no other row could share a table.
#[inline(always)]
fn single<S: Simd>(s: S, tile: &Tile, memory: &mut Memory) {
    let depth = tile.right.depth();
    let Memory { tables, sums, totals } = memory;
    let tables = &mut tables[..depth * 32];
    let row = Bytes::of(tile.left, tile.row);
    for (at, both) in tables.chunks_exact_mut(32).enumerate() {
        let [low, high] = row.tables(at);
        both[..16].copy_from_slice(&low[0].to_le_bytes());
        both[16..].copy_from_slice(&high[0].to_le_bytes());
    }
    totals.fill(0);
    for first in (0..tile.panels.len()).step_by(ACROSS) {
        let across = ACROSS.min(tile.panels.len() - first);
        let mut panels = [tile.right.panel(tile.panels.start + first); ACROSS];
        for (j, panels) in panels[..across].iter_mut().enumerate() {
            *panels = tile.right.panel(tile.panels.start + first + j);
        }
        for start in (0..depth).step_by(LIMIT * 3) {
            let end = depth.min(start + LIMIT * 3);
            let pairs = count_row(s, tables, panels, start..end);
            for (j, pairs) in pairs[..across].iter().enumerate() {
                // a sum for each panel and row of a pair
                let sums = &mut sums[(first + j) * 4 * S::LANES..][..2 * S::LANES];
                // SAFETY: `sums` has two vectors.
                unsafe {
                    s.store(sums.as_mut_ptr(), pairs[0]);
                    s.store(sums.as_mut_ptr().add(S::LANES), pairs[1]);
                }
                if end < depth {
                    add_lanes::<S>(sums, &mut totals[(first + j) * 2 * PAIRS * S::LANES..]);
                }
            }
        }
        if depth == 0 {
            sums[first * 4 * S::LANES..][..across * 4 * S::LANES].fill(0);
        }
    }
}

/// The differences of one row in the range `bytes`, by tables (depth, 2, 16): u16 of the even lanes and of
/// the odd ones.
#[inline(always)]
fn count_row<S: Simd>(
    s: S,
    tables: &[u8],
    panels: [&[u8]; ACROSS],
    bytes: Range<usize>,
) -> [[S::V; 2]; ACROSS] {
    assert!(tables.len() >= bytes.end * 32 && panels.iter().all(|panel| panel.len() >= bytes.end * S::LANES));
    let (nibble, low_byte) = (s.splat(15), s.splat16(255));
    let mut pairs = [[s.splat(0); 2]; ACROSS];
    let mut at = bytes.start;
    while at < bytes.end {
        let mut all = [s.splat(0); ACROSS];
        // 31 times two look-ups of at most 4 fit into a byte
        let end = bytes.end.min(at + 31);
        while at < end {
            // SAFETY: the tables have 32 bytes for each byte of the row.
            let (low, high) = unsafe {
                let table = tables.as_ptr().add(at * 32);
                (s.table(table), s.table(table.add(16)))
            };
            for (all, panel) in all.iter_mut().zip(panels) {
                // SAFETY: each panel has a vector for each byte of the row.
                let x = unsafe { s.load(panel.as_ptr().add(at * S::LANES)) };
                let low = s.lookup(low, s.and(x, nibble));
                let high = s.lookup(high, s.and(s.shr16::<4>(x), nibble));
                *all = s.add(*all, s.add(low, high));
            }
            at += 1;
        }
        for (pairs, all) in pairs.iter_mut().zip(all) {
            pairs[0] = s.add16(pairs[0], s.and(all, low_byte));
            pairs[1] = s.add16(pairs[1], s.shr16::<8>(all));
        }
    }
    pairs
}
