//! Integer flip backprop's rule: a small saturating counter behind each weight, and no real number.
//!
//! The weight is the counter's sign, so a weight's whole state is the counter and, where votes are averaged, a second byte.
//! With votes `V = dw` of a batch, and running means over the weights of the layer of `|V|` and `|m|`:
//!
//! ```text
//! m <- m + SR((16 V / mean |V| - m) / n)      the averaged vote; without an average m = 16 V / mean |V|
//! c <- sat(c - SR(rate 2^(bits - 1) m / mean |m|))
//! c <- c - d where it has fallen below 0, c + d where it has risen to 0: the weight flips
//! w  = sgn(c)
//! ```
//!
//! SR rounds up or down at random so that the expectation stays, by a function of seed, step and place. So `rate` is the mean
//! way of a counter in a step, as a share of its range. All but the two means is integer arithmetic.
//!
//! The *dead band* d keeps a weight from flipping back at once: it pays a flip twice. It does what the reset of BOLD's
//! accumulator (arXiv:2405.16339) does, without a bit besides the counter. A counter of 6 to 8 bits with stochastic steps is that of
//! arXiv:2512.04189, whose plain form has no dead band.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use onebit_bits::{BitTensor, BitView, Isa, Noise, Update, sign_words, update_with, vectorized};
use serde::{Deserialize, Serialize};

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
};

/// How counters count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Counting {
    /// Bits of a counter, 2 to 8, its sign included, by default 8. With few, steps are coarse and weights never settle.
    pub bits: u32,
    /// What a flip costs a counter, from 0 to below half of its range, by default 32. At 0 weights chatter about 0.
    pub dead_band: u8,
    /// Batches that a vote is averaged over, a power of two up to 64, by default 1: not at all. A second byte a weight, for
    /// batches of less than some hundred samples.
    pub average: u32,
    /// What the rate says, by default `way`.
    pub hold: Hold,
}

/// What a rate is the rate of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hold {
    /// The mean way of a counter in a step, as a share of its range.
    #[default]
    Way,
    /// The share of the weights that flip in a step. A controller finds the way: after each step it grows or shrinks by the
    /// 16th root of `rate / mean flips`, that within 1/2 and 2.
    Flips,
}

impl Default for Counting {
    fn default() -> Self {
        Self { bits: 8, dead_band: 32, average: 1, hold: Hold::Way }
    }
}

impl Counting {
    fn check(self) -> Result<Self> {
        if !(2..=8).contains(&self.bits) {
            return Err(Error::setting("counter bits", "2 to 8", self.bits));
        }
        if i32::from(self.dead_band) >= self.range() {
            return Err(Error::setting(
                "counter dead_band",
                format!("less than {}", self.range()),
                self.dead_band,
            ));
        }
        if !(self.average.is_power_of_two() && self.average <= 64) {
            return Err(Error::setting("counter average", "a power of two from 1 to 64", self.average));
        }
        Ok(self)
    }

    /// Counters are in `-range..range`.
    fn range(self) -> i32 {
        1 << (self.bits - 1)
    }
}

/// Counters whose signs are the weights.
pub struct Counter {
    counting: Counting,
    counters: Vec<i8>, // (o, i)
    averages: Vec<i8>, // (o, i), or none
    /// Running means of `|V|` and `|m|`; 0 before the first vote.
    means: [f32; 2],
    /// Where flips are held: the way, and the running mean of the share that flips; 0 before the first vote.
    held: [f32; 2],
    seed: u64,
    step: u64,
}

/// The mean `16 V / mean |V|` of a vote.
const VOTE: f32 = 16.0;

/// Digits behind the point of what is rounded at random.
const DIGITS: u32 = 14;
const ONE: f32 = (1 << DIGITS) as f32;

/// The nearest integer of a number within what a byte holds and digits. A cast, which saturates, is not vectorized.
#[inline(always)]
fn integer(x: f32) -> i32 {
    /// Numbers around it are whole, and so are those in their lowest bits.
    const WHOLE: f32 = 1.5 * (1u32 << 23) as f32;
    let within = x.clamp(-127.0 * ONE, 127.0 * ONE);
    (within + WHOLE).to_bits().wrapping_sub(WHOLE.to_bits()) as i32
}

/// Random digits: the lowest of 32 bits.
#[inline(always)]
fn digits(random: u32) -> i32 {
    (random & ((1 << DIGITS) - 1)) as i32
}

/// What running means follow a step by.
const FOLLOW: f32 = 0.125;

impl Counter {
    /// Counters that start near 0, where weights are undecided.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting outside its range.
    pub fn new(counting: Counting) -> Result<Self> {
        let (counters, averages, means, held, seed, step) = Default::default();
        Ok(Self { counting: counting.check()?, counters, averages, means, held, seed, step })
    }

    /// The counters, `(o, i)`, row-major.
    pub fn counters(&self) -> &[i8] {
        &self.counters
    }

    /// Whole bytes of state that a weight has besides its bit.
    pub fn bytes_per_weight(&self) -> usize {
        1 + usize::from(self.averaging())
    }

    fn averaging(&self) -> bool {
        self.counting.average > 1
    }

    /// One step; `runs` brings the votes. Returns how many weights flipped.
    fn follow(
        &mut self,
        cx: &Context,
        rate: f64,
        runs: impl FnOnce(&mut [i8], &mut [i8], &Step) -> Result<()>,
    ) -> Result<u64> {
        self.step = self.step.wrapping_add(1);
        let range = self.counting.range();
        let over = |mean: f32| if mean > 0.0 { 1.0 / mean } else { 0.0 };
        let way = match self.counting.hold {
            Hold::Flips if self.held[0] != 0.0 => self.held[0],
            _ => rate as f32,
        };
        let mean_of_m = if self.averaging() { self.means[1] } else { VOTE };
        let step = Step {
            isa: cx.engine.isa(),
            vote: VOTE * ONE * over(self.means[0]),
            average: self.counting.average.ilog2(),
            pace: way * range as f32 * over(mean_of_m),
            range,
            dead_band: self.counting.dead_band.into(),
            key: Noise { seed: self.seed, step: self.step }.key(0),
            flips: AtomicU64::new(0),
            sums: Default::default(),
            largest: AtomicU32::new(0),
        };
        runs(&mut self.counters, &mut self.averages, &step)?;
        let [of_v, of_m] = step.sums.map(AtomicU64::into_inner).map(|sum| sum as f32);
        let (weights, flips) = (self.counters.len() as f32, step.flips.into_inner());
        if self.means[0] == 0.0 {
            // the first vote says only how large votes are, about; nothing has moved
            self.means[0] = f32::from_bits(step.largest.into_inner()) / VOTE;
        } else if of_v > 0.0 {
            let seen = of_v / weights * SUM_PART / step.vote;
            self.means[0] += (seen - self.means[0]) * FOLLOW;
            let seen = of_m / weights;
            self.means[1] =
                if self.means[1] == 0.0 { seen } else { self.means[1] + (seen - self.means[1]) * FOLLOW };
        }
        if self.counting.hold == Hold::Flips && of_v > 0.0 {
            self.hold(rate as f32, way, flips as f32 / weights);
        }
        Ok(flips)
    }

    /// Corrects the way after a step in which a share of the weights has flipped.
    fn hold(&mut self, target: f32, way: f32, flipped: f32) {
        let [held, mean] = &mut self.held;
        *mean = if *held == 0.0 { target } else { *mean + (flipped - *mean) * FOLLOW };
        let off = if *mean > 0.0 { (target / *mean).clamp(0.5, 2.0) } else { 2.0 };
        *held = (way * libm::powf(off, 1.0 / 16.0)).clamp(SHORTEST, 1.0);
    }
}

/// The least way that a controller goes down to.
const SHORTEST: f32 = 1e-7;

impl Rule for Counter {
    fn start(&mut self, rows: usize, cols: usize, seed: u64) -> Result<BitTensor> {
        self.seed = seed;
        let bits = onebit_bits::random_bits(seed, 0, rows, cols);
        // far enough from 0 that it takes some votes
        let most = (self.counting.range() / 4 - 1).max(0) as u64 + 1;
        let key = Noise { seed, step: 0 }.key(0);
        let counter = |at: usize| {
            let size = ((u64::from(Noise::bits(key, at)) * most) >> 32) as i8;
            if bits.get(at / cols, at % cols) { size } else { -1 - size }
        };
        self.counters = (0..rows * cols).map(counter).collect();
        self.averages = vec![0; if self.averaging() { rows * cols } else { 0 }];
        Ok(bits)
    }

    fn flips(&mut self, cx: &Context, weights: BitView, signal: &Signal, rate: f64) -> Result<BitTensor> {
        let Signal::Grad(votes) = signal else {
            return Err(Error::Kind { layer: "counter", expected: "a gradient", got: signal.kind() });
        };
        check_shape("counter", "a gradient", weights.shape(), votes.shape())?;
        let mut signs = weights.to_tensor();
        self.follow(cx, rate, |counters, averages, step| {
            let (engine, votes, signs) = (&cx.engine, votes.values(), &mut signs);
            match averages {
                [] => update_with(engine, votes, counters, signs, step)?,
                averages => update_with(engine, votes, (counters, averages), signs, step)?,
            }
            Ok(())
        })?;
        Ok(signs.xor(weights)?)
    }

    fn descend(
        &mut self,
        cx: &Context,
        weights: &mut BitTensor,
        votes: &mut WeightGradient,
        rate: f64,
    ) -> Result<u64> {
        check_shape("counter", "a gradient", weights.shape(), votes.shape())?;
        self.follow(cx, rate, |counters, averages, step| match averages {
            [] => votes.each_run(cx, counters, weights, step),
            averages => votes.each_run(cx, (counters, averages), weights, step),
        })
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

/// Elements at once: they stay in the L1 cache.
const RUN: usize = 64 * WORDS;
const WORDS: usize = 8;

/// Sums of `|V|` are in this many parts of what is rounded, so that those of a run fit 32 bits.
const SUM_PART: f32 = 256.0;

/// What is done to each run of counters in a step.
struct Step {
    isa: Isa,
    /// Makes `16 V / mean |V|` of a vote, with its digits.
    vote: f32,
    /// Its share in the average is `2^-average`.
    average: u32,
    /// What an averaged vote is multiplied by.
    pace: f32,
    range: i32,
    dead_band: i32,
    key: u32,
    flips: AtomicU64,
    /// Of `|V|` and `|m|`.
    sums: [AtomicU64; 2],
    /// Bits of the largest `|V|`.
    largest: AtomicU32,
}

/// What a run is found to be.
#[derive(Default)]
struct Seen {
    sums: [u32; 2],
    largest: u32,
}

impl Step {
    /// `averages` are empty where votes are not averaged.
    #[inline(always)]
    fn run(&self, mut at: usize, votes: &[f32], counters: &mut [i8], averages: &mut [i8], words: &mut [u64]) {
        let mut flips = 0;
        let mut averages = averages.chunks_mut(RUN);
        let runs = votes.chunks(RUN).zip(counters.chunks_mut(RUN)).zip(words.chunks_mut(WORDS));
        for ((votes, counters), words) in runs {
            let (mut signs, mut fresh, mut seen) = ([0.0; RUN], [0; WORDS], Seen::default());
            let (signs, fresh) = (&mut signs[..votes.len()], &mut fresh[..words.len()]);
            match averages.next() {
                Some(averages) => {
                    average_and_count(self.isa, self, at, votes, [averages, counters], signs, &mut seen);
                }
                None => count(self.isa, self, at, votes, counters, signs, &mut seen),
            }
            sign_words(self.isa, signs, fresh).expect("a word for each 64 weights");
            for (word, fresh) in words.iter_mut().zip(fresh) {
                flips += u64::from((*word ^ *fresh).count_ones());
                *word = *fresh;
            }
            for (total, sum) in self.sums.iter().zip(seen.sums) {
                total.fetch_add(sum.into(), Relaxed);
            }
            self.largest.fetch_max(seen.largest, Relaxed);
            at += votes.len();
        }
        self.flips.fetch_add(flips, Relaxed);
    }

    /// `16 V / mean |V|`, within what a byte holds.
    #[inline(always)]
    fn vote(&self, vote: f32) -> i32 {
        integer(vote * self.vote)
    }

    /// The counter after a vote `m`.
    #[inline(always)]
    fn count(&self, counter: i8, m: i32, random: i32) -> i32 {
        let way = (integer(m as f32 * self.pace) + random) >> DIGITS;
        let old = i32::from(counter);
        let new = old - way;
        let flipped = (old ^ new) >> 31; // all ones where the sign has changed
        let onwards = (self.dead_band ^ new >> 31) - (new >> 31); // away from 0
        (new + (flipped & onwards)).max(-self.range).min(self.range - 1)
    }
}

impl Update<&mut [i8]> for Step {
    #[inline(always)]
    fn run(&self, first: usize, votes: &[f32], counters: &mut [i8], weights: &mut [u64]) {
        self.run(first, votes, counters, &mut [], weights);
    }
}

impl Update<(&mut [i8], &mut [i8])> for Step {
    #[inline(always)]
    fn run(&self, first: usize, votes: &[f32], states: (&mut [i8], &mut [i8]), weights: &mut [u64]) {
        self.run(first, votes, states.0, states.1, weights);
    }
}

vectorized! {
    fn average_and_count<'a>(
        step: &'a Step, first: usize, votes: &'a [f32], states: [&'a mut [i8]; 2], signs: &'a mut [f32],
        seen: &'a mut Seen,
    ) {
        let (mut of_v, mut of_m, mut largest) = (0u32, 0u32, 0u32);
        let [averages, counters] = states;
        let states = averages.iter_mut().zip(counters).zip(signs);
        for (at, (v, ((m, c), sign))) in votes.iter().zip(states).enumerate() {
            let random = Noise::bits(step.key, first + at);
            largest = largest.max(v.abs().to_bits());
            let vote = step.vote(*v);
            of_v += vote.unsigned_abs() >> 8;
            let old = i32::from(*m) << DIGITS;
            let new = (old + ((vote - old) >> step.average) + digits(random >> 16)) >> DIGITS;
            of_m += new.unsigned_abs();
            *m = new as i8;
            let counter = step.count(*c, new << DIGITS, digits(random));
            *c = counter as i8;
            *sign = counter as f32;
        }
        *seen = Seen { sums: [of_v, of_m], largest };
    }
}

vectorized! {
    fn count<'a>(
        step: &'a Step, first: usize, votes: &'a [f32], counters: &'a mut [i8], signs: &'a mut [f32],
        seen: &'a mut Seen,
    ) {
        let (mut of_v, mut largest) = (0u32, 0u32);
        for (at, (v, (c, sign))) in votes.iter().zip(counters.iter_mut().zip(signs)).enumerate() {
            let random = Noise::bits(step.key, first + at);
            largest = largest.max(v.abs().to_bits());
            let vote = step.vote(*v);
            of_v += vote.unsigned_abs() >> 8;
            let counter = step.count(*c, vote, digits(random));
            *c = counter as i8;
            *sign = counter as f32;
        }
        *seen = Seen { sums: [of_v, 0], largest };
    }
}
