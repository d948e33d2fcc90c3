//! A rotation of weights toward their own signs (arXiv:2009.13055).
//!
//! The `n` inputs of an output form a matrix X, a x b, with `a` the largest divisor of n up to `sqrt(n)`. Two
//! orthogonal matrices, shared by all outputs of a layer, rotate it: `R^T vec(X) = vec(R1^T X R2)`. A
//! rotation keeps lengths, so the cosine between the rotated weights and their signs is
//! `|R^T w|_1 / (|w| sqrt(n))`. Three alternating steps increase its sum over outputs; each is optimal while
//! the other two are fixed: `B_i = sgn(R1^T X_i R2)`; `R1 = V U^T` of `sum_i B_i R2^T X_i^T = U S V^T`;
//! `R2 = U V^T` of `sum_i X_i^T R1 B_i = U S V^T`.
//!
//! The fit starts from the identity, so it can only bring weights nearer to their signs. From a random
//! rotation, as in the authors' code, uniform weights would first move 6 degrees away.

use onebit_bits::{Engine, transpose, vectorized};

use crate::{
    contract::state::State,
    error::{Error, Result},
    numeric::{small_product::multiply, svd::orthogonal_factor},
};

/// The largest accepted factor of the inputs: the time of a decomposition grows with its cube.
const LARGEST: usize = 512;

/// `R1`, `(a, a)`, and `R2`, `(b, b)`, row-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rotation {
    a: usize,
    b: usize,
    r1: Vec<f32>,
    r2: Vec<f32>,
}

impl Rotation {
    /// The identity, for rows of `n` weights.
    pub(crate) fn new(n: usize) -> Result<Self> {
        let a = (1..=n.isqrt()).rev().find(|a| n.is_multiple_of(*a)).unwrap_or(1);
        let b = n / a;
        if b > LARGEST {
            let expected = format!("a product of two factors of at most {LARGEST}");
            return Err(Error::setting("rbnn inputs", expected, n));
        }
        Ok(Self { a, b, r1: identity(a), r2: identity(b) })
    }

    /// `R1`, `(a, a)`, and `R2`, `(b, b)`, row-major.
    pub(crate) fn matrices(&self) -> (&[f32], &[f32]) {
        (&self.r1, &self.r2)
    }

    /// Writes `R^T w` for each row `w` of `x`; `x` and `to` are whole rows.
    pub(crate) fn apply(&self, engine: &Engine, x: &[f32], to: &mut [f32]) -> Result<()> {
        self.multiply(engine, &transpose(self.a, self.a, &self.r1)?, &self.r2, x, to)
    }

    /// Writes `R w` for each row: the gradient with respect to `w` from the one with respect to `R^T w`.
    pub(crate) fn apply_back(&self, engine: &Engine, x: &[f32], to: &mut [f32]) -> Result<()> {
        self.multiply(engine, &self.r1, &transpose(self.b, self.b, &self.r2)?, x, to)
    }

    /// Writes `left X right` for each row.
    fn multiply(
        &self,
        engine: &Engine,
        left: &[f32],
        right: &[f32],
        x: &[f32],
        to: &mut [f32],
    ) -> Result<()> {
        let (isa, b) = (engine.isa(), self.b);
        Ok(engine.chunks((to, x), self.a * b, |_, (to, x)| {
            let mut half = vec![0.0; x.len()];
            multiply(isa, x, right, b, &mut half);
            multiply(isa, left, &half, b, to);
        })?)
    }

    /// Takes each of the three steps once, for the rows `x`, `(o, n)`. The sum of cosines does not fall.
    pub(crate) fn turn(&mut self, engine: &Engine, x: &[f32]) -> Result<()> {
        let (a, b, isa) = (self.a, self.b, engine.isa());
        let mut signs = vec![0.0; x.len()];
        self.apply(engine, x, &mut signs)?;
        sign(isa, &mut signs);
        let rows = || x.chunks_exact(a * b).zip(signs.chunks_exact(a * b));

        // R1 comes from the sum of B_i (X_i R2)^T, R2 from the sum of X_i^T (R1 B_i).
        let (mut half, mut d, mut sum) = (vec![0.0; a * b], vec![0.0; a * a], vec![0.0; a * a]);
        for (x, signs) in rows() {
            multiply(isa, x, &self.r2, b, &mut half);
            multiply(isa, signs, &transpose(a, b, &half)?, a, &mut d);
            add(isa, &mut sum, &d);
        }
        self.r1 = transpose(a, a, &narrow(&orthogonal_factor(&sum, a)))?;
        (d, sum) = (vec![0.0; b * b], vec![0.0; b * b]);
        for (x, signs) in rows() {
            multiply(isa, &self.r1, signs, b, &mut half);
            multiply(isa, &transpose(a, b, x)?, &half, b, &mut d);
            add(isa, &mut sum, &d);
        }
        self.r2 = narrow(&orthogonal_factor(&sum, b));
        Ok(())
    }

    pub(crate) fn state(&mut self, state: &mut State) -> Result<()> {
        state.reals("r1", &mut self.r1)?;
        state.reals("r2", &mut self.r2)
    }
}

vectorized! {
    fn sign<'a>(values: &'a mut [f32]) {
        for x in values {
            *x = if *x >= 0.0 { 1.0 } else { -1.0 };
        }
    }
}

vectorized! {
    fn add<'a>(sums: &'a mut [f64], terms: &'a [f32]) {
        for (sum, term) in sums.iter_mut().zip(terms) {
            *sum += f64::from(*term);
        }
    }
}

fn identity(n: usize) -> Vec<f32> {
    (0..n * n).map(|at| if at / n == at % n { 1.0 } else { 0.0 }).collect()
}

fn narrow(x: &[f64]) -> Vec<f32> {
    x.iter().map(|&x| x as f32).collect()
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn random(seed: u64, len: usize) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..len).map(|_| rng.random_range(-1.0..1.0)).collect()
    }

    /// `sum |R^T w|_1`, which the steps maximize.
    fn objective(rotation: &Rotation, x: &[f32]) -> f64 {
        let mut rotated = vec![0.0; x.len()];
        rotation.apply(&Engine::single(), x, &mut rotated).unwrap();
        rotated.iter().map(|&x| f64::from(x.abs())).sum()
    }

    #[test]
    fn the_inputs_are_as_square_as_they_can_be() {
        let shapes = [1, 2, 7, 144, 288, 576, 784, 1152, 2304, 4608].map(|n| {
            let Rotation { a, b, .. } = Rotation::new(n).unwrap();
            (a, b)
        });
        let expected = [(1, 1), (1, 2), (1, 7), (12, 12), (16, 18), (24, 24), (28, 28), (32, 36), (48, 48)];
        assert_eq!(shapes[..9], expected);
        assert_eq!(shapes[9], (64, 72));
        let error = Rotation::new(521).unwrap_err().to_string();
        assert_eq!(error, "rbnn inputs: expected a product of two factors of at most 512, got 521");
    }

    #[test]
    fn it_is_the_kronecker_product() {
        let (mut rotation, x) = (Rotation::new(6).unwrap(), random(1, 12));
        (rotation.r1, rotation.r2) = (random(2, 4), random(3, 9));
        let (mut got, mut back) = (vec![0.0; 12], vec![0.0; 12]);
        rotation.apply(&Engine::single(), &x, &mut got).unwrap();
        rotation.apply_back(&Engine::single(), &x, &mut back).unwrap();
        let (r1, r2) = rotation.matrices();
        let r = |row: usize, col: usize| r1[row / 3 * 2 + col / 3] * r2[row % 3 * 3 + col % 3];
        for (at, (got, back)) in got.iter().zip(&back).enumerate() {
            let (first, at) = (at / 6 * 6, at % 6);
            let expected: f32 = (0..6).map(|k| r(k, at) * x[first + k]).sum();
            let expected_back: f32 = (0..6).map(|k| r(at, k) * x[first + k]).sum();
            assert!((got - expected).abs() < 1e-6 && (back - expected_back).abs() < 1e-6);
        }
    }

    #[test]
    fn turns_keep_it_orthogonal_and_never_lower_the_objective() {
        for (seed, (outputs, n)) in [(3, 12), (1, 13), (40, 144), (16, 90), (2, 100)].into_iter().enumerate()
        {
            let (mut rotation, x) = (Rotation::new(n).unwrap(), random(seed as u64, outputs * n));
            let mut last = objective(&rotation, &x);
            let first = last;
            for _ in 0..6 {
                rotation.turn(&Engine::single(), &x).unwrap();
                let next = objective(&rotation, &x);
                assert!(next >= last * (1.0 - 1e-6), "{outputs} x {n}: {last} fell to {next}");
                last = next;
            }
            assert!(last > 1.005 * first, "{outputs} x {n}: {first} grew to {last} only");
            for (r, size) in [(&rotation.r1, rotation.a), (&rotation.r2, rotation.b)] {
                for (row, col) in (0..size * size).map(|at| (at / size, at % size)) {
                    let dot: f32 = (0..size).map(|k| r[k * size + row] * r[k * size + col]).sum();
                    assert!((dot - if row == col { 1.0 } else { 0.0 }).abs() < 1e-5);
                }
            }
        }
    }

    #[test]
    fn threads_do_not_matter() {
        let x = random(9, 20 * 60);
        let [one, two] = [1, 2].map(|threads| {
            let mut rotation = Rotation::new(60).unwrap();
            rotation.turn(&Engine::new(threads).unwrap(), &x).unwrap();
            rotation
        });
        assert_eq!(one, two);
    }
}
