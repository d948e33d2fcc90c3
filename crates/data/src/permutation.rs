//! Random orders that are the same on every machine and in every version: a Fisher-Yates shuffle with
//! ChaCha8.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The numbers below `count` in a random order determined by `seed`.
///
/// ```
/// use onebit_data::permutation;
///
/// assert_eq!(permutation(10, 42), [9, 7, 2, 5, 0, 1, 4, 3, 8, 6]);
/// ```
pub fn permutation(count: usize, seed: u64) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        order.swap(last, below(&mut rng, last + 1));
    }
    order
}

/// A random number below `count`: the high half of a 128-bit product, with a bias of less than count / 2^64.
pub(crate) fn below(rng: &mut ChaCha8Rng, count: usize) -> usize {
    ((u128::from(rng.next_u64()) * count as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permutation_never_changes() {
        // The numbers come from a second implementation of ChaCha8 and of the shuffle, in Python.
        assert_eq!(permutation(10, 42), [9, 7, 2, 5, 0, 1, 4, 3, 8, 6]);
        assert_eq!(permutation(10, 0), [6, 1, 8, 3, 2, 9, 0, 5, 4, 7]);
        assert_eq!(permutation(1000, 7)[..8], [526, 828, 245, 517, 31, 225, 833, 236]);
        assert_eq!((permutation(0, 1), permutation(1, 1)), (vec![], vec![0]));
    }
}
