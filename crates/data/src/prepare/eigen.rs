//! Eigenvectors of symmetric matrices in f64, and sums of outer products.
//!
//! ```text
//! A = Q T Q^T by Householder reflections, T tridiagonal
//! T = S diag(values) S^T by implicit QL, U = Q S
//! ```
//!
//! Both are textbook methods (Golub and Van Loan, Matrix Computations, 8.3). All work of order n^3 runs over
//! contiguous rows and over threads, with each sum in a fixed order.

use onebit_bits::{Engine, vectorized};

use crate::error::DataError;

/// Numbers processed side by side.
const LANES: usize = 16;
/// The rows of a sum of outer products that are computed together, and the samples that are added together.
const TILE: usize = 4;
/// Rotations collected before they are applied to the vectors, whose panel stays in the L2 cache meanwhile.
const ROTATIONS: usize = 1 << 16;
/// The largest number of QL sweeps per eigenvalue; two are usual.
const SWEEPS: usize = 60;

/// Adds `sum_s x_s x_s^T` to the upper triangle of `sum`, `(n, n)`, for the rows of `x`, `(s, n)`.
pub(crate) fn add_outer(engine: &Engine, n: usize, x: &[f64], sum: &mut [f64]) -> Result<(), DataError> {
    Ok(engine.chunks(sum, TILE * n, |first, rows| add_outer_rows(engine.isa(), n, first / n, x, rows))?)
}

vectorized! {
    /// [`add_outer`] for the rows of the sum from `first` on.
    fn add_outer_rows<'a>(n: usize, first: usize, x: &'a [f64], rows: &'a mut [f64]) {
        let (tiles, rest) = x.split_at(x.len() / (TILE * n) * (TILE * n));
        for x in tiles.chunks_exact(TILE * n) {
            let x: [&[f64]; TILE] = std::array::from_fn(|s| &x[s * n..][..n]);
            add_samples(n, first, x, rows);
        }
        for x in rest.chunks_exact(n) {
            add_samples(n, first, [x], rows);
        }
    }
}

#[inline(always)]
fn add_samples<const S: usize>(n: usize, first: usize, x: [&[f64]; S], rows: &mut [f64]) {
    let x: [&[f64]; S] = x.map(|x| &x[first..n]);
    for (at, row) in rows.chunks_exact_mut(n).enumerate() {
        let factors = x.map(|x| x[at]);
        let row = &mut row[first..];
        for (j, sum) in row.iter_mut().enumerate() {
            for s in 0..S {
                *sum += factors[s] * x[s][j];
            }
        }
    }
}

/// Copies the upper triangle of `a`, `(n, n)`, to the lower one.
pub(crate) fn mirror(n: usize, a: &mut [f64]) {
    for row in 1..n {
        for col in 0..row {
            a[row * n + col] = a[col * n + row];
        }
    }
}

/// The eigenvalues and orthonormal eigenvectors of a symmetric matrix.
pub(crate) struct Eigen {
    /// The eigenvalues, `(n)`, unordered.
    pub(crate) values: Vec<f64>,
    /// The eigenvectors in panels of [`LANES`] features: `(n / LANES, n, LANES)`.
    panels: Vec<f64>,
}

impl Eigen {
    /// Decomposes `a`, `(n, n)`. Returns `None` if QL does not converge; no finite matrix is known for which
    /// it fails.
    pub(crate) fn new(engine: &Engine, n: usize, mut a: Vec<f64>) -> Result<Option<Self>, DataError> {
        let [mut values, mut off, betas] = tridiagonal(engine, n, &mut a)?;
        let turned = reflect(engine, n, &a, &betas)?;
        let mut panels = vec![0.0; n.div_ceil(LANES) * n * LANES];
        for (p, panel) in panels.chunks_exact_mut(n * LANES).enumerate() {
            for (j, lanes) in panel.chunks_exact_mut(LANES).enumerate() {
                let features = &turned[j * n..][..n][p * LANES..];
                let features = &features[..features.len().min(LANES)];
                lanes[..features.len()].copy_from_slice(features);
            }
        }
        drop((turned, a));
        let mut rotations = Vec::new();
        let converged = diagonalize(&mut values, &mut off, SWEEPS, |more, last| {
            rotations.extend_from_slice(more);
            if rotations.len() >= ROTATIONS || last {
                engine
                    .chunks(&mut panels[..], n * LANES, |_, panel| rotate(engine.isa(), &rotations, panel))?;
                rotations.clear();
            }
            Ok(())
        })?;
        Ok(converged.then_some(Self { values, panels }))
    }

    /// Writes eigenvector `k` to `u`, `(n)`.
    pub(crate) fn vector(&self, k: usize, u: &mut [f64]) {
        let n = self.values.len();
        for (p, u) in u.chunks_mut(LANES).enumerate() {
            u.copy_from_slice(&self.panels[(p * n + k) * LANES..][..u.len()]);
        }
    }
}

/// Reduces `a`, `(n, n)`, to a tridiagonal matrix. Returns its diagonal, its off-diagonal, and the `beta` of
/// each reflection `I - beta v v^T`; the vectors `v` are left in the rows of `a`, right of the diagonal.
fn tridiagonal(engine: &Engine, n: usize, a: &mut [f64]) -> Result<[Vec<f64>; 3], DataError> {
    let (mut diagonal, mut off, mut betas) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    let mut w = vec![0.0; n];
    for k in 0..n {
        diagonal[k] = a[k * n + k];
        let (head, below) = a.split_at_mut((k + 1) * n);
        let v = &mut head[k * n + k + 1..];
        // The last off-diagonal entry needs no reflection.
        let largest = v.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
        if v.len() < 2 || largest == 0.0 {
            off[k] = v.first().copied().unwrap_or(0.0);
            continue;
        }
        // Scaling keeps every square within the range of f64.
        v.iter_mut().for_each(|x| *x /= largest);
        let norm = dot(v, v).sqrt();
        let alpha = -norm.copysign(v[0]);
        v[0] -= alpha;
        off[k] = alpha * largest;
        let beta = 2.0 / dot(v, v);
        betas[k] = beta;
        let (v, w) = (&*v, &mut w[k + 1..]);
        engine.chunks(&mut *w, 32, |first, w| {
            let rows = &below[first * n..][..w.len() * n];
            multiply(engine.isa(), (n, k + 1), beta, rows, v, w);
        })?;
        let half = beta / 2.0 * dot(w, v);
        w.iter_mut().zip(v).for_each(|(w, v)| *w -= half * v);
        engine.chunks(below, 32 * n, |first, rows| {
            subtract(engine.isa(), (n, k + 1), first / n, v, w, rows);
        })?;
    }
    Ok([diagonal, off, betas])
}

vectorized! {
    /// `w = beta A v`, for some rows of `A` and their columns from `first` on.
    fn multiply<'a>(shape: (usize, usize), beta: f64, rows: &'a [f64], v: &'a [f64], w: &'a mut [f64]) {
        let (n, first) = shape;
        for (w, row) in w.iter_mut().zip(rows.chunks_exact(n)) {
            *w = beta * dot(&row[first..], v);
        }
    }
}

vectorized! {
    /// `A -= v w^T + w v^T`, for the rows from `at` on and their columns from `first` on.
    fn subtract<'a>(shape: (usize, usize), at: usize, v: &'a [f64], w: &'a [f64], rows: &'a mut [f64]) {
        let (n, first) = shape;
        for (row, (&v_row, &w_row)) in rows.chunks_exact_mut(n).zip(v[at..].iter().zip(&w[at..])) {
            for (a, (v, w)) in row[first..].iter_mut().zip(v.iter().zip(w)) {
                *a -= v_row * w + w_row * v;
            }
        }
    }
}

/// Computes `Q^T`, the product of the reflections in `a`, `(n, n)`, from the last to the first.
fn reflect(engine: &Engine, n: usize, a: &[f64], betas: &[f64]) -> Result<Vec<f64>, DataError> {
    let mut turned = vec![0.0; n * n];
    turned.iter_mut().step_by(n + 1).for_each(|one| *one = 1.0);
    engine.chunks(&mut turned[..], LANES * n, |first, rows| {
        reflect_rows(engine.isa(), n, first / n, a, betas, rows);
    })?;
    Ok(turned)
}

vectorized! {
    /// [`reflect`] for the rows from `first` on; reflections that leave a row unchanged are skipped.
    fn reflect_rows<'a>(n: usize, first: usize, a: &'a [f64], betas: &'a [f64], rows: &'a mut [f64]) {
        let count = rows.len() / n;
        for k in (0..first + count - 1).rev() {
            let v = &a[k * n + k + 1..(k + 1) * n];
            for (row, m) in rows.chunks_exact_mut(n).enumerate() {
                if betas[k] != 0.0 && k < first + row {
                    let m = &mut m[k + 1..];
                    let factor = betas[k] * dot(m, v);
                    for (m, v) in m.iter_mut().zip(v) {
                        *m -= factor * v;
                    }
                }
            }
        }
    }
}

/// The scalar product, summed in the same order on every instruction set: lane by lane, then over the lanes.
#[inline(always)]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

/// A plane rotation of the vectors `at` and `at + 1`.
#[derive(Clone, Copy)]
struct Rotation {
    at: usize,
    cos: f64,
    sin: f64,
}

vectorized! {
    /// Rotates a panel: [`LANES`] features of all vectors.
    fn rotate<'a>(rotations: &'a [Rotation], panel: &'a mut [f64]) {
        let lanes = panel.as_chunks_mut::<LANES>().0;
        for &Rotation { at, cos, sin } in rotations {
            let (mut low, mut high) = (lanes[at], lanes[at + 1]);
            for lane in 0..LANES {
                let (x, y) = (low[lane], high[lane]);
                low[lane] = cos * x - sin * y;
                high[lane] = sin * x + cos * y;
            }
            (lanes[at], lanes[at + 1]) = (low, high);
        }
    }
}

/// Implicit QL with Wilkinson's shift: turns the diagonal `d` of a tridiagonal matrix with the off-diagonal
/// `e` into the eigenvalues. `turn` gets the rotations of each sweep and, at the end, no rotations and
/// `true`. Returns false if an eigenvalue takes more than `most` sweeps.
fn diagonalize(
    d: &mut [f64],
    e: &mut [f64],
    most: usize,
    mut turn: impl FnMut(&[Rotation], bool) -> Result<(), DataError>,
) -> Result<bool, DataError> {
    let mut rotations = Vec::new();
    for l in 0..d.len() {
        let mut sweeps = 0;
        loop {
            // The block that starts at l ends where the matrix decouples.
            let small = |m: &usize| e[*m].abs() <= f64::EPSILON * (d[*m].abs() + d[*m + 1].abs());
            let m = (l..d.len() - 1).find(small).unwrap_or(d.len() - 1);
            if m == l {
                break;
            }
            if sweeps == most {
                return Ok(false);
            }
            sweeps += 1;
            let half = (d[l + 1] - d[l]) / (2.0 * e[l]);
            let mut g = d[m] - d[l] + e[l] / (half + libm::hypot(half, 1.0).copysign(half));
            let (mut sin, mut cos, mut shift) = (1.0, 1.0, 0.0);
            let mut split = false;
            rotations.clear();
            for at in (l..m).rev() {
                let (f, b) = (sin * e[at], cos * e[at]);
                let r = libm::hypot(f, g);
                e[at + 1] = r;
                if r == 0.0 {
                    d[at + 1] -= shift;
                    split = true;
                    break;
                }
                (sin, cos) = (f / r, g / r);
                let before = d[at + 1] - shift;
                let turned = (d[at] - before) * sin + 2.0 * cos * b;
                shift = sin * turned;
                d[at + 1] = before + shift;
                g = cos * turned - b;
                rotations.push(Rotation { at, cos, sin });
            }
            if !split {
                d[l] -= shift;
                e[l] = g;
            }
            e[m] = 0.0;
            turn(&rotations, false)?;
        }
    }
    turn(&[], true)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn random(n: usize, seed: u64) -> Vec<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..n).map(|_| (rng.next_u64() >> 11) as f64 / (1u64 << 52) as f64 - 1.0).collect()
    }

    /// `x^T x`, entry by entry, for `x`, `(s, n)`.
    fn outer(n: usize, x: &[f64]) -> Vec<f64> {
        let entry = |row, col| x.chunks_exact(n).map(|x| x[row] * x[col]).sum();
        (0..n * n).map(|at| entry(at / n, at % n)).collect()
    }

    fn assert_close(got: &[f64], expected: &[f64], tolerance: f64) {
        assert_eq!(got.len(), expected.len());
        for (at, (got, expected)) in got.iter().zip(expected).enumerate() {
            assert!((got - expected).abs() <= tolerance, "{at}: {got} {expected}");
        }
    }

    #[test]
    fn sums_of_outer_products() {
        for (samples, n) in [(1, 1), (3, 4), (4, 5), (11, 7), (64, 33)] {
            let x = random(samples * n, 1);
            let mut sum = vec![0.0; n * n];
            let half = samples / 2 * n;
            add_outer(&Engine::single(), n, &x[..half], &mut sum).unwrap();
            add_outer(&Engine::new(2).unwrap(), n, &x[half..], &mut sum).unwrap();
            mirror(n, &mut sum);
            assert_close(&sum, &outer(n, &x), 1e-12);
        }
    }

    /// `U diag(values) U^T` gives the matrix, and `U^T U` the identity.
    fn check(n: usize, a: &[f64]) -> Vec<f64> {
        let size = a.iter().fold(0.0f64, |size, x| size.max(x.abs()));
        let eigen = Eigen::new(&Engine::single(), n, a.to_vec()).unwrap().expect("it converges");
        let mut u = vec![0.0; n * n]; // (k, n)
        u.chunks_exact_mut(n).enumerate().for_each(|(k, u)| eigen.vector(k, u));
        let entry = |at: usize| (0..n).map(|k| u[k * n + at / n] * eigen.values[k] * u[k * n + at % n]).sum();
        assert_close(&(0..n * n).map(entry).collect::<Vec<f64>>(), a, 1e-13 * n as f64 * size);
        let identity: Vec<f64> = (0..n * n).map(|at| if at / n == at % n { 1.0 } else { 0.0 }).collect();
        assert_close(&outer(n, &u), &identity, 1e-13 * n as f64);
        for threads in [1, 2] {
            for isa in onebit_bits::Isa::available() {
                let engine = Engine::new(threads).unwrap().with_isa(isa);
                let again = Eigen::new(&engine, n, a.to_vec()).unwrap().unwrap();
                assert!(again.values == eigen.values && again.panels == eigen.panels, "{threads} {isa:?}");
            }
        }
        let mut values = eigen.values;
        values.sort_by(f64::total_cmp);
        values
    }

    #[test]
    fn random_matrices() {
        for (n, samples) in [(1, 1), (2, 5), (3, 1), (16, 40), (17, 40), (70, 100), (50, 10)] {
            check(n, &outer(n, &random(samples * n, 2)));
        }
    }

    #[test]
    fn matrices_with_known_eigenvalues() {
        assert_eq!(check(3, &[0.0; 9]), [0.0; 3]);
        assert_eq!(check(3, &[3.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 2.0]), [-1.0, 2.0, 3.0]);
        assert_close(&check(2, &[0.0, 1.0, 1.0, 0.0]), &[-1.0, 1.0], 1e-15);
        let (n, ones) = (20, vec![1.0; 400]);
        let values = check(n, &ones);
        assert_close(&values[..n - 1], &[0.0; 19], 1e-13);
        assert_close(&values[n - 1..], &[20.0], 1e-13);
        for scale in [1e-150, 1e150] {
            let a: Vec<f64> = outer(9, &random(90, 3)).iter().map(|x| x * scale).collect();
            check(9, &a);
        }
        // A string of n masses has the eigenvalues 2 - 2 cos(pi k / (n + 1)).
        let string = |at: usize| [2.0, -1.0].get((at / 31).abs_diff(at % 31)).copied().unwrap_or(0.0);
        let values = check(31, &(0..31 * 31).map(string).collect::<Vec<f64>>());
        let angle = |k: usize| std::f64::consts::PI * k as f64 / 32.0;
        assert_close(&values, &(1..=31).map(|k| 2.0 - 2.0 * angle(k).cos()).collect::<Vec<_>>(), 1e-13);
    }

    #[test]
    fn sweeps_have_a_limit() {
        assert!(!diagonalize(&mut [1.0, 2.0], &mut [1.0, 0.0], 0, |_, _| Ok(())).unwrap());
        assert!(diagonalize(&mut [1.0, 2.0], &mut [1.0, 0.0], SWEEPS, |_, _| Ok(())).unwrap());
    }
}
