//! Bits x bits by looking up differences.
//!
//! The simple loop, for one row `a` and one column `b` of nibbles:
//!
//! ```text
//! for at in 0..nibbles { differences += count_ones(a[at] ^ b[at]) }
//! ```
//!
//! A byte shuffle looks up one of 16 bytes for each byte of a vector. So four bits of a left row make a table
//! of 16 entries, the number of places where each nibble differs from them, and one instruction looks up the
//! nibbles of a whole vector of columns, where counting ones would take eight. To save additions:
//!
//! 1. Two rows share a table, one in each half of its bytes, because four bits differ in at most 4 places.
//! 2. Three look-ups are added, at most 12 in each half, before the halves are separated.
//! 3. The halves are separated only at the end of [`STEPS`] steps of three bytes: `all` adds the bytes, and
//!    `high` adds the upper halves as a shift of 16-bit pairs leaves them, including garbage from the
//!    neighbour. Modulo 256, the odd bytes give the upper half exactly, from that the lower one, and from
//!    both the even bytes.
//!
//! So a multiplication of 768 bits takes eight instructions: 3 look-ups, 4 additions and a shift.

use core::ops::Range;

use super::signs::Signs;
use crate::{
    machine::{Isa, Scratch, scratch, simd},
    panels::{Panels, fold},
    product::Put,
    simd::Simd,
};

/// Steps of 3 bytes after which a byte could overflow: 2 * 12 * 10 = 240.
const STEPS: usize = 10;

/// Steps of a chunk: their tables, of four pairs of rows, stay in the L1 cache.
pub(crate) const CHUNK: usize = 60;

/// Steps after which a sum of 16 bits could overflow: 2700 * 24 bits.
pub(crate) const LIMIT: usize = 2700;

/// Pairs of rows at once.
pub(crate) const PAIRS: usize = 4;

/// Columns at once for a single row, in vectors.
const ACROSS: usize = 4;

/// For four values (`nonzero << 4 | sign`), the number of places where each folded nibble differs from them:
/// a table of bytes, as a number, and the same table in the upper halves of the bytes.
pub(crate) static DIFFERENCES: [[u128; 2]; 256] = {
    let mut tables = [[0; 2]; 256];
    let mut four = 0;
    while four < 256 {
        let mut folded = 0;
        while folded < 16 {
            let nibble = fold(folded) as usize & 15;
            let differ = ((nibble ^ four & 15) & four >> 4).count_ones() as u128;
            tables[four][0] |= differ << (8 * folded);
            tables[four][1] |= differ << (8 * folded + 4);
            folded += 1;
        }
        four += 1;
    }
    tables
};

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

/// Adds u16 sums, first of the even lanes, then of the odd ones, to the sums of all lanes.
#[inline(always)]
pub(crate) fn add_lanes<S: Simd>(sums: &[u8], to: &mut [i32]) {
    let (sums, to) = (&sums[..2 * S::LANES], &mut to[..S::LANES]);
    for i in 0..S::LANES / 2 {
        let odd = S::LANES + 2 * i;
        to[2 * i] += i32::from(u16::from_le_bytes([sums[2 * i], sums[2 * i + 1]]));
        to[2 * i + 1] += i32::from(u16::from_le_bytes([sums[odd], sums[odd + 1]]));
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

/// The addresses of the tables that a pair of rows uses in a step of three bytes.
pub(crate) trait Tables {
    /// The tables of the low nibbles (half 0) or of the high ones (half 1).
    ///
    /// # Safety
    /// `pair` and `step` exist.
    unsafe fn of(&self, pair: usize, step: usize, half: usize) -> [*const u8; 3];
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

/// Adds the differences of `panel`, (steps, 3) vectors, to `sums`, (P, 4) vectors.
///
/// # Safety
/// `tables` has tables of 16 bytes for each of P pairs and each step.
#[inline(always)]
pub(crate) unsafe fn add_differences<S: Simd, const P: usize>(
    s: S,
    tables: &impl Tables,
    panel: &[u8],
    sums: &mut [u8],
) {
    let steps = panel.len() / (3 * S::LANES);
    assert!(sums.len() == P * 4 * S::LANES && panel.len() == steps * 3 * S::LANES);
    let (nibble, low_byte, high_nibble) = (s.splat(15), s.splat16(255), s.splat(0xf0));
    for first in (0..steps).step_by(STEPS) {
        let mut all = [s.splat(0); P];
        let mut high = all;
        for step in first..steps.min(first + STEPS) {
            let mut x = [s.splat(0); 3];
            for (j, x) in x.iter_mut().enumerate() {
                // SAFETY: the panel has 3 vectors for this step.
                *x = unsafe { s.load(panel.as_ptr().add((step * 3 + j) * S::LANES)) };
            }
            for half in 0..2 {
                let mut index = x;
                for index in &mut index {
                    *index = s.and(if half == 0 { *index } else { s.shr16::<4>(*index) }, nibble);
                }
                for p in 0..P {
                    // SAFETY: `tables` has P pairs and all steps of the panel: this function's condition.
                    let tables = unsafe {
                        let [a, b, c] = tables.of(p, step, half);
                        [s.table(a), s.table(b), s.table(c)]
                    };
                    let two = s.add(s.lookup(tables[0], index[0]), s.lookup(tables[1], index[1]));
                    let three = s.add(two, s.lookup(tables[2], index[2]));
                    all[p] = s.add(all[p], three);
                    high[p] = s.add(high[p], s.shr16::<4>(three));
                }
            }
        }
        for p in 0..P {
            // right in odd bytes only
            let low_odd = s.sub(all[p], s.and(s.shl16::<4>(high[p]), high_nibble));
            let second = s.sub(high[p], s.and(s.shr16::<4>(low_odd), s.splat16(0xf0)));
            let first = s.sub(all[p], s.and(s.shl16::<4>(second), high_nibble));
            let parts =
                [s.and(first, low_byte), s.shr16::<8>(first), s.and(second, low_byte), s.shr16::<8>(second)];
            for j in 0..4 {
                // SAFETY: there are 4 vectors of sums for each of P pairs.
                unsafe {
                    let sum = sums.as_mut_ptr().add((p * 4 + j) * S::LANES);
                    s.store(sum, s.add16(s.load(sum), parts[j]));
                }
            }
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
