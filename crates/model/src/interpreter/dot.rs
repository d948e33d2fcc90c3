//! Dot products with one row of weights, and their comparison with a limit.

use crate::layer::Limits;

/// A sample between two layers, `(1, i)`: real numbers, or bits with column `c` in bit `c % 64` of word `c /
/// 64`.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Reals(&'a [f32]),
    Bits(&'a [u64]),
}

/// A dot product: an integer over bits, else a real number.
#[derive(Clone, Copy)]
pub(super) enum Sum {
    Integer(i32),
    Real(f32),
}

impl Sum {
    pub(super) fn real(self) -> f32 {
        match self {
            Self::Integer(sum) => sum as f32,
            Self::Real(sum) => sum,
        }
    }

    /// The sum as an integer if the limits are integers: over bytes it is a real number, but exact.
    pub(super) fn for_limits(self, limits: &Limits) -> Self {
        match (self, limits) {
            (Self::Real(sum), Limits::Integer(_)) => Self::Integer(sum as i32),
            (sum, _) => sum,
        }
    }

    /// `[s >= limit]`, or `[s <= limit]` if descending, with the limit of column `column`.
    pub(super) fn on(self, limits: &Limits, column: usize, descending: bool) -> bool {
        match (self, limits) {
            (Self::Integer(sum), Limits::Integer(limits)) => compare(sum, limits[column], descending),
            (Self::Real(sum), Limits::Real(limits)) => compare(sum, limits[column], descending),
            _ => unreachable!("limits are of the kind of the sums, checked at construction"),
        }
    }
}

fn compare<T: PartialOrd>(sum: T, limit: T, descending: bool) -> bool {
    if descending { sum <= limit } else { sum >= limit }
}

/// `sum_i x_i w_i` over `inputs` values.
pub(super) fn dot(x: Value, weights: &[u64], inputs: usize) -> Sum {
    match x {
        Value::Bits(x) => Sum::Integer(dot_bits(x, weights, inputs)),
        Value::Reals(x) => Sum::Real(dot_reals(x, weights)),
    }
}

/// Over `inputs` bits: the number that agree minus the number that differ.
fn dot_bits(x: &[u64], weights: &[u64], inputs: usize) -> i32 {
    let differ: u32 = x.iter().zip(weights).map(|(x, w)| (x ^ w).count_ones()).sum();
    inputs as i32 - 2 * differ as i32
}

/// Over reals, added in fours, in the order that `docs/reference/format.md` prescribes.
pub(super) fn dot_reals(x: &[f32], weights: &[u64]) -> f32 {
    let mut sum = 0.0;
    for (half, x) in x.chunks(32).enumerate() {
        let mut negative = !(weights[half / 2] >> (half % 2 * 32)) as u32;
        let (fours, rest) = x.as_chunks::<4>();
        for four in fours {
            sum += signed(four, negative);
            negative >>= 4;
        }
        if !rest.is_empty() {
            let mut four = [0.0; 4];
            four[..rest.len()].copy_from_slice(rest);
            sum += signed(&four, negative);
        }
    }
    sum
}

/// The sum of four numbers, negated where the bit of `negative` is 1.
fn signed(x: &[f32; 4], negative: u32) -> f32 {
    let term = |i: usize| f32::from_bits(x[i].to_bits() ^ (negative >> i & 1) << 31);
    (term(0) + term(1)) + (term(2) + term(3))
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn dots_of_a_row_of_two_words() {
        let weights = [0x0123_4567_89ab_cdef, 0b101];
        let x: Vec<f32> = (0..67).map(|i| (i * 29 % 256) as f32).collect();
        let sign = |i: usize| if weights[i / 64] >> (i % 64) & 1 == 1 { 1 } else { -1 };
        let sum: i32 = x.iter().enumerate().map(|(i, x)| *x as i32 * sign(i)).sum();
        // sums of small integers are exact in any order
        assert_eq!(dot_reals(&x, &weights), sum as f32);
        let opposite = weights.map(|word| !word);
        assert_eq!(dot_bits(&weights, &weights, 67), 67);
        assert_eq!(dot_bits(&weights, &[opposite[0], opposite[1] & 0b111], 67), -67);
    }
}
