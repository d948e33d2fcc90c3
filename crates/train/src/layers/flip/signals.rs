//! The two conversions and the thresholds of flip backprop.
//!
//! A *flip* has the shape of the bit tensor that it is about: 1 means "this bit should change".
//!
//! **grad2flip** (backward of a popcount). A bit `x` feeds a sum whose gradient is `g`: `g > 0` asks for 0,
//! `g < 0` asks for 1, `g = 0` asks for nothing. `flip = (x ^ [g < 0]) & [g != 0]`.
//!
//! **flip2grad** (backward of a comparison with thresholds). Threshold `k` contributes 0 where its bit should
//! stay, +1 where a 1 should become 0, -1 where a 0 should become 1; `g` is the sum over `k`. In +-1 terms a
//! flip carries `g` in {-1, 0, +1}, but only where the bit disagrees with the request.

use onebit_bits::{BitTensor, Ternary};

use crate::error::{Error, Result};

/// Returns the thresholds that cut the standard normal distribution into equal parts, for a depth of 1, 3, 7
/// or 15.
///
/// ```
/// assert_eq!(onebit_train::flip::thresholds(3)?, [-0.67, 0.0, 0.67]);
/// # Ok::<(), onebit_train::Error>(())
/// ```
///
/// # Errors
/// [`Error::Setting`] for any other depth.
pub fn thresholds(depth: usize) -> Result<Vec<f32>> {
    let positive: &[f32] = match depth {
        1 => &[],
        3 => &[0.67],
        7 => &[0.32, 0.67, 1.15],
        15 => &[0.16, 0.32, 0.49, 0.67, 0.89, 1.15, 1.53],
        _ => return Err(Error::setting("depth", "1, 3, 7 or 15 thresholds", depth)),
    };
    Ok(positive.iter().rev().map(|t| -t).chain([0.0]).chain(positive.iter().copied()).collect())
}

/// Checks that at least one threshold exists and all are finite.
pub(crate) fn check_thresholds(thresholds: &[f32]) -> Result<()> {
    if thresholds.is_empty() || thresholds.iter().any(|t| !t.is_finite()) {
        return Err(Error::setting("thresholds", "at least one, all finite", format!("{thresholds:?}")));
    }
    Ok(())
}

/// Whether the bit `x` should change, given the gradient `g` of the sum that it feeds. NaN asks for nothing.
///
/// ```
/// use onebit_train::flip::grad2flip;
///
/// assert!(grad2flip(true, 0.5)); // a smaller sum: 1 should become 0
/// assert!(grad2flip(false, -0.5)); // a larger sum: 0 should become 1
/// assert!(!grad2flip(true, -0.5));
/// ```
pub fn grad2flip(x: bool, g: f32) -> bool {
    if x { g > 0.0 } else { g < 0.0 }
}

/// Returns the gradient of each value: the sum over the flips of its `depth` bits.
///
/// `bits, flips: (b, d x)`, the result `(b, x)`, each number in `-d..=d`.
///
/// ```
/// use onebit_bits::BitTensor;
/// use onebit_train::flip::flip2grad;
///
/// // one value with the bits 1 1 0, whose first two should become 0
/// let bits = BitTensor::from_fn(1, 3, |_, k| k < 2);
/// assert_eq!(flip2grad(&bits, &bits, 3)?, [2]);
/// # Ok::<(), onebit_train::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] when the shapes differ, or the columns are not a multiple of `depth`.
pub fn flip2grad(bits: &BitTensor, flips: &BitTensor, depth: usize) -> Result<Vec<i32>> {
    if bits.shape() != flips.shape() || depth == 0 || !bits.cols().is_multiple_of(depth) {
        return Err(Error::shape(
            "flip2grad",
            format!("flips of {} x {}, a multiple of depth {depth}", bits.rows(), bits.cols()),
            format!("{} x {}", flips.rows(), flips.cols()),
        ));
    }
    let features = bits.cols() / depth;
    let mut grad = vec![0; bits.rows() * features];
    for (b, row) in grad.chunks_exact_mut(features.max(1)).enumerate() {
        for k in 0..depth {
            for (x, g) in row.iter_mut().enumerate() {
                let column = k * features + x;
                if flips.get(b, column) {
                    *g += if bits.get(b, column) { 1 } else { -1 };
                }
            }
        }
    }
    Ok(grad)
}

/// Returns the wish of each unit about its sum, from the flips of its `depth` output bits: the sign of
/// [`flip2grad`], `(b, o)`.
///
/// # Errors
/// [`Error::Shape`] when the shapes differ, or the columns are not a multiple of `depth`.
pub fn flip2wish(bits: &BitTensor, flips: &BitTensor, depth: usize) -> Result<Ternary> {
    if depth == 1 {
        // A single threshold: the wish is the bit itself wherever it should change.
        return Ok(Ternary::new(bits.and(flips.view())?, flips.clone())?);
    }
    let grad = flip2grad(bits, flips, depth)?;
    Ok(Ternary::from_i32(bits.rows(), bits.cols() / depth, &grad)?)
}

/// Returns the elementwise XNOR. A flip of the result passes unchanged to either operand.
///
/// # Errors
/// A shape error when `a` and `b` differ in shape.
pub fn xnor(a: &BitTensor, b: &BitTensor) -> Result<BitTensor> {
    Ok(a.xor(b.view())?.not())
}

/// The least integer `s` with `s > t sqrt(n)`: the threshold `t` on a standardized popcount of `n` bits as a
/// threshold `[s >= T]` on the +-1 sum `s`.
pub(crate) fn sum_threshold(t: f32, n: usize) -> i32 {
    // Exact: |t sqrt(n)| is far below 2^53, and IEEE square roots are the same on every machine.
    // A threshold that no sum reaches saturates.
    ((f64::from(t) * (n as f64).sqrt()).floor() as i32).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grad2flip_follows_the_table() {
        let table = [
            (1.0, false, false),
            (1.0, true, true),
            (-1.0, false, true),
            (-1.0, true, false),
            (0.0, true, false),
            (0.0, false, false),
            (f32::NAN, true, false),
            (f32::NAN, false, false),
        ];
        for (g, x, flip) in table {
            assert_eq!(grad2flip(x, g), flip, "g = {g}, x = {x}");
        }
    }

    #[test]
    fn thresholds_are_symmetric_and_ascending() {
        for depth in [1, 3, 7, 15] {
            let t = thresholds(depth).unwrap();
            assert_eq!(t.len(), depth);
            assert!(t.windows(2).all(|w| w[0] < w[1]));
            assert!(t.iter().zip(t.iter().rev()).all(|(a, b)| *a == -*b));
        }
        assert!(thresholds(2).unwrap_err().to_string().contains("1, 3, 7 or 15"));
    }

    #[test]
    fn sum_threshold_is_strict() {
        // n = 16: sqrt(n) = 4, so t = 0.5 means s > 2, and s = 2 itself is below.
        assert_eq!(sum_threshold(0.5, 16), 3);
        assert_eq!(sum_threshold(0.0, 16), 1);
        assert_eq!(sum_threshold(-0.5, 16), -1);
        assert_eq!(sum_threshold(f32::MAX, 16), i32::MAX);
    }

    #[test]
    fn flip2grad_adds_over_depth() {
        // One sample, two features, depth 3; column k * 2 + x.
        let bits = BitTensor::from_fn(1, 6, |_, c| [true, false, true, true, false, true][c]);
        let flips = BitTensor::from_fn(1, 6, |_, c| [true, true, true, false, true, true][c]);
        // x = 0: bits 1 1 0, flips 1 1 1 -> 1 + 1 - 1; x = 1: bits 0 1 1, flips 1 0 1 -> -1 + 0 + 1.
        assert_eq!(flip2grad(&bits, &flips, 3).unwrap(), [1, 0]);
    }
}
