//! The rule of XNOR-Net: the weights of an output represent `alpha * sgn(w)` (arXiv:1603.05279).
//!
//! `alpha = mean |w|` over the `n` inputs of the output. The gradient `g` with respect to `alpha * sgn(w)`
//! reaches `w` through both factors: `dL/dw_i = sgn(w_i) / n * sum_j g_j sgn(w_j) + g_i alpha [|w_i| <= 1]`.
//! This is the exact derivative; the paper's formula differs. Then
//! `w <- clip(w + scale * (optimizer(w, dL/dw) - w), -1, 1)`.

use std::borrow::Cow;

use onebit_bits::{BitTensor, BitView, Engine, pack_signs, vectorized};

use crate::{
    contract::{context::Context, rule::Rule, state::State, value::Signal},
    error::Result,
    numeric::sums::sum_of_pairs,
    optimizers::Optimizer,
    rules::latent_weights::{Domain, LatentWeights, each_row, flips_to, mean_magnitude},
};

/// Latent weights whose mean magnitude scales each output.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{Matrix, Signal, layer::Context, optimizers::Sgd, rules::{Rule, Xnor}};
///
/// let mut rule = Xnor::new(Sgd::new(0.0, 0.0)?).with_scale(1.0)?.with_latent(vec![0.5, -0.25]);
/// let weights = rule.start(1, 2, 42)?; // + -
/// assert_eq!(rule.scales(), Some(&[0.375][..])); // (0.5 + 0.25) / 2
///
/// // dL/dw = (0.375 * 2 + (2 - 0) / 2, 0.375 * 0 - (2 - 0) / 2) = (1.75, -1)
/// let signal = Signal::Grad(Matrix::new(1, 2, vec![2.0, 0.0])?);
/// let flips = rule.flips(&Context::train(&Engine::single()), weights.view(), &signal, 0.5)?;
/// assert_eq!(rule.latent(), [-0.375, 0.25]);
/// assert_eq!(flips.count_ones(), 2);
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct Xnor {
    latents: LatentWeights,
    alpha: Vec<f32>, // (o)
}

impl Xnor {
    /// Creates the rule with `optimizer` and the Glorot learning-rate scale. Weights start uniform in
    /// `[-1, 1]`.
    pub fn new(optimizer: impl Optimizer + 'static) -> Self {
        Self { latents: LatentWeights::new("xnor", Domain::Unit, optimizer), alpha: Vec::new() }
    }

    /// Replaces the Glorot scale on the optimizer's step by a fixed one; 1 switches it off.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) unless `scale` is positive and finite.
    pub fn with_scale(mut self, scale: f32) -> Result<Self> {
        self.latents.set_scale(scale)?;
        Ok(self)
    }

    /// Sets the latent weights, `(o, i)`. Building the layer fails if their number differs from that of the
    /// weights.
    #[must_use]
    pub fn with_latent(mut self, latent: Vec<f32>) -> Self {
        self.latents.set(latent);
        self
    }

    /// The latent weights, `(o, i)`, row-major.
    pub fn latent(&self) -> &[f32] {
        self.latents.values()
    }

    /// Computes `alpha`.
    fn measure(&mut self, engine: &Engine) -> Result<()> {
        let (rows, cols) = self.latents.shape();
        self.alpha.resize(rows, 0.0);
        each_row(engine, self.latents.values(), cols, &mut self.alpha, |row| mean_magnitude(row) as f32)
    }
}

impl Rule for Xnor {
    fn set_taps(&mut self, taps: usize) {
        self.latents.taps = taps;
    }

    fn start(&mut self, rows: usize, cols: usize, seed: u64) -> Result<BitTensor> {
        let engine = Engine::single();
        self.latents.start(rows, cols, seed)?;
        self.measure(&engine)?;
        Ok(pack_signs(&engine, rows, cols, self.latent())?)
    }

    fn flips(&mut self, cx: &Context, weights: BitView, signal: &Signal, rate: f64) -> Result<BitTensor> {
        let grad = self.latents.gradient(weights, signal)?;
        let (rows, cols) = self.latents.shape();
        let (engine, isa) = (&cx.engine, cx.engine.isa());
        let mut dw = cx.matrix(rows, cols);
        let slices = (dw.values_mut(), grad.values(), self.latents.values());
        engine.chunks(slices, cols, |first, (dw, grad, w)| {
            through_both(isa, dw, grad, w, self.alpha[first / cols]);
        })?;
        self.latents.step(cx, dw.values(), rate)?;
        cx.recycle([dw]);
        self.measure(engine)?;
        flips_to(engine, weights, self.latent())
    }

    fn scales(&self) -> Option<&[f32]> {
        Some(&self.alpha)
    }

    fn reals(&self) -> Option<Cow<'_, [f32]>> {
        Some(self.latent().into())
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        state.reals("alpha", &mut self.alpha)?;
        self.latents.state(state)
    }
}

vectorized! {
    /// `dL/dw` of one row, through the sign and through alpha.
    fn through_both<'a>(dw: &'a mut [f32], grad: &'a [f32], w: &'a [f32], alpha: f32) {
        let sum = sum_of_pairs(grad, w, |g, w| if w >= 0.0 { g } else { -g });
        let mean = (sum / w.len() as f64) as f32;
        for ((dw, g), w) in dw.iter_mut().zip(grad).zip(w) {
            let by_sign = if w.abs() <= 1.0 { g * alpha } else { 0.0 };
            *dw = by_sign + if *w >= 0.0 { mean } else { -mean };
        }
    }
}
