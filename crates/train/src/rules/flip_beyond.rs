//! The code that [`Bop`](crate::rules::Bop) and [`Bop2`](crate::rules::Bop2) share: running averages, and
//! the comparison that flips a weight.

use onebit_bits::{Isa, sign_words, vectorized};

use crate::{error::Result, optimizers::schedule::Scheduled};

/// Elements per pass: three slices of this length stay in the L1 cache.
pub(crate) const RUN: usize = 64 * WORDS;
pub(crate) const WORDS: usize = 16;

/// Checks a threshold: finite and at least 0 over the whole run.
pub(crate) fn check_threshold(threshold: impl Into<Scheduled>) -> Result<Scheduled> {
    threshold.into().check("threshold", 0.0..=f64::from(f32::MAX))
}

/// Flips each weight with `w push > threshold`; returns how many flipped. `push` has at most [`RUN`]
/// elements, `weights` the words for them. A NaN flips nothing.
#[inline(always)]
pub(crate) fn flip_beyond(isa: Isa, push: &[f32], threshold: f32, weights: &mut [u64]) -> u64 {
    // A number above the threshold is at least the next float.
    let limit = threshold.next_up();
    let beyond = |sign: f32| {
        let (mut excess, mut bits) = ([0.0; RUN], [0; WORDS]);
        let excess = &mut excess[..push.len()];
        subtract(isa, sign, push, limit, excess);
        sign_words(isa, excess, &mut bits[..weights.len()]).expect("a word for each 64 weights");
        bits
    };
    let (up, down) = (beyond(1.0), beyond(-1.0));
    let mut flips = 0;
    for (word, (up, down)) in weights.iter_mut().zip(up.into_iter().zip(down)) {
        let flip = (*word & up) | (!*word & down);
        flips += u64::from(flip.count_ones());
        *word ^= flip;
    }
    flips
}

vectorized! {
    fn subtract<'a>(sign: f32, push: &'a [f32], limit: f32, excess: &'a mut [f32]) {
        for (excess, push) in excess.iter_mut().zip(push) {
            *excess = sign * push - limit;
        }
    }
}

vectorized! {
    /// `average <- (1 - share) average + share new`, written so that a share below the rounding of 1 still
    /// counts.
    pub(crate) fn follow<'a>(share: f32, new: &'a [f32], average: &'a mut [f32]) {
        for (average, new) in average.iter_mut().zip(new) {
            *average += share * (new - *average);
        }
    }
}

vectorized! {
    /// [`follow`] for the squares of `new`.
    pub(crate) fn follow_squares<'a>(share: f32, new: &'a [f32], average: &'a mut [f32]) {
        for (average, new) in average.iter_mut().zip(new) {
            *average += share * (new * new - *average);
        }
    }
}
