//! Sums over one row of weights, and their comparison with a limit.

use crate::layer::{Limits, Thresholds};

/// `sum_i x_i w_i`.
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

    /// The bit at column `k o + unit`.
    pub(super) fn on(self, thresholds: &Thresholds, column: usize) -> bool {
        let descending = thresholds.descending.get(0, column % thresholds.descending.cols());
        match (self, &thresholds.limits) {
            (Self::Integer(sum), Limits::Integer(limits)) => compare(sum, limits[column], descending),
            (Self::Real(sum), Limits::Real(limits)) => compare(sum, limits[column], descending),
            _ => unreachable!("limits are of the kind of the sums, checked at construction"),
        }
    }
}

fn compare<T: PartialOrd>(sum: T, limit: T, descending: bool) -> bool {
    if descending { sum <= limit } else { sum >= limit }
}

/// Over `inputs` bits: those that agree minus those that differ.
pub(super) fn dot_bits(x: &[u64], weights: &[u64], inputs: usize) -> i32 {
    let differ: u32 = x.iter().zip(weights).map(|(x, w)| (x ^ w).count_ones()).sum();
    inputs as i32 - 2 * differ as i32
}

/// Over reals: in fours, in the order that the file's specification prescribes.
pub(super) fn dot_reals(x: &[f32], weights: &[u64]) -> f32 {
    let mut sum = 0.0;
    for (four, x) in x.chunks(4).enumerate() {
        let signs = weights[four / 16] >> (four % 16 * 4);
        let term = |i: usize| x.get(i).map_or(0.0, |x| if signs >> i & 1 == 1 { *x } else { -x });
        sum += (term(0) + term(1)) + (term(2) + term(3));
    }
    sum
}

/// Over integers that are stored as reals: exactly.
pub(super) fn dot_integers(x: &[f32], weights: &[u64]) -> i32 {
    let mut sum = 0i32;
    for (x, w) in x.chunks(64).zip(weights) {
        for (i, x) in x.iter().enumerate() {
            let x = *x as i32;
            sum = sum.wrapping_add(if w >> i & 1 == 1 { x } else { -x });
        }
    }
    sum
}
