//! The same where whole vectors are permuted: eight rows with a table each against two vectors of columns,
//! and what makes the indices of both nibbles of a byte.

use core::{array::from_fn, hint::black_box};

use super::mix::{Mix, ROUNDS};
use crate::{machine::has_bf16, simd::Wide};

const ROWS: usize = 8;

/// Whether the kernels of this mix permute whole vectors.
pub(super) fn has(mix: Mix) -> bool {
    matches!(mix, Mix::Reals | Mix::Halves | Mix::Bytes)
}

/// Multiplications of a round: four values in each lane of 32 or 16 bits, twice.
pub(super) fn per_round(mix: Mix) -> usize {
    let lanes = if mix == Mix::Reals { 16 } else { 32 };
    2 * ROWS * 2 * 4 * lanes
}

#[inline(always)]
pub(super) fn rounds<W: Wide>(w: W, mix: Mix, seed: u8) -> u8 {
    let result = match mix {
        Mix::Reals => {
            loops(w, seed, |index| index, |sums, table, index| w.real_add_permuted(sums, table, index))
        }
        Mix::Halves if has_bf16() => loops(
            w,
            seed,
            |index| index.map(|index| w.index16(index)),
            // SAFETY: it has.
            |sums, table, index| unsafe { w.bf16_add_permuted(sums, table, index) },
        ),
        Mix::Halves => loops(
            w,
            seed,
            |index| index.map(|index| w.index16(index)),
            |sums, table, index| from_fn(|j| w.bf16_add(sums[j], w.permute16(table, index[j]))),
        ),
        _ => loops(
            w,
            seed,
            |index| index.map(|index| w.index16(index)),
            |sums, table, index| w.add16_permuted(sums, table, index),
        ),
    };
    let mut bytes = [0; 64];
    // SAFETY: 64 bytes.
    unsafe { w.store(bytes.as_mut_ptr(), result) };
    bytes.iter().fold(0, |all, byte| all ^ byte)
}

#[inline(always)]
fn loops<W: Wide>(
    w: W,
    seed: u8,
    index_of: impl Fn([W::V; 2]) -> [W::V; 2],
    add: impl Fn([W::V; 2], W::V, [W::V; 2]) -> [W::V; 2],
) -> W::V {
    let first = [3, 5].map(|n| w.splat32(black_box(u32::from(seed) * n)));
    let tables: [W::V; ROWS] = from_fn(|r| w.splat32(black_box(r as u32)));
    let mut sums = [[w.splat32(0); 2]; ROWS];
    for _ in 0..ROUNDS {
        let mut index = first;
        for _ in 0..2 {
            let picks = index_of(index);
            for (sums, table) in sums.iter_mut().zip(tables) {
                *sums = add(*sums, table, picks);
            }
            index = index.map(|index| w.shr32_4(index));
        }
    }
    let mut result = w.splat32(0);
    for sums in sums.as_flattened() {
        result = w.add32(result, *sums);
    }
    result
}
