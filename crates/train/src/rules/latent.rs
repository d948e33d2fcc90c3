//! Straight-through training's rule: a real latent weight behind each bit (arXiv:1602.02830, algorithm 1).
//!
//! The gradient is taken with respect to the *binary* weight and moves the latent one:
//! `w <- clip(w + scale * (optimizer(w, g) - w), -1, 1)`, and the bit is `sgn(w)`, with `sgn(0) = +1`.
//! The sign's gate `|w| <= 1` is always open because of the clip.

use onebit_bits::{BitTensor, BitView, pack_signs};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{
    error::{Error, Result},
    layer::{Context, check_shape},
    optimizers::Optimizer,
    rules::Rule,
    value::Signal,
};

/// Latent weights and their optimizer.
pub struct Latent {
    optimizer: Box<dyn Optimizer>,
    scale: Option<f32>,
    latent: Vec<f32>,
}

impl Latent {
    /// Latent weights under `optimizer`, with the Glorot learning-rate scale of the authors' code.
    pub fn new(optimizer: Box<dyn Optimizer>) -> Self {
        Self { optimizer, scale: None, latent: Vec::new() }
    }

    /// A fixed scale on the optimizer's step in place of the Glorot scale. 1 switches it off; the
    /// authors' networks lose several points without theirs.
    ///
    /// # Errors
    /// [`Error::Setting`] unless `scale` is positive and finite.
    pub fn with_scale(mut self, scale: f32) -> Result<Self> {
        if !(scale > 0.0 && scale.is_finite()) {
            return Err(Error::setting("latent scale", "a positive number", scale));
        }
        self.scale = Some(scale);
        Ok(self)
    }

    /// The latent weights, `(o, i)`, row-major.
    pub fn latent(&self) -> &[f32] {
        &self.latent
    }

    /// Sets the latent weights, `(o, i)`, in place of `uniform(-1, 1)`: the layer that is built with
    /// this rule starts from their signs. Another number of them than weights is an error when that layer is built.
    pub fn with_latent(mut self, latent: Vec<f32>) -> Self {
        self.latent = latent;
        self
    }
}

/// The authors' `W_LR_scale = "Glorot"`: `sqrt((fan_in + fan_out) / 1.5)`.
pub fn glorot_scale(fan_in: usize, fan_out: usize) -> f32 {
    ((fan_in + fan_out) as f32 / 1.5).sqrt()
}

impl Rule for Latent {
    fn start(&mut self, rows: usize, cols: usize, seed: u64) -> Result<BitTensor> {
        if self.latent.is_empty() {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            self.latent = (0..rows * cols).map(|_| rng.random_range(-1.0..1.0)).collect();
        }
        if self.latent.len() != rows * cols {
            return Err(Error::shape("latent", format!("{rows} x {cols} latent weights"), self.latent.len()));
        }
        self.scale.get_or_insert(glorot_scale(cols, rows));
        Ok(BitTensor::from_fn(rows, cols, |r, c| self.latent[r * cols + c] >= 0.0))
    }

    fn flips(&mut self, cx: &Context, weights: BitView, signal: &Signal, rate: f64) -> Result<BitTensor> {
        let Signal::Grad(grad) = signal else {
            return Err(Error::Kind { layer: "latent", expected: "a gradient", got: signal.kind() });
        };
        check_shape("latent", "a gradient", weights.shape(), grad.shape())?;
        if grad.values().len() != self.latent.len() {
            let expected = format!("{} x {} latent weights", weights.rows(), weights.cols());
            return Err(Error::shape("latent", expected, self.latent.len()));
        }
        let scale = self.scale.unwrap_or(1.0);
        // Every optimizer's step is linear in its rate, so the scale on the step goes into the rate.
        self.optimizer.step(&mut self.latent, grad.values(), rate as f32 * scale);
        for w in &mut self.latent {
            *w = w.clamp(-1.0, 1.0);
        }
        let signs = pack_signs(&cx.engine, weights.rows(), weights.cols(), &self.latent)?;
        Ok(signs.xor(weights)?)
    }
}
