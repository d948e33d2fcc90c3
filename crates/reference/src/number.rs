//! Products of numbers with +-1.
//!
//! ```
//! use onebit_reference::number::integer_gemm;
//! // a: (1, 2), b: (1, 2): 3 - 127
//! assert_eq!(integer_gemm(&[3, 127], &[1, -1], (1, 2, 1)), [-124]);
//! ```

/// `out_mn = sum_k a_mk b_nk`. a: (m, k) integers, b: (n, k) in {-1, 0, 1}, out: (m, n).
#[must_use]
pub fn integer_gemm(a: &[i32], b: &[i8], (m, k, n): (usize, usize, usize)) -> Vec<i64> {
    assert_eq!((a.len(), b.len()), (m * k, n * k));
    let mut out = vec![0; m * n];
    for m_ in 0..m {
        for n_ in 0..n {
            for k_ in 0..k {
                out[m_ * n + n_] += i64::from(a[m_ * k + k_]) * i64::from(b[n_ * k + k_]);
            }
        }
    }
    out
}

/// `out_mn = sum_k a_mk b_nk` in `f32`, added in fours: each four is `(a0 b0 + a1 b1) + (a2 b2 + a3 b3)`, and
/// the fours are added in ascending order of k. The last four is filled up with zeros. a: (m, k), b: (n, k)
/// in {-1, 1}, out: (m, n).
#[must_use]
pub fn real_gemm_by_fours(a: &[f32], b: &[i8], (m, k, n): (usize, usize, usize)) -> Vec<f32> {
    assert_eq!((a.len(), b.len()), (m * k, n * k));
    let mut out = vec![0.0; m * n];
    for m_ in 0..m {
        for n_ in 0..n {
            let term = |k_: usize| if k_ < k { a[m_ * k + k_] * f32::from(b[n_ * k + k_]) } else { 0.0 };
            for first in (0..k).step_by(4) {
                out[m_ * n + n_] += (term(first) + term(first + 1)) + (term(first + 2) + term(first + 3));
            }
        }
    }
    out
}

/// `out_mn = sum_k a_mk b_nk` in `f32`, where each sum of four is first rounded to bf16, or to 0 below
/// 2^-100.
///
/// Within each 32 values of k, the fours are added in the order of their first index: 16, 0, 20, 4, 24, 8,
/// 28, 12. a: (m, k), b: (n, k) in {-1, 1}, out: (m, n).
#[must_use]
pub fn bf16_gemm_by_fours(a: &[f32], b: &[i8], (m, k, n): (usize, usize, usize)) -> Vec<f32> {
    let mut out = vec![0.0; m * n];
    for m_ in 0..m {
        for n_ in 0..n {
            let term = |k_: usize| if k_ < k { a[m_ * k + k_] * f32::from(b[n_ * k + k_]) } else { 0.0 };
            for word in (0..k).step_by(32) {
                for first in [16, 0, 20, 4, 24, 8, 28, 12].map(|at| word + at) {
                    let four = (term(first) + term(first + 1)) + (term(first + 2) + term(first + 3));
                    out[m_ * n + n_] += if four.abs() < 2f32.powi(-100) { 0.0 } else { bf16(four) };
                }
            }
        }
    }
    out
}

/// Rounds to bf16, eight significant bits: to the nearest, and to the even one of two equally near. Above the
/// largest finite number, the next power of two takes the place of infinity in the comparison.
///
/// It compares `x` with its two neighbours in bf16, which differ by one in the upper half of their bits.
#[must_use]
pub fn bf16(x: f32) -> f32 {
    let below = f64::from(f32::from_bits(x.to_bits() & 0xffff_0000));
    if !x.is_finite() {
        return x;
    }
    let above = f32::from_bits((x.to_bits() & 0xffff_0000) + 0x1_0000);
    // above the largest number, the neighbour would be the next power of two
    let next = if above.is_finite() { f64::from(above) } else { 2f64.powi(128).copysign(f64::from(x)) };
    let (down, up) = ((f64::from(x) - below).abs(), (next - f64::from(x)).abs());
    let odd = x.to_bits() >> 16 & 1 == 1;
    if up < down || (up == down && odd) { above } else { below as f32 }
}
