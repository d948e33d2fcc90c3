//! The integer arithmetic of one step, on runs of counters that stay in the L1 cache.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use onebit_bits::{Isa, Noise, Update, sign_words, vectorized};

use crate::rules::counter::settings::Counting;

/// The mean of `16 V / mean |V|`.
pub(super) const VOTE: f32 = 16.0;

/// Binary digits after the point of the numbers that are rounded at random.
const DIGITS: u32 = 14;
const ONE: f32 = (1 << DIGITS) as f32;

/// Elements per pass.
const RUN: usize = 64 * WORDS;
const WORDS: usize = 8;

/// Sums of `|V|` count units of `SUM_UNIT` steps of the rounded votes, so that the sum of a run fits 32 bits.
const SUM_UNIT: f32 = 256.0;

/// The constants and the measurements of one step.
pub(super) struct Step {
    isa: Isa,
    /// The factor from a vote to `16 V / mean |V|`, in fixed point.
    vote: f32,
    /// The share of a vote in its average is `2^-average`.
    average: u32,
    /// The factor from an averaged vote to the step of its counter.
    pace: f32,
    range: i32,
    dead_band: i32,
    key: u32,
    flips: AtomicU64,
    /// Sums of `|V|` and `|m|`.
    sums: [AtomicU64; 2],
    /// The bits of the largest `|V|`.
    largest: AtomicU32,
}

/// The measurements of a step: flips, the largest `|V|`, and the sums of `|V|`, in units of the rounded
/// votes, and of `|m|`.
pub(super) struct Seen {
    pub(super) flips: u64,
    pub(super) v: f32,
    pub(super) m: f32,
    pub(super) largest: f32,
    vote: f32,
}

impl Seen {
    /// The mean of `|V|` over `count` weights.
    pub(super) fn mean_of_v(&self, count: f32) -> f32 {
        self.v / count * SUM_UNIT / self.vote
    }
}

/// The sums of one run.
#[derive(Default)]
struct RunSums {
    sums: [u32; 2],
    largest: u32,
}

impl Step {
    /// `means`: of `|V|` and `|m|`; 0 makes all votes or steps 0. `step_size`: the mean step of a counter, as
    /// a share of its range.
    pub(super) fn new(isa: Isa, counting: Counting, means: [f32; 2], step_size: f32, key: u32) -> Self {
        let over = |mean: f32| if mean > 0.0 { 1.0 / mean } else { 0.0 };
        let range = counting.range();
        Self {
            isa,
            vote: VOTE * ONE * over(means[0]),
            average: counting.average.ilog2(),
            pace: step_size * range as f32 * over(means[1]),
            range,
            dead_band: counting.dead_band.into(),
            key,
            flips: AtomicU64::new(0),
            sums: Default::default(),
            largest: AtomicU32::new(0),
        }
    }

    pub(super) fn into_seen(self) -> Seen {
        let [v, m] = self.sums.map(AtomicU64::into_inner).map(|sum| sum as f32);
        let largest = f32::from_bits(self.largest.into_inner());
        Seen { flips: self.flips.into_inner(), v, m, largest, vote: self.vote }
    }

    /// Updates a run; `averages` is empty where votes are not averaged.
    #[inline(always)]
    fn run(&self, mut at: usize, votes: &[f32], counters: &mut [i8], averages: &mut [i8], words: &mut [u64]) {
        let mut flips = 0;
        let mut averages = averages.chunks_mut(RUN);
        let runs = votes.chunks(RUN).zip(counters.chunks_mut(RUN)).zip(words.chunks_mut(WORDS));
        for ((votes, counters), words) in runs {
            let (mut signs, mut fresh, mut seen) = ([0.0; RUN], [0; WORDS], RunSums::default());
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

    /// `16 V / mean |V|` in fixed point, saturated to the range of a byte.
    #[inline(always)]
    fn vote(&self, vote: f32) -> i32 {
        integer(vote * self.vote)
    }

    /// The counter after the averaged vote `m`.
    #[inline(always)]
    fn count(&self, counter: i8, m: i32, random: i32) -> i32 {
        let by = (integer(m as f32 * self.pace) + random) >> DIGITS;
        let old = i32::from(counter);
        let new = old - by;
        let flipped = (old ^ new) >> 31; // all ones where the sign has changed
        let outward = (self.dead_band ^ new >> 31) - (new >> 31); // the dead band, away from 0
        (new + (flipped & outward)).max(-self.range).min(self.range - 1)
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

/// Rounds to the nearest integer, saturating at `127 * ONE`. A saturating cast is not vectorized.
#[inline(always)]
fn integer(x: f32) -> i32 {
    /// Floats near this number are integers, and so are their lowest bits.
    const WHOLE: f32 = 1.5 * (1u32 << 23) as f32;
    let within = x.clamp(-127.0 * ONE, 127.0 * ONE);
    (within + WHOLE).to_bits().wrapping_sub(WHOLE.to_bits()) as i32
}

/// The lowest [`DIGITS`] bits of a random number.
#[inline(always)]
fn digits(random: u32) -> i32 {
    (random & ((1 << DIGITS) - 1)) as i32
}

vectorized! {
    fn average_and_count<'a>(
        step: &'a Step, first: usize, votes: &'a [f32], states: [&'a mut [i8]; 2], signs: &'a mut [f32],
        seen: &'a mut RunSums,
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
        *seen = RunSums { sums: [of_v, of_m], largest };
    }
}

vectorized! {
    fn count<'a>(
        step: &'a Step, first: usize, votes: &'a [f32], counters: &'a mut [i8], signs: &'a mut [f32],
        seen: &'a mut RunSums,
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
        *seen = RunSums { sums: [of_v, 0], largest };
    }
}
