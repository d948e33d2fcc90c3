//! Seeded random bits that do not depend on order, threads or the size of the request.
//!
//! Word w of row r is a hash of (seed, stream, r, w, draw),
//! `mix(mix(mix(mix(mix(seed) + stream) + r) + w) + draw)` with one step of splitmix64 as `mix` (Steele, Lea,
//! Flood 2014) and draws counted from 1. So any part can be computed alone: `mask(.., r, c, p)` is the upper
//! left corner of every larger mask. Give each use its own `stream`.
//!
//! A bit is 1 where U < p for a random U in [0, 1) of 16 binary digits. Write p = 0.p1 p2 p3 .., and let the
//! draws u1, u2, u3, .. hold the inverted digits of 64 such U. Then, from the lowest set digit of p up and
//! starting at 0, `mask = p_d ? mask | u_d : mask & u_d`. So p = 2^-s costs s draws, and p <= q implies that
//! mask(q) contains mask(p).
//!
//! ```
//! use onebit_bits::{Probability, mask};
//!
//! let p = Probability::new(0.3)?;
//! assert_eq!(p.get(), 19661.0 / 65536.0);
//! let ones = mask(42, 0, 100, 1000, p).count_ones();
//! assert!((29_000..31_000).contains(&ones));
//! # Ok::<(), onebit_bits::Error>(())
//! ```

use super::bits::BitTensor;
use crate::error::{Error, Result};

/// A probability of the form k / 65536.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Probability(u32);

const DIGITS: u32 = 16;

impl Probability {
    /// The nearest k / 65536, but never 0 for a positive `p`.
    ///
    /// # Errors
    /// [`Error::Probability`] unless `p` is in 0..=1.
    pub fn new(p: f64) -> Result<Self> {
        if !(0.0..=1.0).contains(&p) {
            return Err(Error::Probability(p));
        }
        let nearest = (p * f64::from(1u32 << DIGITS) + 0.5) as u32;
        Ok(Self(if p > 0.0 { nearest.max(1) } else { 0 }))
    }

    /// The value of the probability.
    #[must_use]
    pub fn get(self) -> f64 {
        f64::from(self.0) / f64::from(1u32 << DIGITS)
    }
}

/// Bits that are 1 with probability p: (rows, cols).
///
/// # Panics
/// Panics if the result does not fit into memory.
#[must_use]
pub fn mask(seed: u64, stream: u64, rows: usize, cols: usize, p: Probability) -> BitTensor {
    let mut bits = BitTensor::zeros(rows, cols);
    mask_into(seed, stream, p, &mut bits);
    bits
}

/// [`mask`] into existing bits, of any shape.
pub fn mask_into(seed: u64, stream: u64, p: Probability, bits: &mut BitTensor) {
    if p.0 == 0 {
        return bits.words_mut().fill(0);
    }
    let key = mix(mix(seed).wrapping_add(stream));
    for r in 0..bits.rows() {
        let key = mix(key.wrapping_add(r as u64));
        for (w, word) in bits.row_mut(r).iter_mut().enumerate() {
            *word = mask_word(mix(key.wrapping_add(w as u64)), p);
        }
    }
    bits.clear_padding();
}

/// Bits that are 1 with probability 1/2: (rows, cols).
///
/// # Panics
/// Panics if the result does not fit into memory.
#[must_use]
pub fn random_bits(seed: u64, stream: u64, rows: usize, cols: usize) -> BitTensor {
    mask(seed, stream, rows, cols, Probability(1 << (DIGITS - 1)))
}

fn mask_word(key: u64, p: Probability) -> u64 {
    if p.0 == 1 << DIGITS {
        return !0;
    }
    let lowest = p.0.trailing_zeros();
    (lowest..DIGITS).fold(0, |mask, digit| {
        // counted from the top, so that p and p/2 share their draws
        let u = mix(key.wrapping_add(u64::from(DIGITS - digit)));
        if p.0 >> digit & 1 == 1 { mask | u } else { mask & u }
    })
}

/// One step of splitmix64.
pub(crate) fn mix(state: u64) -> u64 {
    let z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

#[cfg(test)]
mod tests {
    /// The first numbers of splitmix64 from the seed 1234567, as its author's program prints them.
    #[test]
    fn mix_is_splitmix64() {
        let state = |n: u64| 1_234_567u64.wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let numbers = [0, 1, 2].map(|n| super::mix(state(n)));
        assert_eq!(
            numbers,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }
}
