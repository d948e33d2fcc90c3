//! Real weights as a sum of bits: `W ~ sum_m a_m B_m` (arXiv:1711.11294, section 3.1).
//!
//! `B_m = sgn(W - mean(W) + u_m std(W))` with `u_m` evenly spaced from -1 to 1 (0 for a single base), mean
//! and deviation over all weights. The factors a minimize `|W - sum a_m B_m|^2`; the normal equations are
//! solved in f64.

use onebit_bits::{BitTensor, Engine, pack_at_least};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{
    contract::{meter::Meter, state::State},
    error::{Error, Result},
    numeric::sums::sum,
    optimizers::{Optimizer, real_tensor::RealTensor},
};

/// Latent weights, (o, i), and the bits and factors that approximate them.
pub(crate) struct Bases {
    pub(crate) shape: (usize, usize),
    pub(crate) weights: RealTensor,
    pub(crate) bits: Vec<BitTensor>, // m times (o, i)
    pub(crate) factors: Vec<f32>,    // (m)
    pub(crate) flipped: Meter,
}

impl Bases {
    /// Draws weights uniform in `+-1 / sqrt(i)`.
    pub(crate) fn new(
        (o, i): (usize, usize),
        count: usize,
        optimizer: impl Optimizer + 'static,
        seed: u64,
    ) -> Result<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let bound = 1.0 / (i as f32).sqrt();
        let weights = (0..o * i).map(|_| rng.random_range(-bound..bound)).collect();
        let mut bases = Self {
            shape: (o, i),
            weights: RealTensor::new(weights, optimizer),
            bits: vec![BitTensor::zeros(o, i); count],
            factors: vec![0.0; count],
            flipped: Meter::default(),
        };
        bases.fit(&Engine::single())?;
        Ok(bases)
    }

    /// Starts again from these weights, (o, i).
    pub(crate) fn restart(&mut self, weights: Vec<f32>) -> Result<()> {
        let (o, i) = self.shape;
        if weights.len() != o * i {
            return Err(Error::shape("abc", format!("{o} x {i} weights"), weights.len()));
        }
        self.weights.restart(weights);
        self.fit(&Engine::single()).map(drop)
    }

    /// Fits bits and factors to the weights; returns how many bits flipped.
    pub(crate) fn fit(&mut self, engine: &Engine) -> Result<u64> {
        let (o, i) = self.shape;
        let w = self.weights.values();
        let count = w.len() as f64;
        let mean = sum(w, |w| w) / count;
        let deviation = (sum(w, |w| (w - mean) * (w - mean)) / count).sqrt();
        let bases = self.bits.len();
        let mut flips = 0;
        for (m, bits) in self.bits.iter_mut().enumerate() {
            let u = if bases > 1 { 2.0 * m as f64 / (bases - 1) as f64 - 1.0 } else { 0.0 };
            let least = vec![(mean - u * deviation) as f32; i];
            let new = pack_at_least(engine, o, i, w, &least, BitTensor::zeros(1, i).view())?;
            flips += new.xor(bits.view())?.count_ones();
            *bits = new;
        }
        self.factors = least_squares(w, &self.bits)?;
        Ok(flips)
    }

    pub(crate) fn state(&mut self, state: &mut State) -> Result<()> {
        state.within("weights", |state| self.weights.state(state))?;
        self.flipped.state("flipped", state)
    }
}

/// Returns the factors a that minimize `|w - sum a_m B_m|`. A base that depends linearly on earlier ones gets
/// 0.
fn least_squares(w: &[f32], bases: &[BitTensor]) -> Result<Vec<f32>> {
    let count = bases.len();
    // [B^T B | B^T w]; the entries of B^T B are integers
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(count);
    for base in bases {
        let mut row = Vec::with_capacity(count + 1);
        for other in bases {
            row.push(w.len() as f64 - 2.0 * base.xor(other.view())?.count_ones() as f64);
        }
        row.push(along(w, base));
        rows.push(row);
    }
    // Elimination without pivoting, because the matrix is symmetric and positive semidefinite.
    let mut used = vec![false; count];
    for m in 0..count {
        let pivot = rows[m].clone();
        used[m] = pivot[m] > 1e-9 * w.len() as f64;
        if !used[m] {
            continue;
        }
        for (_, row) in rows.iter_mut().enumerate().filter(|(other, _)| *other != m) {
            let share = row[m] / pivot[m];
            row.iter_mut().zip(&pivot).for_each(|(x, pivot)| *x -= share * pivot);
        }
    }
    let factor = |(m, row): (usize, &Vec<f64>)| if used[m] { (row[count] / row[m]) as f32 } else { 0.0 };
    Ok(rows.iter().enumerate().map(factor).collect())
}

/// `sum w_j b_j` over all weights.
fn along(w: &[f32], bits: &BitTensor) -> f64 {
    let mut sum = 0.0;
    for (row, w) in w.chunks_exact(bits.cols().max(1)).enumerate() {
        for (word, w) in bits.row(row).iter().zip(w.chunks(64)) {
            for (at, &w) in w.iter().enumerate() {
                sum += f64::from(if word >> at & 1 == 1 { w } else { -w });
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizers::Adam;

    fn bases(w: &[f32], cols: usize, count: usize) -> Bases {
        let mut bases = Bases::new((w.len() / cols, cols), count, Adam::new(), 0).unwrap();
        bases.restart(w.to_vec()).unwrap();
        bases
    }

    fn error(w: &[f32], bases: &Bases, factors: &[f32]) -> f64 {
        let cols = bases.shape.1;
        let of = |(at, w): (usize, &f32)| {
            let sum: f32 =
                bases.bits.iter().zip(factors).map(|(b, a)| a * signed(b, at / cols, at % cols)).sum();
            f64::from(w - sum).powi(2)
        };
        w.iter().enumerate().map(of).sum()
    }

    fn signed(bits: &BitTensor, row: usize, col: usize) -> f32 {
        if bits.get(row, col) { 1.0 } else { -1.0 }
    }

    fn random(seed: u64, len: usize) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..len).map(|_| rng.random_range(-1.0..1.0)).collect()
    }

    #[test]
    fn a_single_base_is_the_sign_and_the_mean_magnitude() {
        let w = [0.5, -0.25, 0.75, -1.0];
        let bases = bases(&w, 2, 1);
        assert_eq!(bases.bits[0], BitTensor::from_fn(2, 2, |_, c| c == 0));
        assert_eq!(bases.factors, [0.625]);
    }

    #[test]
    fn the_factors_are_the_best_and_more_bases_are_better() {
        let w = random(1, 5 * 70);
        let mut last = f64::INFINITY;
        for count in 1..=5 {
            let bases = bases(&w, 70, count);
            let best = error(&w, &bases, &bases.factors);
            // no set of bases contains the previous one, but each is better
            assert!(best < last, "{count} bases: {best} after {last}");
            last = best;
            for m in 0..count {
                for by in [-1e-2, 1e-2] {
                    let mut other = bases.factors.clone();
                    other[m] += by;
                    assert!(error(&w, &bases, &other) > best);
                }
            }
        }
        assert!(last < 0.15 * error(&w, &bases(&w, 70, 1), &[0.0]));
    }

    #[test]
    fn equal_bases_do_not_divide_by_nothing() {
        let same = bases(&[0.5; 6], 3, 3);
        assert_eq!(same.factors, [0.5, 0.0, 0.0]);
        let two = bases(&[1.0, -1.0, 1.0, -1.0], 2, 4);
        assert!(two.factors.iter().all(|a| a.is_finite()));
        assert!(error(&[1.0, -1.0, 1.0, -1.0], &two, &two.factors) < 1e-9);
    }
}
