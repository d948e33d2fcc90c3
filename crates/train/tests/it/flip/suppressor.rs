//! The update suppressor: a share `rate` of the requested flips is carried out, and nothing else.

use onebit_bits::{BitTensor, random_bits};
use onebit_train::{
    Error, Signal, Value, Votes, binary_tensor::BinaryTensor, layer::Layer, layers::Bmab, rules::Vote,
};

use super::support::*;

const ROWS: usize = 301;
const COLS: usize = 999;

/// Two thirds of the weights are asked to flip, by 10 of 10 voters: the mean vote is below.
fn requests(seed: u64) -> (BitTensor, Signal) {
    let asked = flips(seed, ROWS, COLS, 2.0 / 3.0);
    let counts = (0..ROWS * COLS).map(|at| 10 * u32::from(asked.get(at / COLS, at % COLS))).collect();
    (asked, Signal::Votes(Votes { rows: ROWS, cols: COLS, counts, voters: 10 }))
}

/// Whether `count` of `n` is within 5 standard deviations of the share `p`.
fn plausible(count: u64, n: u64, p: f64) -> bool {
    let (n, count) = (n as f64, count as f64);
    (count - n * p).abs() <= 5.0 * (n * p * (1.0 - p)).sqrt()
}

#[test]
fn the_share_is_the_rate_and_no_flip_is_uninvited() {
    let cx = training();
    let levels = (0..=6).map(|s| 0.5f64.powi(s));
    for rate in levels.chain([0.3, 0.9, 0.0]) {
        for seed in 0..3 {
            let mut weights = BinaryTensor::new(ROWS, COLS, Box::new(Vote::new()), seed).unwrap();
            let mut last: Option<BitTensor> = None;
            for step in 0..3 {
                let (asked, signal) = requests(seed);
                let before = weights.bits().clone();
                let carried_out = weights.update(&cx, &signal, rate).unwrap();
                let context = format!("rate {rate}, seed {seed}, step {step}");
                assert_eq!(before.xor(weights.view()).unwrap(), carried_out, "{context}");
                assert_eq!(carried_out.and(asked.view()).unwrap(), carried_out, "{context}: uninvited");
                let (count, n) = (carried_out.count_ones(), asked.count_ones());
                assert!(plausible(count, n, rate), "{context}: {count} of {n}");
                // Each step draws anew: two steps agree on a flip with probability rate^2.
                if let Some(last) = last.replace(carried_out.clone()) {
                    let both = last.and(carried_out.view()).unwrap().count_ones();
                    assert!(plausible(both, n, rate * rate), "{context}: {both} of {n} again");
                }
            }
        }
    }
}

#[test]
fn rate_1_carries_out_all_and_rate_0_nothing() {
    let cx = training();
    let (asked, signal) = requests(1);
    let mut weights = BinaryTensor::new(ROWS, COLS, Box::new(Vote::new()), 2).unwrap();
    assert_eq!(weights.update(&cx, &signal, 1.0).unwrap(), asked);
    assert_eq!(weights.update(&cx, &signal, 0.0).unwrap(), BitTensor::zeros(ROWS, COLS));
}

#[test]
fn a_rate_that_is_no_share_is_refused_and_nothing_flips() {
    let cx = training();
    let (_, signal) = requests(1);
    let mut weights = BinaryTensor::new(ROWS, COLS, Box::new(Vote::new()), 2).unwrap();
    let before = weights.bits().clone();
    for rate in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert!(matches!(weights.update(&cx, &signal, rate), Err(Error::Bits(_))), "rate {rate}");
    }
    assert_eq!(weights.bits(), &before);
}

#[test]
fn a_layer_flips_a_part_of_what_it_flips_at_rate_1() {
    let cx = training();
    let (x, signal) = (random_bits(1, 0, 9, 3 * 50), Signal::Flip(flips(2, 9, 200, 0.6)));
    let update = |rate| {
        let mut layer = Bmab::new(50, 200, 3, &[0.0], Box::new(Vote::new()), 3).unwrap();
        let before = layer.weights().clone();
        layer.forward(&cx, Value::Bits(x.clone())).unwrap();
        layer.receive(&cx, signal.clone()).unwrap();
        layer.update(&cx, rate).unwrap();
        layer.weights().xor(before.view()).unwrap()
    };
    let (all, quarter) = (update(1.0), update(0.25));
    assert_eq!(quarter.and(all.view()).unwrap(), quarter);
    assert!(all.count_ones() > 1000, "{} flips", all.count_ones());
    assert!(plausible(quarter.count_ones(), all.count_ones(), 0.25));
}
