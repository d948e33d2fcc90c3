//! Bop, the binary optimizer: an average of gradients decides when a weight flips (arXiv:1906.02107).
//!
//! ```text
//! m <- (1 - gamma) m + gamma g
//! w flips where |m| > threshold and sgn(m) = sgn(w)
//! ```
//!
//! `g` is the gradient with respect to the binary weight. `m` starts at 0, and a flip does not change it; it
//! is the only state, one f32 per weight. Bop does not use the learning rate, which belongs to the real
//! parameters.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use onebit_bits::{BitTensor, BitView, Buffer, Isa, Update, random_bits};

use crate::{
    contract::{
        context::Context,
        rule::{Rule, even_sample},
        state::State,
        value::Signal,
        weight_gradient::WeightGradient,
    },
    error::Result,
    optimizers::schedule::Scheduled,
    rules::{
        flip_beyond::{RUN, WORDS, check_threshold, flip_beyond, follow},
        one_pass::{self, Gradient, OnePass, check_states},
    },
};

/// Bop: a weight flips when its average gradient exceeds a threshold and pushes it toward the other sign.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{Matrix, Signal, layer::Context, rules::{Bop, Rule}};
///
/// let mut bop = Bop::with(0.1, 0.5)?; // threshold, gamma
/// let weights = bop.start(1, 4, 42)?;
/// let signs: Vec<f32> = (0..4).map(|i| if weights.get(0, i) { 1.0 } else { -1.0 }).collect();
///
/// // A gradient along the weights, so that each should flip; the last is too weak: 0.5 * 0.1 <= 0.1.
/// let gradient = signs.iter().zip([1.0, 2.0, 0.5, 0.1]).map(|(sign, size)| sign * size).collect();
/// let signal = Signal::Grad(Matrix::new(1, 4, gradient)?);
/// let flips = bop.flips(&Context::train(&Engine::single()), weights.view(), &signal, 0.0)?;
/// assert_eq!([0, 1, 2, 3].map(|i| flips.get(0, i)), [true, true, true, false]);
/// assert_eq!(bop.average()[0], 0.5 * signs[0]);
/// # Ok::<(), onebit_train::Error>(())
/// ```
///
/// A setting may follow a schedule over the epochs:
///
/// ```
/// use onebit_train::{Schedule, rules::Bop, schedule::Scheduled};
///
/// // The authors' run on CIFAR-10, 500 epochs.
/// let gamma = Scheduled { start: 1e-4, schedule: Schedule::Step { factor: 0.1, every: 100 } };
/// let bop = Bop::with(1e-8, gamma)?;
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct Bop {
    threshold: Scheduled,
    gamma: Scheduled,
    m: Buffer<f32>, // (o, i)
}

impl Bop {
    /// Creates the rule with a constant threshold of 1e-8 and a constant gamma of 1e-4.
    pub fn new() -> Self {
        Self { threshold: 1e-8.into(), gamma: 1e-4.into(), m: Buffer::new() }
    }

    /// Creates the rule with settings that are constant or follow a schedule over the epochs of the run.
    ///
    /// `threshold`, at least 0, is in units of the gradient: too high and nothing is learned, too low and
    /// weights flip back and forth. `gamma`, above 0 and at most 1, is how fast the average follows the
    /// gradient; it acts as a learning rate.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for a number outside its range, or a schedule that leaves
    /// it.
    pub fn with(threshold: impl Into<Scheduled>, gamma: impl Into<Scheduled>) -> Result<Self> {
        let threshold = check_threshold(threshold)?;
        Ok(Self { threshold, gamma: gamma.into().check_share("gamma")?, m: Buffer::new() })
    }

    /// The average gradient `m`, `(o, i)`, row-major.
    pub fn average(&self) -> &[f32] {
        &self.m
    }
}

impl Default for Bop {
    fn default() -> Self {
        Self::new()
    }
}

impl OnePass for Bop {
    const NAME: &'static str = "bop";

    fn follow(&mut self, cx: &Context, weights: &mut BitTensor, gradient: Gradient, _: f64) -> Result<u64> {
        check_states(Self::NAME, "averages", weights.shape(), self.m.len())?;
        let step = Step {
            isa: cx.engine.isa(),
            threshold: self.threshold.at(cx.clock) as f32,
            gamma: self.gamma.at(cx.clock) as f32,
            flips: AtomicU64::new(0),
        };
        gradient.each_run(cx, &mut self.m[..], weights, &step)?;
        Ok(step.flips.into_inner())
    }
}

impl Rule for Bop {
    fn start(&mut self, rows: usize, cols: usize, seed: u64) -> Result<BitTensor> {
        self.m = Buffer::zeros(rows * cols);
        Ok(random_bits(seed, 0, rows, cols))
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

    fn inertia(&self, most: usize) -> Option<(&'static str, Vec<f32>)> {
        Some(("averages", even_sample(&self.m[..], most).copied().collect()))
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        state.reals("m", &mut self.m)
    }
}

/// The settings of one step, and the flips counted in it.
struct Step {
    isa: Isa,
    threshold: f32,
    gamma: f32,
    flips: AtomicU64,
}

impl Update<&mut [f32]> for Step {
    #[inline(always)]
    fn run(&self, _first: usize, grad: &[f32], m: &mut [f32], weights: &mut [u64]) {
        let mut flips = 0;
        for ((m, grad), weights) in m.chunks_mut(RUN).zip(grad.chunks(RUN)).zip(weights.chunks_mut(WORDS)) {
            follow(self.isa, self.gamma, grad, m);
            flips += flip_beyond(self.isa, m, self.threshold, weights);
        }
        self.flips.fetch_add(flips, Relaxed);
    }
}
