//! Rounding to powers of two, which turns multiplications into shifts (arXiv:1602.02830).

/// `AP2(x) = sgn(x) 2^round(log2 |x|)`, with `AP2(0) = 0`.
///
/// The exponent is rounded up from a mantissa of `sqrt(2)` on. Subnormal numbers (below `2^-126`) become 0;
/// infinities and NaN stay; a number above `2^127.5` becomes an infinity.
#[inline(always)]
pub(crate) fn ap2(x: f32) -> f32 {
    const EXPONENT: u32 = 0x7f80_0000;
    const SMALLEST_NORMAL: u32 = 0x0080_0000;
    /// The first mantissa above `sqrt(2)`, without its leading 1. Adding the rest to the next power carries
    /// over.
    const ROOT: u32 = 0x0035_04f4;
    let magnitude = x.to_bits() & !(1 << 31);
    let sign = x.to_bits() & (1 << 31);
    let power = (magnitude + (SMALLEST_NORMAL - ROOT)) & EXPONENT;
    let power = if magnitude < SMALLEST_NORMAL { 0 } else { power };
    let power = if magnitude >= EXPONENT { magnitude } else { power };
    f32::from_bits(sign | power)
}

#[cfg(test)]
mod tests {
    use std::f32::consts::SQRT_2; // rounded down

    use super::ap2;

    #[test]
    fn the_exponent_is_the_rounded_logarithm() {
        for exponent in -126..=127 {
            let power = 2f64.powi(exponent);
            for mantissa in [1.0, 1.25, SQRT_2, SQRT_2.next_up(), 1.5, 2f32.next_down()] {
                let x = (f64::from(mantissa) * power) as f32;
                let expected = f64::from(x).log2().round().exp2() as f32;
                assert_eq!(ap2(x), expected, "{x:e}");
                assert_eq!(ap2(-x), -expected, "-{x:e}");
            }
        }
    }

    #[test]
    fn what_has_no_logarithm() {
        for x in [0.0, -0.0, f32::from_bits(1), f32::MIN_POSITIVE.next_down()] {
            assert_eq!(ap2(x), 0.0, "{x:e}");
        }
        assert_eq!(ap2(f32::NEG_INFINITY), f32::NEG_INFINITY);
        assert_eq!(ap2(f32::MAX), f32::INFINITY);
        assert!(ap2(f32::NAN).is_nan());
        assert!(ap2(f32::from_bits(0x7f80_0001)).is_nan());
    }
}
