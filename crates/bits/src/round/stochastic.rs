//! Stochastic rounding: the scale of a row or column, and the integer below or above.

/// Binary digits of u, and of the fraction that it is added to.
const DIGITS: u32 = 15;

/// `floor(y + u)` for |y| <= 127, where u are the highest digits of `random`.
#[inline(always)]
pub(crate) fn floor(y: f32, random: u32) -> i8 {
    /// f32 around this number have steps of 1, so that their lowest bits are a whole number.
    const WHOLE: f32 = 1.5 * (1u32 << 23) as f32;
    let fixed = y * (1u32 << DIGITS) as f32 + WHOLE;
    let fixed = fixed.to_bits().wrapping_sub(WHOLE.to_bits()) as i32;
    (fixed.wrapping_add((random >> (32 - DIGITS)) as i32) >> DIGITS) as i8
}

/// The scale of values whose greatest magnitude has the bits `greatest`, and the inverse of the scale.
#[inline(always)]
fn scales(greatest: u32, limit: f32) -> (f32, f32) {
    let greatest = f32::from_bits(greatest);
    if !greatest.is_finite() {
        (f32::NAN, 0.0)
    } else if greatest < limit * f32::MIN_POSITIVE {
        (0.0, 0.0)
    } else {
        (greatest / limit, limit / greatest)
    }
}

/// The bits of |x|, in the order of the magnitudes, with infinity and NaN at the top.
#[inline(always)]
fn magnitude(x: f32) -> u32 {
    x.to_bits() & (u32::MAX >> 1)
}

/// The scale of a row, and its inverse.
#[inline(always)]
pub(crate) fn row_scales(a: &[f32], limit: f32) -> (f32, f32) {
    let mut greatest = 0;
    for a in a {
        greatest = greatest.max(magnitude(*a));
    }
    scales(greatest, limit)
}

/// Writes the scales of columns `first..` of a, (k, m), at most N, and returns their inverses, with 0 beyond
/// them.
#[inline(always)]
pub(crate) fn column_scales<const N: usize>(
    a: &[f32],
    m: usize,
    first: usize,
    limit: f32,
    scale: &mut [f32],
) -> [f32; N] {
    let mut greatest = [0; N];
    for row in a.chunks_exact(m) {
        for (greatest, a) in greatest.iter_mut().zip(&row[first..][..scale.len()]) {
            *greatest = magnitude(*a).max(*greatest);
        }
    }
    let mut inverse = [0.0; N];
    for (scale, (inverse, greatest)) in scale.iter_mut().zip(inverse.iter_mut().zip(greatest)) {
        (*scale, *inverse) = scales(greatest, limit);
    }
    inverse
}
