//! Random signs of reals: the nearer a value is to +1, the likelier its bit is 1.
//!
//! Each value is compared with its own threshold, drawn uniformly from the `2^24` numbers
//! `-1, -1 + 2^-23, ..` below 1. So the bit is 1 with probability `(x + 1) / 2` to within `2^-24`: never for
//! x <= -1, always for x >= 1.
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

/// bit = `[x > v]` with a random `v` in [-1, 1) that depends only on the noise, the row and the column; NaN
/// gives 0. x and bits: (rows, cols).
///
/// # Errors
/// [`Error::Length`](crate::Error::Length) unless x and bits have the same number of elements.
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

/// Operations for each value, roughly.
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
