//! What rules without latent weights share: the comparison that flips a weight.

use onebit_bits::{Isa, sign_words, vectorized};

/// Elements at once: three slices of them stay in the L1 cache.
pub(crate) const RUN: usize = 64 * WORDS;
pub(crate) const WORDS: usize = 16;

/// Flips each weight with `w push > threshold`; returns how many. `push` has at most [`RUN`] elements, `weights` their
/// words. What is not a number pushes nowhere.
#[inline(always)]
pub(crate) fn flip_beyond(isa: Isa, push: &[f32], threshold: f32, weights: &mut [u64]) -> u64 {
    // Above the threshold is from the next number on.
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
    /// `average <- (1 - share) average + share new`. In this form a share below the rounding of 1 is not lost.
    pub(crate) fn follow<'a>(share: f32, new: &'a [f32], average: &'a mut [f32]) {
        for (average, new) in average.iter_mut().zip(new) {
            *average += share * (new - *average);
        }
    }
}

vectorized! {
    /// [`follow`] of the squares.
    pub(crate) fn follow_squares<'a>(share: f32, new: &'a [f32], average: &'a mut [f32]) {
        for (average, new) in average.iter_mut().zip(new) {
            *average += share * (new * new - *average);
        }
    }
}
