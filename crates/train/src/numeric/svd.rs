//! The orthogonal matrix nearest to a square one, by a singular value decomposition in f64.
//!
//! One-sided Jacobi: plane rotations from the right make the columns of `D V` orthogonal; then they are
//! `U S`. Pairs come in a fixed order, so the result is the same everywhere. It takes about ten sweeps of
//! `3 n^3` multiplications.

/// The factor `U V^T` of `D = U S V^T`, n x n and row-major: the orthogonal `R` with the largest `tr(D^T R)`.
///
/// If singular values are 0, the result is one of several such matrices.
pub(crate) fn orthogonal_factor(d: &[f64], n: usize) -> Vec<f64> {
    // Columns are stored as rows: u[j] is column j of D V, v[j] of V.
    let mut u: Vec<Vec<f64>> = (0..n).map(|j| (0..n).map(|i| d[i * n + j]).collect()).collect();
    let mut v: Vec<Vec<f64>> = (0..n).map(|j| unit(n, j)).collect();
    let mut sweeps = 0..MOST_SWEEPS;
    while sweeps.next().is_some() && sweep(&mut u, &mut v) {}
    normalize(&mut u);
    let mut factor = vec![0.0; n * n];
    for (u, v) in u.iter().zip(&v) {
        for (row, u) in factor.chunks_exact_mut(n).zip(u) {
            row.iter_mut().zip(v).for_each(|(to, v)| *to += u * v);
        }
    }
    factor
}

/// A bound far above what any matrix needs.
const MOST_SWEEPS: usize = 60;
/// Columns with a smaller cosine count as orthogonal.
const TOLERANCE: f64 = 1e-14;

fn unit(n: usize, at: usize) -> Vec<f64> {
    let mut unit = vec![0.0; n];
    unit[at] = 1.0;
    unit
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Makes each pair of columns orthogonal once; returns whether any pair was not.
fn sweep(u: &mut [Vec<f64>], v: &mut [Vec<f64>]) -> bool {
    let mut turned = false;
    for p in 0..u.len() {
        for q in p + 1..u.len() {
            let (pp, qq, pq) = (dot(&u[p], &u[p]), dot(&u[q], &u[q]), dot(&u[p], &u[q]));
            if pq.abs() <= TOLERANCE * (pp * qq).sqrt() {
                continue;
            }
            turned = true;
            let zeta = (qq - pp) / (2.0 * pq);
            let tan = zeta.signum() / (zeta.abs() + (1.0 + zeta * zeta).sqrt());
            let cos = 1.0 / (1.0 + tan * tan).sqrt();
            turn(u, (p, q), (cos, cos * tan));
            turn(v, (p, q), (cos, cos * tan));
        }
    }
    turned
}

fn turn(columns: &mut [Vec<f64>], (p, q): (usize, usize), (cos, sin): (f64, f64)) {
    let (before, from_q) = columns.split_at_mut(q);
    for (p, q) in before[p].iter_mut().zip(&mut from_q[0]) {
        (*p, *q) = (cos * *p - sin * *q, sin * *p + cos * *q);
    }
}

/// Scales columns to length 1. Columns of length 0 are replaced by unit vectors orthogonal to the others.
fn normalize(u: &mut [Vec<f64>]) {
    let lengths: Vec<f64> = u.iter().map(|u| dot(u, u).sqrt()).collect();
    let nothing = lengths.iter().fold(0.0, |top: f64, &length| top.max(length)) * 1e-13;
    let (mut there, missing): (Vec<usize>, Vec<usize>) = (0..u.len()).partition(|&at| lengths[at] > nothing);
    for &at in &there {
        u[at].iter_mut().for_each(|x| *x /= lengths[at]);
    }
    let mut axes = 0..u.len();
    for at in missing {
        // Some axis always has a component of at least 1 / sqrt(n) left.
        for axis in axes.by_ref() {
            let mut left = unit(u.len(), axis);
            for _ in 0..2 {
                for &other in &there {
                    let along = dot(&left, &u[other]);
                    left.iter_mut().zip(&u[other]).for_each(|(x, u)| *x -= along * u);
                }
            }
            let length = dot(&left, &left).sqrt();
            if length > 0.5 / (u.len() as f64).sqrt() {
                left.iter_mut().for_each(|x| *x /= length);
                u[at] = left;
                there.push(at);
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn product(a: &[f64], b: &[f64], n: usize) -> Vec<f64> {
        let entry = |at: usize| (0..n).map(|k| a[at / n * n + k] * b[k * n + at % n]).sum();
        (0..n * n).map(entry).collect()
    }

    fn transpose(a: &[f64], n: usize) -> Vec<f64> {
        (0..n * n).map(|at| a[at % n * n + at / n]).collect()
    }

    /// The largest difference of an entry.
    fn distance(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).fold(0.0, |top, (a, b)| top.max((a - b).abs()))
    }

    fn identity(n: usize) -> Vec<f64> {
        (0..n).flat_map(|at| unit(n, at)).collect()
    }

    fn random(rng: &mut ChaCha8Rng, len: usize) -> Vec<f64> {
        (0..len).map(|_| rng.random_range(-1.0..1.0)).collect()
    }

    #[test]
    fn it_is_orthogonal_and_what_it_leaves_is_symmetric_and_positive() {
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        for n in [1, 2, 3, 8, 24, 72] {
            let d = random(rng, n * n);
            let r = orthogonal_factor(&d, n);
            assert!(distance(&product(&transpose(&r, n), &r, n), &identity(n)) < 1e-12, "{n}");
            // D = R H: R is the polar factor, because H = V S V^T is symmetric with a non-negative diagonal.
            let h = product(&transpose(&r, n), &d, n);
            assert!(distance(&h, &transpose(&h, n)) < 1e-11, "{n}");
            assert!((0..n).all(|at| h[at * n + at] > -1e-12), "{n}");
        }
    }

    #[test]
    fn it_has_the_largest_trace() {
        let rng = &mut ChaCha8Rng::seed_from_u64(2);
        let d = random(rng, 36);
        let best = dot(&d, &orthogonal_factor(&d, 6));
        for _ in 0..100 {
            let other = random(rng, 36);
            assert!(dot(&d, &orthogonal_factor(&other, 6)) <= best);
        }
    }

    #[test]
    fn an_orthogonal_matrix_is_its_own() {
        let r = orthogonal_factor(&random(&mut ChaCha8Rng::seed_from_u64(3), 81), 9);
        assert!(distance(&orthogonal_factor(&r, 9), &r) < 1e-12);
    }

    #[test]
    fn singular_matrices_are_completed() {
        let rng = &mut ChaCha8Rng::seed_from_u64(4);
        let (a, b) = (random(rng, 7), random(rng, 7));
        let of_rank_1: Vec<f64> = (0..49).map(|at| a[at / 7] * b[at % 7]).collect();
        for d in [of_rank_1, vec![0.0; 49]] {
            let r = orthogonal_factor(&d, 7);
            assert!(distance(&product(&transpose(&r, 7), &r, 7), &identity(7)) < 1e-12);
            let singular_values = dot(&d, &d).sqrt(); // a matrix of rank 1 has one
            assert!((dot(&d, &r) - singular_values).abs() < 1e-12);
        }
    }
}
