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

/// `out_mn = sum_k a_mk b_nk`, where f32 sums are rounded in this order: k goes up in fours, each four is
/// `(a0 b0 + a1 b1) + (a2 b2 + a3 b3)`, and is added to the sum of those before. Beyond k there are zeros.
/// a: (m, k), b: (n, k) in {-1, 1}, out: (m, n).
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
