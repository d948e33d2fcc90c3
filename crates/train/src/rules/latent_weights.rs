//! The latent weights of the rules that transform them before taking signs: real weights under an optimizer.

use onebit_bits::{BitTensor, BitView, Engine, pack_signs, vectorized};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{
    contract::{check::check_shape, context::Context, state::State, value::Signal},
    error::{Error, Result},
    numeric::{matrix::Matrix, sums::sum},
    optimizers::{Optimizer, Run, real_tensor::RealTensor},
    rules::one_pass::check_states,
};

/// Real weights, `(o, i)`; each row is the filter of one output.
pub(crate) struct LatentWeights {
    rule: &'static str,
    domain: Domain,
    scale: Option<f32>,
    weights: RealTensor,
    shape: (usize, usize),
    pub(crate) taps: usize,
}

/// The domain of latent weights, which also decides their first values and the scale of their steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Domain {
    /// `[-1, 1]`: weights start uniform in it, are clipped to it, and take Glorot-scaled steps.
    Unit,
    /// All reals: weights start uniform in `+-1 / sqrt(i)` and take the optimizer's steps.
    Free,
}

impl LatentWeights {
    pub(crate) fn new(rule: &'static str, domain: Domain, optimizer: impl Optimizer + 'static) -> Self {
        let weights = RealTensor::new(Vec::new(), optimizer);
        Self { rule, domain, scale: None, weights, shape: (0, 0), taps: 1 }
    }

    /// Sets a fixed scale on the optimizer's step.
    pub(crate) fn set_scale(&mut self, scale: f32) -> Result<()> {
        self.scale = Some(check_positive(&format!("{} scale", self.rule), scale)?);
        Ok(())
    }

    /// Sets the weights to start from, `(o, i)`.
    pub(crate) fn set(&mut self, weights: Vec<f32>) {
        self.weights.restart(weights);
    }

    pub(crate) fn values(&self) -> &[f32] {
        self.weights.values()
    }

    /// (o, i)
    pub(crate) fn shape(&self) -> (usize, usize) {
        self.shape
    }

    /// Draws the weights unless they were set, and checks their number.
    pub(crate) fn start(&mut self, rows: usize, cols: usize, seed: u64) -> Result<()> {
        if self.values().is_empty() {
            let bound = match self.domain {
                Domain::Unit => 1.0,
                Domain::Free => 1.0 / (cols.max(1) as f32).sqrt(),
            };
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            self.set((0..rows * cols).map(|_| rng.random_range(-bound..bound)).collect());
        }
        check_states(self.rule, "latent weights", (rows, cols), self.values().len())?;
        self.shape = (rows, cols);
        Ok(())
    }

    /// The gradient in `signal`, once its kind and the shapes are checked.
    pub(crate) fn gradient<'a>(&self, weights: BitView, signal: &'a Signal) -> Result<&'a Matrix> {
        let Signal::Grad(grad) = signal else {
            return Err(Error::Kind { layer: self.rule, expected: "a gradient", got: signal.kind() });
        };
        check_shape(self.rule, "latent weights", weights.shape(), self.shape)?;
        check_shape(self.rule, "a gradient", self.shape, grad.shape())?;
        Ok(grad)
    }

    /// Takes the optimizer's step along `grad`, `(o, i)`, and clips.
    pub(crate) fn step(&mut self, cx: &Context, grad: &[f32], rate: f64) -> Result<()> {
        /// Elements per job: they stay in the cache.
        const RUN: usize = 4096;
        let ((rows, cols), isa) = (self.shape, cx.engine.isa());
        let (scale, bound) = match self.domain {
            Domain::Unit => (glorot_scale(cols, rows * self.taps), 1.0),
            Domain::Free => (1.0, f32::INFINITY),
        };
        let (optimizer, params, [m, v]) = self.weights.begin(rate as f32, self.scale.unwrap_or(scale));
        Ok(cx.engine.chunks((params, m, v, grad), RUN, |_, (params, m, v, grad)| {
            optimizer.run(isa, Run { params: &mut *params, grad, moments: [m, v] });
            clip(isa, params, bound);
        })?)
    }

    pub(crate) fn state(&mut self, state: &mut State) -> Result<()> {
        state.within("latent", |state| self.weights.state(state))
    }
}

vectorized! {
    /// Clips to `[-bound, bound]`.
    pub(crate) fn clip<'a>(weights: &'a mut [f32], bound: f32) {
        for w in weights {
            *w = w.clamp(-bound, bound);
        }
    }
}

/// The Glorot learning-rate scale of arXiv:1602.02830's code (`W_LR_scale = "Glorot"`):
/// `sqrt((fan_in + fan_out) / 1.5)`.
///
/// For a convolution, both count the taps: `kh kw c_in` and `kh kw c_out`.
///
/// ```
/// assert_eq!(onebit_train::rules::glorot_scale(4, 2), 2.0);
/// ```
pub fn glorot_scale(fan_in: usize, fan_out: usize) -> f32 {
    ((fan_in + fan_out) as f32 / 1.5).sqrt()
}

/// Checks that a setting is positive and finite.
pub(crate) fn check_positive(name: &str, number: f32) -> Result<f32> {
    if !(number > 0.0 && number.is_finite()) {
        return Err(Error::setting(name, "a positive number", number));
    }
    Ok(number)
}

/// The flips that turn `weights` into the signs of `reals`, `(o, i)`.
pub(crate) fn flips_to(engine: &Engine, weights: BitView, reals: &[f32]) -> Result<BitTensor> {
    Ok(pack_signs(engine, weights.rows(), weights.cols(), reals)?.xor(weights)?)
}

/// Computes one number for each row of `rows`, `(o, cols)`, into `to`, `(o)`.
pub(crate) fn each_row(
    engine: &Engine,
    rows: &[f32],
    cols: usize,
    to: &mut [f32],
    number: impl Fn(&[f32]) -> f32 + Sync,
) -> Result<()> {
    let rows_per_job = (4096 / cols.max(1)).max(1);
    Ok(engine.chunks(to, rows_per_job, |first, to| {
        for (to, row) in to.iter_mut().zip(rows[first * cols..].chunks_exact(cols.max(1))) {
            *to = number(row);
        }
    })?)
}

/// `mean |w|`.
pub(crate) fn mean_magnitude(w: &[f32]) -> f64 {
    sum(w, f64::abs) / w.len() as f64
}
