//! Differences of bits by look-up: the inner loop of products and of convolutions.
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

use crate::{panels::fold, simd::Simd};

/// Steps of 3 bytes after which a byte could overflow: 2 * 12 * 10 = 240.
const STEPS: usize = 10;

/// Steps of a chunk: their tables, of four pairs of rows, stay in the L1 cache.
pub(crate) const CHUNK: usize = 60;

/// Steps after which a sum of 16 bits could overflow: 2700 * 24 bits.
pub(crate) const LIMIT: usize = 2700;

/// Pairs of rows at once.
pub(crate) const PAIRS: usize = 4;

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

/// The addresses of the tables that a pair of rows uses in a step of three bytes.
pub(crate) trait Tables {
    /// The tables of the low nibbles (half 0) or of the high ones (half 1).
    ///
    /// # Safety
    /// `pair` and `step` exist.
    unsafe fn of(&self, pair: usize, step: usize, half: usize) -> [*const u8; 3];
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
