//! What the relatives of the latent-weight rule have in common: real weights behind the bits, and their optimizer.

use onebit_bits::{BitTensor, BitView, Engine, pack_signs, vectorized};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{
    contract::{check::check_shape, context::Context, state::State, value::Signal},
    error::{Error, Result},
    numeric::{matrix::Matrix, sums::sum},
    optimizers::{Optimizer, Run, real_tensor::RealTensor},
    rules::glorot_scale,
};

/// Real weights, `(o, i)`; each row is the filter of an output.
pub(crate) struct Latents {
    rule: &'static str,
    domain: Domain,
    scale: Option<f32>,
    weights: RealTensor,
    shape: (usize, usize),
    pub(crate) taps: usize,
}

/// Where latent weights live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Domain {
    /// In `[-1, 1]`: they start uniform in it, are clipped to it, and take Glorot-scaled steps.
    Unit,
    /// Anywhere: they start uniform in `+-1 / sqrt(i)` and take the optimizer's steps.
    Free,
}

impl Latents {
    pub(crate) fn new(rule: &'static str, domain: Domain, optimizer: impl Optimizer + 'static) -> Self {
        let weights = RealTensor::new(Vec::new(), optimizer);
        Self { rule, domain, scale: None, weights, shape: (0, 0), taps: 1 }
    }

    /// A fixed scale on the optimizer's step.
    pub(crate) fn set_scale(&mut self, scale: f32) -> Result<()> {
        if !(scale > 0.0 && scale.is_finite()) {
            return Err(Error::setting(format!("{} scale", self.rule), "a positive number", scale));
        }
        self.scale = Some(scale);
        Ok(())
    }

    /// The weights to start from, `(o, i)`.
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

    /// Draws the weights, unless they were set.
    pub(crate) fn start(&mut self, rows: usize, cols: usize, seed: u64) -> Result<()> {
        if self.values().is_empty() {
            let bound = match self.domain {
                Domain::Unit => 1.0,
                Domain::Free => 1.0 / (cols.max(1) as f32).sqrt(),
            };
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            self.set((0..rows * cols).map(|_| rng.random_range(-bound..bound)).collect());
        }
        if self.values().len() != rows * cols {
            let expected = format!("{rows} x {cols} latent weights");
            return Err(Error::shape(self.rule, expected, self.values().len()));
        }
        self.shape = (rows, cols);
        Ok(())
    }

    /// The gradient for weights of this shape, or what is wrong with it.
    pub(crate) fn gradient<'a>(&self, weights: BitView, signal: &'a Signal) -> Result<&'a Matrix> {
        let Signal::Grad(grad) = signal else {
            return Err(Error::Kind { layer: self.rule, expected: "a gradient", got: signal.kind() });
        };
        check_shape(self.rule, "latent weights", weights.shape(), self.shape)?;
        check_shape(self.rule, "a gradient", self.shape, grad.shape())?;
        Ok(grad)
    }

    /// The optimizer's step along `grad`: (o, i), and the clip.
    pub(crate) fn step(&mut self, cx: &Context, grad: &[f32], rate: f64) -> Result<()> {
        /// Elements of a run: they stay in the cache.
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
    fn clip<'a>(weights: &'a mut [f32], bound: f32) {
        for w in weights {
            *w = w.clamp(-bound, bound);
        }
    }
}

/// The flips that lead from `weights` to the signs of `reals`: (o, i).
pub(crate) fn flips_to(engine: &Engine, weights: BitView, reals: &[f32]) -> Result<BitTensor> {
    Ok(pack_signs(engine, weights.rows(), weights.cols(), reals)?.xor(weights)?)
}

/// Fills one number for each row of `rows`, of `cols` elements.
pub(crate) fn each_row(
    engine: &Engine,
    rows: &[f32],
    cols: usize,
    to: &mut [f32],
    number: impl Fn(&[f32]) -> f32 + Sync,
) -> Result<()> {
    let part = (4096 / cols.max(1)).max(1);
    Ok(engine.chunks(to, part, |first, to| {
        for (to, row) in to.iter_mut().zip(rows[first * cols..].chunks_exact(cols.max(1))) {
            *to = number(row);
        }
    })?)
}

/// `mean |w|`
pub(crate) fn mean_magnitude(w: &[f32]) -> f64 {
    sum(w, f64::abs) / w.len() as f64
}
