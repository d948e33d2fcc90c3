//! Reals to bits at random: the nearer to +1, the likelier a 1.
//!
//! A value meets a threshold of its own, drawn evenly from the `2^24` numbers `-1, -1 + 2^-23, ..` below 1. So the bit is 1
//! with probability `(x + 1) / 2` to within `2^-24`, never from -1 down, and always from 1 up.
//!
//! ```
//! use onebit_bits::{BitTensor, Engine, Noise, pack_random_signs_into};
//!
//! let mut bits = BitTensor::zeros(1, 10_000);
//! pack_random_signs_into(&Engine::single(), &[-0.5; 10_000], Noise { seed: 1, step: 0 }, &mut bits)?;
//! assert!((2_300..2_700).contains(&bits.count_ones())); // a quarter
//! # Ok::<(), onebit_bits::Error>(())
//! ```

use super::noise::{Noise, hash};
use crate::{
    error::{Result, check_len},
    machine::{Engine, simd},
    tensor::{BitTensor, compare},
};

/// bit = `[x > v]` with a random `v` in [-1, 1), a function of the noise, the row and the column alone; of a NaN it is 0.
/// x and bits: (rows, cols).
///
/// # Errors
/// [`Error::Length`](crate::Error::Length) unless there are as many values as bits.
pub fn pack_random_signs_into(engine: &Engine, x: &[f32], noise: Noise, bits: &mut BitTensor) -> Result<()> {
    let (cols, w) = (bits.cols(), bits.words_per_row());
    check_len("pack_random_signs", "x", bits.shape(), x.len())?;
    let work = x.len().saturating_mul(OPERATIONS);
    engine.rows(bits.words_mut(), w, work, |first, words| {
        for (row, (words, x)) in
            words.chunks_exact_mut(w).zip(x[first * cols..].chunks_exact(cols)).enumerate()
        {
            random_signs(engine.isa(), x, noise.key(first + row), words);
        }
    });
    Ok(())
}

/// What a value takes, more or less.
const OPERATIONS: usize = 8;

simd! {
    fn random_signs<S>(_s: S, x: &[f32], key: u32, words: &mut [u64]) {
        for (index, (x, word)) in x.chunks(64).zip(words).enumerate() {
            let mut thresholds = [0.0; 64];
            for (j, threshold) in thresholds.iter_mut().enumerate() {
                *threshold = (hash(key, 64 * index + j) >> 8) as f32 * (1.0 / (1u32 << 23) as f32) - 1.0;
            }
            *word = compare(x, |j, x| x > thresholds[j]);
        }
    }
}
