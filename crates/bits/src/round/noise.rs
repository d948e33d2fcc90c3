//! Randomness that depends only on seed, step and place.

use crate::tensor::mix;

/// A source of randomness. Use each pair of numbers for one rounding only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noise {
    /// Seed of the whole training.
    pub seed: u64,
    /// Number of this rounding: count steps and layers, so that no two roundings share it.
    pub step: u64,
}

impl Noise {
    /// The key of a row.
    #[must_use]
    pub fn key(self, row: usize) -> u32 {
        (mix(mix(mix(self.seed).wrapping_add(self.step)).wrapping_add(row as u64)) >> 32) as u32
    }

    /// The 32 random bits of a place under a [`key`](Self::key).
    #[inline(always)]
    #[must_use]
    pub fn bits(key: u32, place: usize) -> u32 {
        hash(key, place)
    }
}

/// The 32 random bits of a place: the mixer `lowbias32` of C. Wellons' hash prospector.
#[inline(always)]
pub(crate) fn hash(key: u32, col: usize) -> u32 {
    let x = (col as u32).wrapping_mul(0x9e37_79b9) ^ key;
    let x = (x ^ x >> 16).wrapping_mul(0x7feb_352d);
    let x = (x ^ x >> 15).wrapping_mul(0x846c_a68b);
    x ^ x >> 16
}
