//! Bop, the binary optimizer: no latent weights, but an average of gradients that says when to flip (arXiv:1906.02107).
//!
//! ```text
//! m <- (1 - gamma) m + gamma g
//! w flips where |m| > threshold and sgn(m) = sgn(w)
//! ```
//!
//! g is the gradient with respect to the binary weight. m starts at 0 and a flip leaves it as it is; it is the rule's only
//! memory, one f32 a weight. The learning rate belongs to the real parameters: Bop does not use it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use onebit_bits::{BitTensor, BitView, Buffer, Isa, Update, random_bits, update_with};

use crate::{
    contract::{
        check::check_shape,
        context::Context,
        rule::{Rule, even_sample},
        state::State,
        value::Signal,
        weight_gradient::WeightGradient,
    },
    error::{Error, Result},
    optimizers::schedule::Scheduled,
    rules::beyond::{RUN, WORDS, flip_beyond, follow},
};

/// Bop.
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
    /// A threshold of 1e-8 and a gamma of 1e-4, which stay.
    pub fn new() -> Self {
        Self { threshold: 1e-8.into(), gamma: 1e-4.into(), m: Buffer::new() }
    }

    /// Numbers that stay, or follow a schedule over the epochs of the run.
    ///
    /// `threshold`: what the average must exceed, in units of the gradient; too high and nothing is learned, too low and
    /// weights flip back and forth. `gamma`: how fast the average follows, above 0 and up to 1; it takes the place of a
    /// learning rate.
    ///
    /// # Errors
    /// [`Error::Setting`] for a number outside its range, or a schedule that leaves it.
    pub fn with(threshold: impl Into<Scheduled>, gamma: impl Into<Scheduled>) -> Result<Self> {
        let threshold = threshold.into().check("threshold", 0.0..=f64::from(f32::MAX))?;
        Ok(Self { threshold, gamma: gamma.into().check_share("gamma")?, m: Buffer::new() })
    }

    /// m, the average gradient, `(o, i)`, row-major.
    pub fn average(&self) -> &[f32] {
        &self.m
    }

    fn step(&self, cx: &Context, shape: (usize, usize)) -> Result<Step> {
        check_states("bop", shape, self.m.len())?;
        Ok(Step {
            isa: cx.engine.isa(),
            threshold: self.threshold.at(cx.clock) as f32,
            gamma: self.gamma.at(cx.clock) as f32,
            flips: AtomicU64::new(0),
        })
    }
}

impl Default for Bop {
    fn default() -> Self {
        Self::new()
    }
}

pub(crate) fn check_states(rule: &'static str, (rows, cols): (usize, usize), states: usize) -> Result<()> {
    match states == rows * cols {
        true => Ok(()),
        false => Err(Error::shape(rule, format!("{rows} x {cols} averages"), states)),
    }
}

impl Rule for Bop {
    fn start(&mut self, rows: usize, cols: usize, seed: u64) -> Result<BitTensor> {
        self.m = Buffer::zeros(rows * cols);
        Ok(random_bits(seed, 0, rows, cols))
    }

    fn flips(&mut self, cx: &Context, weights: BitView, signal: &Signal, _rate: f64) -> Result<BitTensor> {
        let Signal::Grad(grad) = signal else {
            return Err(Error::Kind { layer: "bop", expected: "a gradient", got: signal.kind() });
        };
        check_shape("bop", "a gradient", weights.shape(), grad.shape())?;
        let (mut after, step) = (weights.to_tensor(), self.step(cx, weights.shape())?);
        update_with(&cx.engine, grad.values(), &mut self.m[..], &mut after, &step)?;
        Ok(after.xor(weights)?)
    }

    fn descend(
        &mut self,
        cx: &Context,
        weights: &mut BitTensor,
        gradient: &mut WeightGradient,
        _rate: f64,
    ) -> Result<u64> {
        check_shape("bop", "a gradient", weights.shape(), gradient.shape())?;
        let step = self.step(cx, weights.shape())?;
        gradient.each_run(cx, &mut self.m[..], weights, &step)?;
        Ok(step.flips.into_inner())
    }

    fn inertia(&self, most: usize) -> Option<(&'static str, Vec<f32>)> {
        Some(("averages", even_sample(&self.m[..], most).copied().collect()))
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        state.reals("m", &mut self.m)
    }
}

/// What is done to each run of the averages in a step.
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
