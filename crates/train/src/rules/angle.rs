//! The angle between real weights and the bits that replace them.

use onebit_bits::BitView;

/// The mean over rows of the angle between real weights and their bits, in degrees. `reals` has the shape of
/// `bits`, `(o, i)`.
///
/// For a row of n weights, `cos = <w, b> / (|w| sqrt(n))`. No scale of the bits makes the error of a row
/// smaller than `|w| sin(angle)`. A row of zeros counts as 90 degrees. The result is NaN if there are no rows
/// or if the number of reals differs from that of the bits.
///
/// ```
/// use onebit_bits::BitTensor;
///
/// let plus = BitTensor::from_fn(1, 2, |_, _| true);
/// let angle = onebit_train::rules::mean_angle(&[1.0, 0.0], plus.view());
/// assert!((angle - 45.0).abs() < 1e-9);
/// ```
pub fn mean_angle(reals: &[f32], bits: BitView) -> f64 {
    let (rows, cols) = bits.shape();
    if reals.len() != rows * cols {
        return f64::NAN;
    }
    let angle = |(row, w): (usize, &[f32])| {
        let (mut along, mut squares) = (0.0, 0.0);
        for (col, w) in w.iter().map(|&w| f64::from(w)).enumerate() {
            along += if bits.get(row, col) { w } else { -w };
            squares += w * w;
        }
        let cos = if squares > 0.0 { along / (squares * cols as f64).sqrt() } else { 0.0 };
        libm::acos(cos.clamp(-1.0, 1.0)).to_degrees()
    };
    reals.chunks_exact(cols.max(1)).enumerate().map(angle).sum::<f64>() / rows as f64
}

#[cfg(test)]
mod tests {
    use onebit_bits::BitTensor;

    use super::*;

    #[test]
    fn angles_of_known_rows() {
        let plus = BitTensor::from_fn(1, 2, |_, _| true);
        let of = |w: [f32; 2]| mean_angle(&w, plus.view());
        for (w, degrees) in [
            ([3.0, 3.0], 0.0),
            ([1.0, 0.0], 45.0),
            ([1.0, -1.0], 90.0),
            ([-2.0, -2.0], 180.0),
            ([0.0; 2], 90.0),
        ] {
            assert!((of(w) - degrees).abs() < 1e-6, "{w:?}");
        }
        let two = BitTensor::from_fn(2, 2, |_, _| true);
        assert!((mean_angle(&[1.0, 1.0, 1.0, 0.0], two.view()) - 22.5).abs() < 1e-6);
        assert!(mean_angle(&[1.0], two.view()).is_nan());
    }
}
