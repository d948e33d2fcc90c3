//! Matrix products and votes over -1, 0 and +1, straight from the formulas.
//!
//! ```
//! use onebit_reference::gemm::{gemm, votes};
//! // x: (1, 2), w: (1, 2): (+1)(-1) + (-1)(-1) = 0
//! assert_eq!(gemm(&[1, -1], &[-1, -1], (1, 2, 1)), [0]);
//! // a sum that should shrink asks its positive product to flip
//! assert_eq!(votes(&[1, -1], &[1], &[1, 1], None, (1, 1, 2)), [1, 0]);
//! ```

/// `y_bo = sum_i x_bi w_oi`. x: (b, i) in {-1, 0, 1}, w: (o, i) in {-1, 0, 1}, y: (b, o).
#[must_use]
pub fn gemm(x: &[i8], w: &[i8], (b, i, o): (usize, usize, usize)) -> Vec<i32> {
    assert_eq!((x.len(), w.len()), (b * i, o * i));
    let mut y = vec![0; b * o];
    for b in 0..b {
        for o_ in 0..o {
            for i_ in 0..i {
                y[b * o + o_] += i32::from(x[b * i + i_]) * i32::from(w[o_ * i + i_]);
            }
        }
    }
    y
}

/// [`gemm`] of +-1 given as bits, for sums that are too long for its loop. x: (b, words), w: (o, words), y:
/// (b, o). Each row is `i` bits, bit 1 is +1, padded with zeros to whole words.
#[must_use]
pub fn gemm_of_bits(x: &[u64], w: &[u64], (b, i, o): (usize, usize, usize)) -> Vec<i32> {
    let words = i.div_ceil(64);
    assert_eq!((x.len(), w.len()), (b * words, o * words));
    let differ =
        |x: &[u64], w: &[u64]| x.iter().zip(w).map(|(x, w)| (x ^ w).count_ones() as i32).sum::<i32>();
    let dot = |at: usize| i as i32 - 2 * differ(&x[at / o * words..][..words], &w[at % o * words..][..words]);
    (0..b * o).map(dot).collect()
}

/// `out_mn = sum_k a_mk b_kn` in ascending order of k, rounded after each product and each sum.
/// a: (m, k), b: (k, n), out: (m, n).
#[must_use]
pub fn real_gemm(a: &[f32], b: &[f32], (m, k, n): (usize, usize, usize)) -> Vec<f32> {
    assert_eq!((a.len(), b.len()), (m * k, k * n));
    let mut out = vec![0.0; m * n];
    for m_ in 0..m {
        for n_ in 0..n {
            for k_ in 0..k {
                out[m_ * n + n_] += a[m_ * k + k_] * b[k_ * n + n_];
            }
        }
    }
    out
}

/// The number of gates `h_mkn = own_mn operand_kn` that ask the bit `own_mn` to flip, decided gate by gate.
///
/// A gate asks for a flip if `g_mk h_mkn > 0`, because its sum should move against the signal g. If the
/// operand has changed meanwhile, the request is inverted: a pending request is fulfilled, and a satisfied
/// gate now asks. own: (m, n) in +-1, signal g: (m, k) in {-1, 0, 1}, operand: (k, n) in +-1, changed: (k,
/// n), votes: (m, n).
#[must_use]
pub fn votes(
    own: &[i8],
    signal: &[i8],
    operand: &[i8],
    changed: Option<&[bool]>,
    (m, k, n): (usize, usize, usize),
) -> Vec<u32> {
    assert_eq!((own.len(), signal.len(), operand.len()), (m * n, m * k, k * n));
    // request: (m, k, n), materialized
    let mut request = vec![false; m * k * n];
    for m_ in 0..m {
        for k_ in 0..k {
            for n_ in 0..n {
                let h = own[m_ * n + n_] * operand[k_ * n + n_];
                let asked = signal[m_ * k + k_] * h > 0;
                let turned = changed.is_some_and(|changed| changed[k_ * n + n_]);
                request[(m_ * k + k_) * n + n_] = asked != turned;
            }
        }
    }
    let mut votes = vec![0; m * n];
    for m_ in 0..m {
        for k_ in 0..k {
            for n_ in 0..n {
                votes[m_ * n + n_] += u32::from(request[(m_ * k + k_) * n + n_]);
            }
        }
    }
    votes
}

/// The bits that flip: `n > p * voters` with `p = max(mean(n) / voters, p_min)`.
///
/// This is two conditions, `n > mean(n)` and `n > p_min * voters`. The first is multiplied by the number of
/// bits, so that it compares integers.
#[must_use]
pub fn votes_to_flips(votes: &[u32], voters: u32, p_min: f64) -> Vec<bool> {
    let sum: u128 = votes.iter().map(|&n| u128::from(n)).sum();
    let above_mean = |n: u32| u128::from(n) * votes.len() as u128 > sum;
    votes.iter().map(|&n| above_mean(n) && f64::from(n) > p_min * f64::from(voters)).collect()
}
