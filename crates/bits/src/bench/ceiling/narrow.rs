//! The speed limit of a kernel: the speed of the instructions of its inner loop with all operands in
//! registers.
//!
//! The limit needs neither a clock rate nor a table of ports: a loop of the same instructions in the same
//! proportions, without loads and stores, is timed in the same run as the kernel. The difference is the price
//! of memory, of tables, of moving sums out of registers, and of the instructions outside the innermost loop.
//! Only a better inner loop could be faster.
//!
//! The compiler would move instructions out of a loop whose operands stay the same. So each instruction works
//! on the result of an earlier one, in enough chains to hide the latency. Tables of reals are loaded instead,
//! once for two look-ups, because nothing else of that kernel changes; loads have units of their own. The
//! left words for counting ones are loaded too, as operands of the instructions that need them.

use core::{
    hint::black_box,
    sync::atomic::{AtomicU8, Ordering},
};

use super::{
    mix::{Mix, ROUNDS},
    wide,
};
use crate::{
    bench::Run,
    error::Result,
    machine::{Engine, simd},
    simd::Simd,
};

/// A loop of the instructions of a [`Mix`], on all threads of an engine.
#[derive(Debug)]
pub struct Ceiling {
    engine: Engine,
    mix: Mix,
}

/// Jobs of each thread, so that all threads get their share.
const JOBS: usize = 32;

impl Ceiling {
    /// The loop of `mix` on the engine's instruction set.
    #[must_use]
    pub fn new(engine: &Engine, mix: Mix) -> Self {
        Self { engine: engine.clone(), mix }
    }

    /// Operations of one [`run`](Run::run), counted as for a kernel: a multiplication and an addition each.
    #[must_use]
    pub fn operations(&self) -> f64 {
        let multiplications = ROUNDS * per_round(self.engine.isa(), self.mix);
        2.0 * multiplications as f64 * (JOBS * self.engine.threads()) as f64
    }
}

impl Run for Ceiling {
    fn run(&mut self) -> Result<()> {
        let (isa, mix) = (self.engine.isa(), self.mix);
        let left = AtomicU8::new(0);
        self.engine.each_index(JOBS * self.engine.threads(), |job| {
            left.fetch_xor(rounds(isa, mix, job as u8), Ordering::Relaxed);
        });
        black_box(left);
        Ok(())
    }
}

/// Groups of independent registers.
const GROUPS: usize = 2;
const CHAINS: usize = 4;
/// Chains where 32 registers have room for the rows of a tile.
const TALL: usize = 8;

/// Independent carry-save adders.
#[inline(always)]
fn count_chains<S: Simd>() -> usize {
    if S::LANES == 64 { TALL } else { CHAINS }
}

simd! {
    fn per_round<S>(s: S, mix: Mix) -> usize {
        match mix {
            _ if s.wide().is_some() && wide::has(mix) => wide::per_round(mix),
            Mix::Bytes => 32 * S::LANES,
            Mix::Reals | Mix::Halves => REAL_ROWS * 2 * 4 * S::LANES / 4,
            Mix::Votes if S::LANES == 64 => CHAINS * 28 * S::LANES,
            _ if S::COUNTS => count_chains::<S>() * 64 * S::LANES / 4,
            Mix::Bits | Mix::Votes => GROUPS * 24 * S::LANES,
            Mix::Row => CHAINS * 8 * S::LANES,
        }
    }
}

simd! {
    /// Runs the loop; the result depends on every instruction.
    fn rounds<S>(s: S, mix: Mix, seed: u8) -> u8 {
        if let Some(w) = s.wide().filter(|_| wide::has(mix)) {
            return wide::rounds(w, mix, seed);
        }
        let result = match mix {
            Mix::Bytes => byte_rounds(s, seed),
            Mix::Reals | Mix::Halves => real_rounds(s, seed),
            Mix::Votes if S::LANES == 64 => vote_rounds(s, seed),
            _ if S::COUNTS && count_chains::<S>() == TALL => count_rounds::<S, TALL>(s, seed),
            _ if S::COUNTS => count_rounds::<S, CHAINS>(s, seed),
            Mix::Bits | Mix::Votes => lookup_rounds(s, seed),
            Mix::Row => row_rounds(s, seed),
        };
        let mut bytes = [0; 64];
        // SAFETY: a vector has at most 64 bytes.
        unsafe { s.store(bytes.as_mut_ptr(), result) };
        bytes.iter().fold(0, |all, byte| all ^ byte)
    }
}

/// A table of 16 bytes below 16, opaque to the compiler.
#[inline(always)]
fn table<S: Simd>(s: S, seed: u8) -> S::V {
    let table: [u8; 16] = black_box(core::array::from_fn(|i| (i as u8 * 7 + seed) % 16));
    // SAFETY: the table has 16 bytes.
    unsafe { s.table(table.as_ptr()) }
}

/// Three look-ups, their sum added to `all`, and shifted to `high`.
#[inline(always)]
fn lookup_rounds<S: Simd>(s: S, seed: u8) -> S::V {
    let table = table(s, seed);
    let mut index: [[S::V; 3]; GROUPS] =
        core::array::from_fn(|g| core::array::from_fn(|j| s.splat((g * 3 + j) as u8)));
    let mut all = [s.splat(0); GROUPS];
    let mut high = all;
    for _ in 0..ROUNDS {
        for g in 0..GROUPS {
            for index in &mut index[g] {
                *index = s.lookup(table, *index);
            }
            let three = s.add(s.add(index[g][0], index[g][1]), index[g][2]);
            all[g] = s.add(all[g], three);
            high[g] = s.add(high[g], s.shr16::<4>(three));
        }
    }
    let mut result = s.splat(0);
    for g in 0..GROUPS {
        result = s.xor(result, s.xor(all[g], high[g]));
    }
    result
}

/// For each byte: both nibbles, looked up and added.
#[inline(always)]
fn row_rounds<S: Simd>(s: S, seed: u8) -> S::V {
    let (low, high, nibble) = (table(s, seed), table(s, seed + 1), s.splat(15));
    let mut x: [S::V; CHAINS] = core::array::from_fn(|c| s.splat(17 * c as u8));
    let mut all = [s.splat(0); CHAINS];
    for _ in 0..ROUNDS {
        for c in 0..CHAINS {
            let first = s.lookup(low, s.and(x[c], nibble));
            let second = s.lookup(high, s.and(s.shr16::<4>(x[c]), nibble));
            x[c] = s.add(first, second);
            all[c] = s.add(all[c], x[c]);
        }
    }
    let mut result = s.splat(0);
    for all in all {
        result = s.xor(result, all);
    }
    result
}

/// Four times four look-ups into two planes, whose pairs are then taken apart.
#[inline(always)]
fn byte_rounds<S: Simd>(s: S, seed: u8) -> S::V {
    let table = table(s, seed);
    let mut index: [[S::V; 2]; 2] =
        core::array::from_fn(|plane| core::array::from_fn(|half| s.splat((2 * plane + half) as u8)));
    let mut pairs = [[s.splat(0); 2]; 2];
    for _ in 0..ROUNDS {
        for plane in 0..2 {
            let mut bytes = s.splat(0);
            for _ in 0..4 {
                for index in &mut index[plane] {
                    *index = s.lookup(table, *index);
                    bytes = s.add(bytes, *index);
                }
            }
            pairs[plane][0] = s.add16(pairs[plane][0], bytes);
            pairs[plane][1] = s.add16(pairs[plane][1], s.shr16::<8>(bytes));
        }
    }
    let mut result = s.splat(0);
    for pair in pairs.as_flattened() {
        result = s.xor(result, *pair);
    }
    result
}

/// Rows, each with a table of its own.
const REAL_ROWS: usize = 4;

/// A sum for each row and each of two vectors of columns.
#[inline(always)]
fn real_rounds<S: Simd>(s: S, seed: u8) -> S::V {
    let tables: [[f32; 8]; REAL_ROWS] =
        core::array::from_fn(|r| core::array::from_fn(|i| f32::from(seed) + (8 * r + i) as f32));
    let select = [s.low_nibbles(s.splat32(seed.into())), s.high_nibbles(s.splat32(u32::from(seed) << 3))];
    let mut sums = [[s.splat32(0); 2]; REAL_ROWS];
    for _ in 0..ROUNDS {
        let tables = black_box(&tables);
        for (sums, table) in sums.iter_mut().zip(tables) {
            // SAFETY: a table has 8 numbers.
            let table = unsafe { s.real_table(table.as_ptr()) };
            for (sum, select) in sums.iter_mut().zip(select) {
                *sum = s.real_add(*sum, s.real_lookup(table, select));
            }
        }
    }
    let mut result = s.splat(0);
    for sum in sums.as_flattened() {
        result = s.xor(result, *sum);
    }
    result
}

/// Differences of two pairs of words, through a carry-save adder. The left words are memory operands.
#[inline(always)]
fn count_rounds<S: Simd, const C: usize>(s: S, seed: u8) -> S::V {
    let left = black_box([u64::from(seed) * 0x0123_4567_89ab_cdef; C]);
    let mut ones: [S::V; C] = core::array::from_fn(|c| s.splat(c as u8));
    let mut twos = ones;
    for _ in 0..ROUNDS {
        // the right operand changes
        let right = [twos[0], twos[1]];
        s.count_differences(&mut ones, &mut twos, &left, right);
    }
    let mut result = s.splat(0);
    for c in 0..C {
        result = s.xor(result, s.xor(ones[c], twos[c]));
    }
    result
}

/// Two look-ups in 128 entries, their sum added to `all`, and shifted to `high`.
#[inline(always)]
fn vote_rounds<S: Simd>(s: S, seed: u8) -> S::V {
    let tables: [[u8; 128]; 2] =
        black_box([3, 5].map(|step| core::array::from_fn(|i| (i as u8).wrapping_mul(step) ^ seed)));
    let mut index: [[S::V; 2]; CHAINS] =
        core::array::from_fn(|c| core::array::from_fn(|j| s.splat((2 * c + j) as u8)));
    let mut all = [s.splat(0); CHAINS];
    let mut high = all;
    for _ in 0..ROUNDS {
        for c in 0..CHAINS {
            for j in 0..2 {
                index[c][j] = s.lookup128(&tables[j], index[c][j]);
            }
            let two = s.add(index[c][0], index[c][1]);
            all[c] = s.add(all[c], two);
            high[c] = s.add(high[c], s.shr16::<4>(two));
        }
    }
    let mut result = s.splat(0);
    for c in 0..CHAINS {
        result = s.xor(result, s.xor(all[c], high[c]));
    }
    result
}
