//! The counter rule against its formula, element by element, and its laws.

use onebit_bits::{BitTensor, Engine, Noise, random_bits};
use onebit_train::{
    Matrix, Signal,
    layer::Context,
    rules::{Counter, Counting, RateTarget, Rule},
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::common::{matrix, memory::Memory, signs, training};

const SHAPE: (usize, usize) = (5, 333);
const SEED: u64 = 9;

const PLANS: [Counting; 5] = [
    Counting { bits: 8, dead_band: 32, average: 8, hold: RateTarget::Step },
    Counting { bits: 8, dead_band: 32, average: 1, hold: RateTarget::Step },
    Counting { bits: 6, dead_band: 0, average: 1, hold: RateTarget::Step },
    Counting { bits: 7, dead_band: 63, average: 2, hold: RateTarget::Step },
    Counting { bits: 2, dead_band: 1, average: 64, hold: RateTarget::Step },
];

fn votes(seed: u64, steps: usize) -> Vec<Matrix> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (o, i) = SHAPE;
    let mut vote =
        |at: usize| if at.is_multiple_of(7) { 0.0 } else { rng.random_range(-1.0f32..1.0).powi(3) };
    (0..steps).map(|_| matrix(o, i, (0..o * i).map(&mut vote))).collect()
}

fn run(rule: &mut Counter, bits: &mut BitTensor, cx: &Context, votes: &[Matrix], rate: f64) -> usize {
    let mut flipped = 0;
    for votes in votes {
        let flips = rule.flips(cx, bits.view(), &Signal::Grad(votes.clone()), rate).unwrap();
        bits.flip(flips.view()).unwrap();
        flipped += flips.count_ones() as usize;
    }
    flipped
}

/// The rule's formula in loops, over integers of any size; the two means are given.
struct Naive {
    counting: Counting,
    counters: Vec<i64>,
    averages: Vec<i64>,
    means: [f32; 2],
    step: u64,
}

impl Naive {
    fn step(&mut self, votes: &Matrix, rate: f32) {
        self.step += 1;
        let Counting { bits, dead_band, average, .. } = self.counting;
        let (range, one) = (1i64 << (bits - 1), 16384.0f32);
        let integer = |x: f32| x.clamp(-127.0 * one, 127.0 * one).round_ties_even() as i64;
        let key = Noise { seed: SEED, step: self.step }.key(0);
        let over = |mean: f32| if mean > 0.0 { 1.0 / mean } else { 0.0 };
        let scale = 16.0 * one * over(self.means[0]);
        let pace = rate * range as f32 * over(if average > 1 { self.means[1] } else { 16.0 });
        let (mut of_v, mut of_m, mut largest) = (0i64, 0i64, 0.0f32);
        for (at, v) in votes.values().iter().enumerate() {
            let random = i64::from(Noise::bits(key, at));
            largest = largest.max(v.abs());
            let vote = integer(v * scale);
            of_v += vote.abs() / 256;
            let mut m = vote;
            if average > 1 {
                let old = self.averages[at] * 16384;
                let share = (vote - old).div_euclid(i64::from(average));
                self.averages[at] = (old + share + (random / 65536) % 16384).div_euclid(16384);
                of_m += self.averages[at].abs();
                m = self.averages[at] * 16384;
            }
            let way = integer(m as f32 * pace);
            let old = self.counters[at];
            let mut new = old - (way + random % 16384).div_euclid(16384);
            if (old < 0) != (new < 0) {
                new += if new < 0 { -i64::from(dead_band) } else { i64::from(dead_band) };
            }
            self.counters[at] = new.clamp(-range, range - 1);
        }
        let weights = votes.values().len() as f32;
        if self.means[0] == 0.0 {
            self.means[0] = largest / 16.0;
        } else if of_v > 0 {
            self.means[0] += (of_v as f32 / weights * 256.0 / scale - self.means[0]) * 0.125;
            let seen = of_m as f32 / weights;
            self.means[1] =
                if self.means[1] == 0.0 { seen } else { self.means[1] + (seen - self.means[1]) * 0.125 };
        }
    }
}

#[test]
fn counters_follow_the_formula() {
    for counting in PLANS {
        let mut rule = Counter::new(counting).unwrap();
        let mut bits = rule.start(SHAPE.0, SHAPE.1, SEED).unwrap();
        let mut naive = Naive {
            counting,
            counters: rule.counters().iter().map(|c| i64::from(*c)).collect(),
            averages: vec![0; SHAPE.0 * SHAPE.1],
            means: [0.0; 2],
            step: 0,
        };
        let mut flipped = 0;
        for votes in votes(1, 30) {
            flipped += run(&mut rule, &mut bits, &training(), std::slice::from_ref(&votes), 0.1);
            naive.step(&votes, 0.1);
            let counters: Vec<i64> = rule.counters().iter().map(|c| i64::from(*c)).collect();
            assert_eq!(counters, naive.counters, "{counting:?}");
            let reals = matrix(SHAPE.0, SHAPE.1, counters.iter().map(|c| *c as f32));
            assert_eq!(bits, signs(&reals), "{counting:?}: a weight is the sign of its counter");
        }
        assert!(flipped > 0, "{counting:?}: something must flip");
    }
}

#[test]
fn threads_and_instruction_sets_do_not_matter() {
    for counting in PLANS {
        let outcome = |engine: &Engine| {
            let mut rule = Counter::new(counting).unwrap();
            let mut bits = rule.start(SHAPE.0, SHAPE.1, 4).unwrap();
            run(&mut rule, &mut bits, &Context::train(engine), &votes(2, 6), 0.05);
            (rule.counters().to_vec(), bits)
        };
        let expected = outcome(&Engine::single());
        assert_eq!(outcome(&Engine::new(2).unwrap()), expected, "{counting:?}");
        for isa in onebit_bits::Isa::available() {
            assert_eq!(outcome(&Engine::single().with_isa(isa)), expected, "{counting:?}, {}", isa.name());
        }
    }
}

/// The same votes a thousand times as large say the same; only their proportions count.
#[test]
fn the_unit_of_votes_does_not_matter() {
    let outcome = |unit: f32| {
        let mut rule = Counter::new(Counting::default()).unwrap();
        let mut bits = rule.start(SHAPE.0, SHAPE.1, 4).unwrap();
        let scaled: Vec<Matrix> = votes(3, 8)
            .iter()
            .map(|votes| matrix(SHAPE.0, SHAPE.1, votes.values().iter().map(|v| v * unit)))
            .collect();
        run(&mut rule, &mut bits, &training(), &scaled, 0.05);
        rule.counters().to_vec()
    };
    assert_eq!(outcome(1.0), outcome(1024.0));
    assert_eq!(outcome(1.0), outcome(1.0 / 1024.0));
}

/// The mean way of a counter in a step is the rate, as a share of the range.
#[test]
fn the_rate_is_the_mean_way() {
    for average in [1, 8] {
        let mut rule =
            Counter::new(Counting { bits: 8, dead_band: 0, average, hold: RateTarget::Step }).unwrap();
        let mut bits = rule.start(SHAPE.0, SHAPE.1, 4).unwrap();
        let (rate, steps) = (0.004, 400);
        let votes =
            matrix(SHAPE.0, SHAPE.1, (0..SHAPE.0 * SHAPE.1).map(|at| if at % 2 == 0 { 1.0 } else { -1.0 }));
        run(&mut rule, &mut bits, &training(), &vec![votes.clone(); 60], rate); // means settle
        let before: Vec<i64> = rule.counters().iter().map(|c| i64::from(*c)).collect();
        run(&mut rule, &mut bits, &training(), &vec![votes; steps - 380], rate);
        let way: i64 = rule.counters().iter().zip(before).map(|(c, old)| (i64::from(*c) - old).abs()).sum();
        let mean = way as f64 / (SHAPE.0 * SHAPE.1) as f64 / 20.0 / 128.0;
        assert!((mean / rate - 1.0).abs() < 0.05, "average {average}: {mean} for {rate}");
    }
}

#[test]
fn silent_votes_move_nothing() {
    let mut rule = Counter::new(Counting { average: 1, ..Counting::default() }).unwrap();
    let mut bits = rule.start(SHAPE.0, SHAPE.1, 4).unwrap();
    run(&mut rule, &mut bits, &training(), &votes(3, 3), 0.05);
    let before = rule.counters().to_vec();
    assert_eq!(run(&mut rule, &mut bits, &training(), &[Matrix::zeros(SHAPE.0, SHAPE.1)], 0.05), 0);
    assert_eq!(rule.counters(), before);
}

#[test]
fn a_restored_rule_goes_on_as_the_saved_one() {
    for counting in PLANS {
        let (votes, cx) = (votes(5, 6), training());
        let mut saved = Counter::new(counting).unwrap();
        let mut bits = saved.start(SHAPE.0, SHAPE.1, 6).unwrap();
        run(&mut saved, &mut bits, &cx, &votes[..3], 0.05);
        let mut memory = Memory::default();
        memory.save(|state| saved.state(state));
        let mut restored = Counter::new(counting).unwrap();
        restored.start(SHAPE.0, SHAPE.1, 6).unwrap();
        memory.restore(|state| restored.state(state));
        let mut bits_of_restored = bits.clone();
        run(&mut saved, &mut bits, &cx, &votes[3..], 0.05);
        run(&mut restored, &mut bits_of_restored, &cx, &votes[3..], 0.05);
        assert_eq!((bits, saved.counters()), (bits_of_restored, restored.counters()), "{counting:?}");
    }
}

#[test]
fn it_says_what_is_wrong() {
    let error = |counting| Counter::new(counting).err().unwrap().to_string();
    let plain = Counting::default();
    assert_eq!(error(Counting { bits: 9, ..plain }), "counter bits: expected 2 to 8, got 9");
    assert_eq!(error(Counting { bits: 6, ..plain }), "counter dead_band: expected less than 32, got 32");
    assert_eq!(
        error(Counting { average: 3, ..plain }),
        "counter average: expected a power of two from 1 to 64, got 3"
    );
    assert_eq!(
        error(Counting { average: 0, ..plain }),
        "counter average: expected a power of two from 1 to 64, got 0"
    );
    let mut rule = Counter::new(plain).unwrap();
    let bits = rule.start(SHAPE.0, SHAPE.1, 0).unwrap();
    let mut fails = |signal| rule.flips(&training(), bits.view(), &signal, 0.1).unwrap_err().to_string();
    assert_eq!(
        fails(Signal::Flip(random_bits(0, 0, SHAPE.0, SHAPE.1))),
        "counter takes a gradient, got flips"
    );
    assert_eq!(
        fails(Signal::Grad(Matrix::zeros(5, 332))),
        "counter: expected a gradient of 5 x 333, got 5 x 332"
    );
}

/// Votes of any size and any sparseness: the share of weights that flip comes to what is asked, and follows
/// it down.
#[test]
fn a_controller_holds_flips() {
    for unit in [1.0, 1e-4] {
        let mut rule = Counter::new(Counting { hold: RateTarget::Flips, ..Counting::default() }).unwrap();
        let mut bits = rule.start(SHAPE.0, SHAPE.1, 4).unwrap();
        for (target, seed) in [(0.02, 5), (0.005, 6)] {
            let votes: Vec<Matrix> = votes(seed, 400)
                .iter()
                .map(|votes| matrix(SHAPE.0, SHAPE.1, votes.values().iter().map(|v| v * unit)))
                .collect();
            run(&mut rule, &mut bits, &training(), &votes[..200], target);
            let flipped = run(&mut rule, &mut bits, &training(), &votes[200..], target);
            let share = flipped as f64 / (200 * SHAPE.0 * SHAPE.1) as f64;
            assert!((share / target - 1.0).abs() < 0.25, "{share} of {target} in units of {unit}");
        }
    }
}
