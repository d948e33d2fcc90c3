//! Second-order Bop: the average gradient of [`Bop`](crate::rules::Bop), divided by the size of the gradients
//! (arXiv:2104.05124).
//!
//! ```text
//! m <- (1 - gamma) m + gamma g
//! v <- (1 - sigma) v + sigma g^2
//! w flips where |q| > threshold and sgn(q) = sgn(w),  q = m' / (sqrt(v') + 1e-10)
//! ```
//!
//! `m'` and `v'` are the averages, [corrected](Correction) or not, so the threshold has no unit. Formulas and
//! settings follow the authors' repository, CuauSuarez/Bop2ndOrder. The state is two f32 per weight.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use onebit_bits::{BitTensor, BitView, Buffer, Isa, Update, random_bits, vectorized};

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
        flip_beyond::{RUN, WORDS, check_threshold, flip_beyond, follow, follow_squares},
        one_pass::{self, Gradient, OnePass, check_states},
    },
};

/// How the averages are corrected before the comparison. Both start at 0 and are too small at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Correction {
    /// No correction: the authors' biased variant, their best on CIFAR-10.
    #[default]
    None,
    /// `m / gamma` and `v / sigma`, which the authors' code calls unbiased. That holds in the first step
    /// only; while gamma and sigma are constant, this is the biased variant with the threshold
    /// `threshold gamma / sqrt(sigma)`.
    Rates,
    /// `m / (1 - (1 - gamma)^t)` after t steps, and the same for `v`, as in Adam. Where gamma changes, the
    /// power is the product over the steps.
    Steps,
}

/// Second-order Bop: a weight flips when its average gradient is large relative to the gradients' size.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{Matrix, Signal, layer::Context, rules::{Bop2, Correction, Rule}};
///
/// let mut bop = Bop2::with(0.7, 0.5, 0.5, Correction::None)?; // threshold, gamma, sigma
/// let weights = bop.start(1, 1, 42)?;
/// let w = if weights.get(0, 0) { 1.0 } else { -1.0 };
///
/// // q = 0.5 * 8 w / sqrt(0.5 * 64) = w / sqrt(2), which exceeds 0.7 for any size of the gradient.
/// let signal = Signal::Grad(Matrix::new(1, 1, vec![8.0 * w])?);
/// let flips = bop.flips(&Context::train(&Engine::single()), weights.view(), &signal, 0.0)?;
/// assert!(flips.get(0, 0));
/// assert_eq!(bop.averages(), [&[4.0 * w][..], &[32.0]]);
/// # Ok::<(), onebit_train::Error>(())
/// ```
///
/// Settings may follow schedules over the epochs:
///
/// ```
/// use onebit_train::{Schedule, rules::{Bop2, Correction}, schedule::Scheduled};
///
/// // The authors' run on CIFAR-10, 500 epochs.
/// let line = |start, final_rate| Scheduled { start, schedule: Schedule::Linear { final_rate } };
/// let bop = Bop2::with(line(1e-5, 1e-8), line(1e-2, 1e-5), line(1e-7, 1e-2), Correction::None)?;
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct Bop2 {
    threshold: Scheduled,
    gamma: Scheduled,
    sigma: Scheduled,
    correction: Correction,
    m: Buffer<f32>, // (o, i)
    v: Buffer<f32>, // (o, i)
    /// The averages that a constant 1 would have, for [`Correction::Steps`].
    ones: [f64; 2],
}

impl Bop2 {
    /// Creates the rule with a constant threshold of 1e-6, gamma of 1e-7 and sigma of 1e-3, without
    /// correction.
    pub fn new() -> Self {
        Self {
            threshold: 1e-6.into(),
            gamma: 1e-7.into(),
            sigma: 1e-3.into(),
            correction: Correction::None,
            m: Buffer::new(),
            v: Buffer::new(),
            ones: [0.0; 2],
        }
    }

    /// Creates the rule with settings that are constant or follow a schedule over the epochs of the run.
    ///
    /// `threshold`, at least 0, is the bound on the quotient `q`. `gamma` and `sigma`, above 0 and at most 1,
    /// are how fast the averages of the gradients and of their squares follow.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for a number outside its range, or a schedule that leaves
    /// it.
    pub fn with(
        threshold: impl Into<Scheduled>,
        gamma: impl Into<Scheduled>,
        sigma: impl Into<Scheduled>,
        correction: Correction,
    ) -> Result<Self> {
        Ok(Self {
            threshold: check_threshold(threshold)?,
            gamma: gamma.into().check_share("gamma")?,
            sigma: sigma.into().check_share("sigma")?,
            correction,
            ..Self::new()
        })
    }

    /// The averages `m` of the gradients and `v` of their squares, `(o, i)`, row-major.
    pub fn averages(&self) -> [&[f32]; 2] {
        [&self.m, &self.v]
    }

    fn step(&mut self, cx: &Context) -> Step {
        let rates = [self.gamma.at(cx.clock), self.sigma.at(cx.clock)];
        for (ones, rate) in self.ones.iter_mut().zip(rates) {
            *ones += rate * (1.0 - *ones);
        }
        let divisors = match self.correction {
            Correction::None => [1.0; 2],
            Correction::Rates => rates,
            Correction::Steps => self.ones,
        };
        Step {
            isa: cx.engine.isa(),
            threshold: self.threshold.at(cx.clock) as f32,
            rates: rates.map(|rate| rate as f32),
            factors: divisors.map(|divisor| (1.0 / divisor) as f32),
            flips: AtomicU64::new(0),
        }
    }
}

impl Default for Bop2 {
    fn default() -> Self {
        Self::new()
    }
}

impl OnePass for Bop2 {
    const NAME: &'static str = "bop2";

    fn follow(&mut self, cx: &Context, weights: &mut BitTensor, gradient: Gradient, _: f64) -> Result<u64> {
        check_states(Self::NAME, "averages", weights.shape(), self.m.len())?;
        let step = self.step(cx);
        gradient.each_run(cx, (&mut self.m[..], &mut self.v[..]), weights, &step)?;
        Ok(step.flips.into_inner())
    }
}

impl Rule for Bop2 {
    fn start(&mut self, rows: usize, cols: usize, seed: u64) -> Result<BitTensor> {
        (self.m, self.v) = (Buffer::zeros(rows * cols), Buffer::zeros(rows * cols));
        self.ones = [0.0; 2];
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
        state.reals("m", &mut self.m)?;
        state.reals("v", &mut self.v)?;
        for (name, ones) in ["ones_of_m", "ones_of_v"].into_iter().zip(&mut self.ones) {
            let mut bits = ones.to_bits();
            state.count(name, &mut bits)?;
            *ones = f64::from_bits(bits);
        }
        Ok(())
    }
}

/// The settings of one step, and the flips counted in it.
struct Step {
    isa: Isa,
    threshold: f32,
    /// Gamma and sigma.
    rates: [f32; 2],
    /// The corrections of m and v.
    factors: [f32; 2],
    flips: AtomicU64,
}

impl Update<(&mut [f32], &mut [f32])> for Step {
    #[inline(always)]
    fn run(&self, _first: usize, grad: &[f32], (m, v): (&mut [f32], &mut [f32]), weights: &mut [u64]) {
        let (isa, [gamma, sigma]) = (self.isa, self.rates);
        let mut flips = 0;
        let states = m.chunks_mut(RUN).zip(v.chunks_mut(RUN));
        for ((m, v), (grad, weights)) in states.zip(grad.chunks(RUN).zip(weights.chunks_mut(WORDS))) {
            follow(isa, gamma, grad, m);
            follow_squares(isa, sigma, grad, v);
            let mut quotients = [0.0; RUN];
            let quotients = &mut quotients[..m.len()];
            divide(isa, m, v, self.factors, quotients);
            flips += flip_beyond(isa, quotients, self.threshold, weights);
        }
        self.flips.fetch_add(flips, Relaxed);
    }
}

vectorized! {
    fn divide<'a>(m: &'a [f32], v: &'a [f32], factors: [f32; 2], quotients: &'a mut [f32]) {
        for ((quotient, m), v) in quotients.iter_mut().zip(m).zip(v) {
            *quotient = factors[0] * m / ((factors[1] * v).sqrt() + 1e-10);
        }
    }
}
