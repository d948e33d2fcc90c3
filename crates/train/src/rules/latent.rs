//! Straight-through training's rule: a real latent weight behind each bit (arXiv:1602.02830, algorithm 1).
//!
//! The gradient is taken with respect to the *binary* weight and moves the latent one:
//! `w <- clip(w + scale * (optimizer(w, g) - w), -1, 1)`, and the bit is `sgn(w)`, with `sgn(0) = +1`.
//! The sign's gate `|w| <= 1` is always open because of the clip.

use std::{
    borrow::Cow,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use onebit_bits::{BitTensor, BitView, Isa, Update, sign_words, update_with, vectorized};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{
    contract::{
        check::check_shape, context::Context, rule::Rule, state::State, value::Signal,
        weight_gradient::WeightGradient,
    },
    error::{Error, Result},
    optimizers::{Optimizer, Run, real_tensor::RealTensor},
};

/// Latent weights and their optimizer.
pub struct Latent {
    scale: Option<f32>,
    bound: f32,
    taps: usize,
    latent: RealTensor,
}

impl Latent {
    /// Latent weights under `optimizer`, with the Glorot learning-rate scale of the authors' code.
    pub fn new(optimizer: impl Optimizer + 'static) -> Self {
        Self { scale: None, bound: 1.0, taps: 1, latent: RealTensor::new(Vec::new(), optimizer) }
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

    /// Another bound than 1 for latent weights: above 1 (QuickNet's 1.25, arXiv:2011.09398) they take longer to come back,
    /// near 0 every step turns them over.
    ///
    /// # Errors
    /// [`Error::Setting`] unless `bound` is positive and finite.
    pub fn with_bound(mut self, bound: f32) -> Result<Self> {
        if !(bound > 0.0 && bound.is_finite()) {
            return Err(Error::setting("latent bound", "a positive number", bound));
        }
        self.bound = bound;
        Ok(self)
    }

    /// The latent weights, `(o, i)`, row-major.
    pub fn latent(&self) -> &[f32] {
        self.latent.values()
    }

    /// Sets the latent weights, `(o, i)`, in place of `uniform(-1, 1)`: the layer that is built with
    /// this rule starts from their signs. Another number of them than weights is an error when that layer is built.
    pub fn with_latent(mut self, latent: Vec<f32>) -> Self {
        self.latent.restart(latent);
        self
    }
}

/// The authors' `W_LR_scale = "Glorot"`: `sqrt((fan_in + fan_out) / 1.5)`. Of a convolution both count the taps:
/// `kh kw c_in` and `kh kw c_out`.
pub fn glorot_scale(fan_in: usize, fan_out: usize) -> f32 {
    ((fan_in + fan_out) as f32 / 1.5).sqrt()
}

impl Rule for Latent {
    fn set_taps(&mut self, taps: usize) {
        self.taps = taps;
    }

    fn start(&mut self, rows: usize, cols: usize, seed: u64) -> Result<BitTensor> {
        if self.latent().is_empty() {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            self.latent.restart((0..rows * cols).map(|_| rng.random_range(-1.0..1.0)).collect());
        }
        let latent = self.latent();
        if latent.len() != rows * cols {
            return Err(Error::shape("latent", format!("{rows} x {cols} latent weights"), latent.len()));
        }
        let signs = BitTensor::from_fn(rows, cols, |r, c| latent[r * cols + c] >= 0.0);
        self.scale.get_or_insert(glorot_scale(cols, rows * self.taps));
        Ok(signs)
    }

    fn flips(&mut self, cx: &Context, weights: BitView, signal: &Signal, rate: f64) -> Result<BitTensor> {
        let Signal::Grad(grad) = signal else {
            return Err(Error::Kind { layer: "latent", expected: "a gradient", got: signal.kind() });
        };
        check_shape("latent", "a gradient", weights.shape(), grad.shape())?;
        let mut signs = weights.to_tensor();
        self.follow(cx, weights.shape(), rate, |states, update| {
            Ok(update_with(&cx.engine, grad.values(), states, &mut signs, update)?)
        })?;
        Ok(signs.xor(weights)?)
    }

    fn descend(
        &mut self,
        cx: &Context,
        weights: &mut BitTensor,
        gradient: &mut WeightGradient,
        rate: f64,
    ) -> Result<u64> {
        let shape = weights.shape();
        check_shape("latent", "a gradient", shape, gradient.shape())?;
        self.follow(cx, shape, rate, |states, update| gradient.each_run(cx, states, weights, update))
    }

    fn reals(&self) -> Option<Cow<'_, [f32]>> {
        Some(self.latent().into())
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        state.within("latent", |state| self.latent.state(state))
    }
}

/// Latent weights and their two moments.
type States<'a> = (&'a mut [f32], &'a mut [f32], &'a mut [f32]);

impl Latent {
    /// One step; `runs` brings the gradient. Returns how many weights flipped.
    fn follow(
        &mut self,
        cx: &Context,
        (rows, cols): (usize, usize),
        rate: f64,
        runs: impl FnOnce(States, &Step) -> Result<()>,
    ) -> Result<u64> {
        if self.latent().len() != rows * cols {
            return Err(Error::shape(
                "latent",
                format!("{rows} x {cols} latent weights"),
                self.latent().len(),
            ));
        }
        let bound = self.bound;
        let (optimizer, latent, [m, v]) = self.latent.begin(rate as f32, self.scale.unwrap_or(1.0));
        let step = Step { optimizer, bound, isa: cx.engine.isa(), flips: AtomicU64::new(0) };
        runs((latent, m, v), &step)?;
        Ok(step.flips.into_inner())
    }
}

/// Elements at once: five slices of them stay in the L1 cache.
const RUN: usize = 64 * WORDS;
const WORDS: usize = 16;

/// What is done to each run of the latent weights in a step.
struct Step<'a> {
    optimizer: &'a dyn Optimizer,
    bound: f32,
    isa: Isa,
    flips: AtomicU64,
}

impl Update<States<'_>> for Step<'_> {
    #[inline(always)]
    fn run(&self, _first: usize, grad: &[f32], (latent, m, v): States, weights: &mut [u64]) {
        let mut flips = 0;
        let states = latent.chunks_mut(RUN).zip(m.chunks_mut(RUN)).zip(v.chunks_mut(RUN));
        for (((latent, m), v), (grad, weights)) in states.zip(grad.chunks(RUN).zip(weights.chunks_mut(WORDS)))
        {
            self.optimizer.run(self.isa, Run { params: &mut *latent, grad, moments: [m, v] });
            clip(self.isa, latent, self.bound);
            let mut signs = [0; WORDS];
            let signs = &mut signs[..weights.len()];
            sign_words(self.isa, latent, signs).expect("a word for each 64 weights");
            for (word, signs) in weights.iter_mut().zip(signs) {
                flips += u64::from((*word ^ *signs).count_ones());
                *word = *signs;
            }
        }
        self.flips.fetch_add(flips, Relaxed);
    }
}

vectorized! {
    fn clip<'a>(latent: &'a mut [f32], bound: f32) {
        for w in latent {
            *w = w.clamp(-bound, bound);
        }
    }
}
