//! The counters of a layer, the running means that scale its votes, and the controller of its rate.

use onebit_bits::{BitTensor, BitView, Noise};

use crate::{
    contract::{
        context::Context,
        rule::{Rule, even_sample},
        state::State,
        value::Signal,
        weight_gradient::WeightGradient,
    },
    error::Result,
    rules::{
        counter::{
            kernel::{Step, VOTE},
            settings::{Counting, RateTarget},
        },
        one_pass::{self, Gradient, OnePass},
    },
};

/// Saturating counters whose signs are the weights: the rule of integer flip backprop.
///
/// The state of a weight is its counter `c` and, where votes are averaged, a second byte `m`. With the votes
/// `V = dw` of a batch and the layer's running means of `|V|` and `|m|`:
///
/// ```text
/// m <- m + SR((16 V / mean |V| - m) / n)      the averaged vote; without an average m = 16 V / mean |V|
/// c <- sat(c - SR(rate 2^(bits - 1) m / mean |m|))
/// c <- c - d where it has fallen below 0, c + d where it has risen to 0: the weight flips
/// w  = sgn(c)
/// ```
///
/// SR rounds up or down at random so that the expectation is kept; the randomness is a function of seed, step
/// and position. So `rate` is the mean step of a counter as a share of its range. All but the two means is
/// integer arithmetic.
///
/// The *dead band* d keeps a weight from flipping back at once, because a flip back has to cross it. It does
/// what the reset of BOLD's accumulator (arXiv:2405.16339) does, without a bit beside the counter. Counters
/// of 6 to 8 bits with stochastic steps are those of arXiv:2512.04189, whose plain form has no dead band.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{Matrix, Signal, layer::Context, rules::{Counter, Counting, Rule}};
///
/// let mut counter = Counter::new(Counting::default())?;
/// let weights = counter.start(1, 2, 42)?;
/// let cx = Context::train(&Engine::single());
/// let votes = [0, 1].map(|i| if weights.get(0, i) { 1.0 } else { -1.0 });
/// let signal = Signal::Grad(Matrix::new(1, 2, votes.to_vec())?);
///
/// // The first batch only measures the votes. In the second, a rate of 1 takes counters through their range.
/// assert_eq!(counter.flips(&cx, weights.view(), &signal, 1.0)?.count_ones(), 0);
/// assert_eq!(counter.flips(&cx, weights.view(), &signal, 1.0)?.count_ones(), 2);
/// assert!(counter.counters().iter().zip(votes).all(|(&c, vote)| (c >= 0) == (vote < 0.0)));
/// # Ok::<(), onebit_train::Error>(())
/// ```
#[derive(Default)]
pub struct Counter {
    counting: Counting,
    counters: Vec<i8>, // (o, i)
    averages: Vec<i8>, // (o, i), or empty
    /// Running means of `|V|` and `|m|`; 0 until the first vote.
    means: [f32; 2],
    /// For [`RateTarget::Flips`]: the step, and the running mean of the share that flips; 0 until the first
    /// vote.
    held: [f32; 2],
    seed: u64,
    step: u64,
}

/// The share of the new value in the running means.
const FOLLOW: f32 = 0.125;

/// The smallest step that the controller sets.
const SMALLEST_STEP: f32 = 1e-7;

impl Counter {
    /// Creates counters that start near 0, where weights are undecided.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for a setting outside its range.
    pub fn new(counting: Counting) -> Result<Self> {
        Ok(Self { counting: counting.check()?, ..Self::default() })
    }

    /// The counters, `(o, i)`, row-major.
    pub fn counters(&self) -> &[i8] {
        &self.counters
    }

    /// Bytes of state per weight beside its bit: 1, or 2 where votes are averaged.
    pub fn bytes_per_weight(&self) -> usize {
        1 + usize::from(self.counting.averages())
    }

    /// The step of a counter as a share of its range, at this rate.
    fn step_size(&self, rate: f64) -> f32 {
        match self.counting.hold {
            RateTarget::Flips if self.held[0] != 0.0 => self.held[0],
            _ => rate as f32,
        }
    }

    /// Corrects the step size after a step in which the share `flipped` of the weights has flipped.
    fn control(&mut self, target: f32, step_size: f32, flipped: f32) {
        let [held, mean] = &mut self.held;
        *mean = if *held == 0.0 { target } else { *mean + (flipped - *mean) * FOLLOW };
        let off = if *mean > 0.0 { (target / *mean).clamp(0.5, 2.0) } else { 2.0 };
        *held = (step_size * libm::powf(off, 1.0 / 16.0)).clamp(SMALLEST_STEP, 1.0);
    }
}

impl OnePass for Counter {
    const NAME: &'static str = "counter";

    fn follow(
        &mut self,
        cx: &Context,
        weights: &mut BitTensor,
        gradient: Gradient,
        rate: f64,
    ) -> Result<u64> {
        self.step = self.step.wrapping_add(1);
        let step_size = self.step_size(rate);
        let mean_of_m = if self.counting.averages() { self.means[1] } else { VOTE };
        let key = Noise { seed: self.seed, step: self.step }.key(0);
        let step = Step::new(cx.engine.isa(), self.counting, [self.means[0], mean_of_m], step_size, key);
        match &mut self.averages[..] {
            [] => gradient.each_run(cx, &mut self.counters[..], weights, &step)?,
            averages => gradient.each_run(cx, (&mut self.counters[..], averages), weights, &step)?,
        }

        let count = self.counters.len() as f32;
        let seen = step.into_seen();
        if self.means[0] == 0.0 {
            // The first vote only says how large votes are, roughly; nothing has moved.
            self.means[0] = seen.largest / VOTE;
        } else if seen.v > 0.0 {
            let mean = seen.mean_of_v(count);
            self.means[0] += (mean - self.means[0]) * FOLLOW;
            let mean = seen.m / count;
            self.means[1] =
                if self.means[1] == 0.0 { mean } else { self.means[1] + (mean - self.means[1]) * FOLLOW };
        }
        if self.counting.hold == RateTarget::Flips && seen.v > 0.0 {
            self.control(rate as f32, step_size, seen.flips as f32 / count);
        }
        Ok(seen.flips)
    }
}

impl Rule for Counter {
    fn start(&mut self, rows: usize, cols: usize, seed: u64) -> Result<BitTensor> {
        self.seed = seed;
        let bits = onebit_bits::random_bits(seed, 0, rows, cols);
        // Counters start far enough from 0 that a flip takes several votes.
        let most = (self.counting.range() / 4 - 1).max(0) as u64 + 1;
        let key = Noise { seed, step: 0 }.key(0);
        let counter = |at: usize| {
            let size = ((u64::from(Noise::bits(key, at)) * most) >> 32) as i8;
            if bits.get(at / cols, at % cols) { size } else { -1 - size }
        };
        self.counters = (0..rows * cols).map(counter).collect();
        self.averages = vec![0; if self.counting.averages() { rows * cols } else { 0 }];
        Ok(bits)
    }

    fn flips(&mut self, cx: &Context, weights: BitView, signal: &Signal, rate: f64) -> Result<BitTensor> {
        one_pass::flips(self, cx, weights, signal, rate)
    }

    fn descend(
        &mut self,
        cx: &Context,
        weights: &mut BitTensor,
        votes: &mut WeightGradient,
        rate: f64,
    ) -> Result<u64> {
        one_pass::descend(self, cx, weights, votes, rate)
    }

    fn inertia(&self, most: usize) -> Option<(&'static str, Vec<f32>)> {
        Some(("counters", even_sample(&self.counters, most).map(|&c| f32::from(c)).collect()))
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        state.bytes("counters", &mut self.counters)?;
        state.bytes("averages", &mut self.averages)?;
        state.reals("means", &mut self.means)?;
        state.reals("held", &mut self.held)?;
        state.count("step", &mut self.step)
    }
}
