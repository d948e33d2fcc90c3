//! The rule of straight-through training: a real latent weight for each bit (arXiv:1602.02830, algorithm 1).
//!
//! The gradient with respect to the *binary* weight moves the latent one:
//! `w <- clip(w + scale * (optimizer(w, g) - w), -1, 1)`. The bit is `sgn(w)`, with `sgn(0) = +1`.
//! The clip keeps the gate of the sign, `|w| <= 1`, always open.

use std::{
    borrow::Cow,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use onebit_bits::{BitTensor, BitView, Isa, Update, sign_words};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{
    contract::{context::Context, rule::Rule, state::State, value::Signal, weight_gradient::WeightGradient},
    error::Result,
    optimizers::{Optimizer, Run, real_tensor::RealTensor},
    rules::{
        latent_weights::{check_positive, clip, glorot_scale},
        one_pass::{self, Gradient, OnePass, check_states},
    },
};

/// Latent weights under an optimizer; the bits are their signs.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{Matrix, Signal, layer::Context, optimizers::Sgd, rules::{Latent, Rule}};
///
/// let mut rule = Latent::new(Sgd::new(0.0, 0.0)?).with_scale(1.0)?.with_latent(vec![0.25, -0.5, 0.75]);
/// let weights = rule.start(1, 3, 42)?; // + - +
/// let signal = Signal::Grad(Matrix::new(1, 3, vec![1.0, 1.0, -2.0])?);
/// let flips = rule.flips(&Context::train(&Engine::single()), weights.view(), &signal, 0.5)?;
/// assert_eq!(rule.latent(), [-0.25, -1.0, 1.0]); // w - 0.5 g, clipped to [-1, 1]
/// assert_eq!([0, 1, 2].map(|i| flips.get(0, i)), [true, false, false]);
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct Latent {
    scale: Option<f32>,
    bound: f32,
    taps: usize,
    latent: RealTensor,
}

impl Latent {
    /// Creates the rule with `optimizer` and the Glorot learning-rate scale of the authors' code.
    pub fn new(optimizer: impl Optimizer + 'static) -> Self {
        Self { scale: None, bound: 1.0, taps: 1, latent: RealTensor::new(Vec::new(), optimizer) }
    }

    /// Replaces the Glorot scale on the optimizer's step by a fixed one. 1 switches it off; the authors'
    /// networks lose several points of accuracy without theirs.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) unless `scale` is positive and finite.
    pub fn with_scale(mut self, scale: f32) -> Result<Self> {
        self.scale = Some(check_positive("latent scale", scale)?);
        Ok(self)
    }

    /// Sets the bound on the magnitude of latent weights, 1 by default. Above 1 (1.25 in QuickNet,
    /// arXiv:2011.09398) weights take longer to come back; near 0 every step flips them.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) unless `bound` is positive and finite.
    pub fn with_bound(mut self, bound: f32) -> Result<Self> {
        self.bound = check_positive("latent bound", bound)?;
        Ok(self)
    }

    /// The latent weights, `(o, i)`, row-major.
    pub fn latent(&self) -> &[f32] {
        self.latent.values()
    }

    /// Sets the latent weights, `(o, i)`, which are otherwise drawn from `uniform(-1, 1)`. The layer that is
    /// built with this rule starts from their signs; building it fails if their number differs from that of
    /// the weights.
    pub fn with_latent(mut self, latent: Vec<f32>) -> Self {
        self.latent.restart(latent);
        self
    }
}

impl OnePass for Latent {
    const NAME: &'static str = "latent";

    fn follow(
        &mut self,
        cx: &Context,
        weights: &mut BitTensor,
        gradient: Gradient,
        rate: f64,
    ) -> Result<u64> {
        check_states(Self::NAME, "latent weights", weights.shape(), self.latent().len())?;
        let bound = self.bound;
        let (optimizer, latent, [m, v]) = self.latent.begin(rate as f32, self.scale.unwrap_or(1.0));
        let step = Step { optimizer, bound, isa: cx.engine.isa(), flips: AtomicU64::new(0) };
        gradient.each_run(cx, (latent, m, v), weights, &step)?;
        Ok(step.flips.into_inner())
    }
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
        check_states(Self::NAME, "latent weights", (rows, cols), latent.len())?;
        let signs = BitTensor::from_fn(rows, cols, |r, c| latent[r * cols + c] >= 0.0);
        self.scale.get_or_insert(glorot_scale(cols, rows * self.taps));
        Ok(signs)
    }

    fn flips(&mut self, cx: &Context, weights: BitView, signal: &Signal, rate: f64) -> Result<BitTensor> {
        one_pass::flips(self, cx, weights, signal, rate)
    }

    fn descend(
        &mut self,
        cx: &Context,
        weights: &mut BitTensor,
        gradient: &mut WeightGradient,
        rate: f64,
    ) -> Result<u64> {
        one_pass::descend(self, cx, weights, gradient, rate)
    }

    fn reals(&self) -> Option<Cow<'_, [f32]>> {
        Some(self.latent().into())
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        state.within("latent", |state| self.latent.state(state))
    }
}

/// Elements per pass: five slices of this length stay in the L1 cache.
const RUN: usize = 64 * WORDS;
const WORDS: usize = 16;

/// The settings of one step, and the flips counted in it.
struct Step<'a> {
    optimizer: &'a dyn Optimizer,
    bound: f32,
    isa: Isa,
    flips: AtomicU64,
}

/// Latent weights and their two moments.
type States<'a> = (&'a mut [f32], &'a mut [f32], &'a mut [f32]);

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
