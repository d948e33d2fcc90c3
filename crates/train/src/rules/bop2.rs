//! Second-order Bop: [`Bop`](crate::rules::Bop), its average divided by the size of the gradients (arXiv:2104.05124).
//!
//! ```text
//! m <- (1 - gamma) m + gamma g
//! v <- (1 - sigma) v + sigma g^2
//! w flips where |q| > threshold and sgn(q) = sgn(w),  q = m' / (sqrt(v') + 1e-10)
//! ```
//!
//! `m'` and `v'` are the averages as they are, or [corrected](Correction). So the threshold has no unit. Formulas and
//! settings are those of the authors' repository, CuauSuarez/Bop2ndOrder. Memory: two f32 a weight.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use onebit_bits::{BitTensor, BitView, Buffer, Isa, Update, random_bits, update_with, vectorized};

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
    rules::{
        beyond::{RUN, WORDS, flip_beyond, follow, follow_squares},
        bop::check_states,
    },
};

/// What becomes of the averages before they are compared. Both start at 0 and are too small at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Correction {
    /// Nothing: the authors' biased variant, their best on CIFAR-10.
    #[default]
    None,
    /// `m / gamma` and `v / sigma`: what the authors' code calls unbiased. It is so in the first step; while gamma and
    /// sigma stay, it is the biased variant with a threshold of `threshold gamma / sqrt(sigma)`.
    Rates,
    /// `m / (1 - (1 - gamma)^t)` and likewise v after t steps, as Adam; with the product over steps where gamma changes.
    Steps,
}

/// Second-order Bop.
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
    /// What averages of a constant 1 would be, for [`Correction::Steps`].
    ones: [f64; 2],
}

impl Bop2 {
    /// A threshold of 1e-6, a gamma of 1e-7 and a sigma of 1e-3, which stay; no correction.
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

    /// Numbers that stay, or follow a schedule over the epochs of the run.
    ///
    /// `threshold`: what the quotient must exceed, from 0 on. `gamma`, `sigma`: how fast the averages of gradients and of
    /// their squares follow, above 0 and up to 1.
    ///
    /// # Errors
    /// [`Error::Setting`] for a number outside its range, or a schedule that leaves it.
    pub fn with(
        threshold: impl Into<Scheduled>,
        gamma: impl Into<Scheduled>,
        sigma: impl Into<Scheduled>,
        correction: Correction,
    ) -> Result<Self> {
        Ok(Self {
            threshold: threshold.into().check("threshold", 0.0..=f64::from(f32::MAX))?,
            gamma: gamma.into().check_share("gamma")?,
            sigma: sigma.into().check_share("sigma")?,
            correction,
            ..Self::new()
        })
    }

    /// m and v, the averages of gradients and of their squares, `(o, i)`, row-major.
    pub fn averages(&self) -> [&[f32]; 2] {
        [&self.m, &self.v]
    }

    fn step(&mut self, cx: &Context, shape: (usize, usize)) -> Result<Step> {
        check_states("bop2", shape, self.m.len())?;
        let rates = [self.gamma.at(cx.clock), self.sigma.at(cx.clock)];
        for (ones, rate) in self.ones.iter_mut().zip(rates) {
            *ones += rate * (1.0 - *ones);
        }
        let divisors = match self.correction {
            Correction::None => [1.0; 2],
            Correction::Rates => rates,
            Correction::Steps => self.ones,
        };
        Ok(Step {
            isa: cx.engine.isa(),
            threshold: self.threshold.at(cx.clock) as f32,
            rates: rates.map(|rate| rate as f32),
            factors: divisors.map(|divisor| (1.0 / divisor) as f32),
            flips: AtomicU64::new(0),
        })
    }
}

impl Default for Bop2 {
    fn default() -> Self {
        Self::new()
    }
}

impl Rule for Bop2 {
    fn start(&mut self, rows: usize, cols: usize, seed: u64) -> Result<BitTensor> {
        (self.m, self.v) = (Buffer::zeros(rows * cols), Buffer::zeros(rows * cols));
        self.ones = [0.0; 2];
        Ok(random_bits(seed, 0, rows, cols))
    }

    fn flips(&mut self, cx: &Context, weights: BitView, signal: &Signal, _rate: f64) -> Result<BitTensor> {
        let Signal::Grad(grad) = signal else {
            return Err(Error::Kind { layer: "bop2", expected: "a gradient", got: signal.kind() });
        };
        check_shape("bop2", "a gradient", weights.shape(), grad.shape())?;
        let (mut after, step) = (weights.to_tensor(), self.step(cx, weights.shape())?);
        let states = (&mut self.m[..], &mut self.v[..]);
        update_with(&cx.engine, grad.values(), states, &mut after, &step)?;
        Ok(after.xor(weights)?)
    }

    fn descend(
        &mut self,
        cx: &Context,
        weights: &mut BitTensor,
        gradient: &mut WeightGradient,
        _rate: f64,
    ) -> Result<u64> {
        check_shape("bop2", "a gradient", weights.shape(), gradient.shape())?;
        let step = self.step(cx, weights.shape())?;
        gradient.each_run(cx, (&mut self.m[..], &mut self.v[..]), weights, &step)?;
        Ok(step.flips.into_inner())
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

/// What is done to each run of the averages in a step.
struct Step {
    isa: Isa,
    threshold: f32,
    /// Gamma and sigma.
    rates: [f32; 2],
    /// Of m and v.
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
