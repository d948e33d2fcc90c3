//! Sums over a filter in f64, in eight lanes: lane `k` adds the terms `k`, `k + 8`, ..., and the lanes are
//! added last.
//!
//! A single sum would wait for each addition. Eight lanes are in flight, in the same order on every machine.

const LANES: usize = 8;

/// `sum term(x)`.
#[inline(always)]
pub(crate) fn sum(values: &[f32], term: impl Fn(f64) -> f64) -> f64 {
    let (whole, rest) = values.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for values in whole {
        for (sum, x) in sums.iter_mut().zip(values) {
            *sum += term(f64::from(*x));
        }
    }
    for (sum, x) in sums.iter_mut().zip(rest) {
        *sum += term(f64::from(*x));
    }
    sums.iter().sum()
}

/// `sum term(x, y)`, for slices of equal length.
#[inline(always)]
pub(crate) fn sum_of_pairs(x: &[f32], y: &[f32], term: impl Fn(f64, f64) -> f64) -> f64 {
    let ((whole_x, rest_x), (whole_y, rest_y)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    let mut sums = [0.0; LANES];
    for (x, y) in whole_x.iter().zip(whole_y) {
        for (sum, (x, y)) in sums.iter_mut().zip(x.iter().zip(y)) {
            *sum += term(f64::from(*x), f64::from(*y));
        }
    }
    for (sum, (x, y)) in sums.iter_mut().zip(rest_x.iter().zip(rest_y)) {
        *sum += term(f64::from(*x), f64::from(*y));
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_counts_once() {
        for len in 0..40 {
            let values: Vec<f32> = (1..=len).map(|x| x as f32).collect();
            assert_eq!(sum(&values, |x| x), f64::from(len * (len + 1) / 2));
            let squares = f64::from(len * (len + 1) * (2 * len + 1) / 6);
            assert_eq!(sum_of_pairs(&values, &values, |x, y| x * y), squares);
        }
    }
}
