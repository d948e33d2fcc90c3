//! Threads and instruction sets change nothing: neither flips nor, in straight-through training, a single
//! f32.

use onebit_bits::{Engine, Isa};
use onebit_train::{
    DropoutShares, FlipOptions, Matrix, Network, Signal, StraightThroughOptions, Value,
    data::{Dataset, Standardize, digits},
    flip::thresholds,
    layer::Context,
    losses::{Loss, SoftmaxCrossEntropy},
    step::Order,
};

use super::support::*;

/// Enough for every kernel to hand work to a second thread.
const BATCH: usize = 512;

/// Three steps on the digits. The bits of all scores on the way and after it, and the exported network.
fn train(mut net: Network, engine: &Engine, order: Order, rate: f64) -> (Vec<u32>, Vec<u8>) {
    let data = digits();
    let standardize = Standardize::fit(&data);
    let mut scores = Vec::new();
    for step in 0..3 {
        let (x, labels) = batch(&data, &standardize, step);
        let judge = |y| {
            let y = real(y);
            let (_, dy) = SoftmaxCrossEntropy.evaluate(y.clone(), &labels)?;
            Ok((y, Signal::Grad(dy)))
        };
        let y = net.step(&Context::train(engine), Value::Real(x), order, rate, judge).unwrap();
        scores.extend(y.values().iter().map(|y| y.to_bits()));
    }
    let learned = net.observe().iter().filter(|(_, measures)| measures.update_ratio > Some(0.0)).count();
    assert!(learned > 1, "weights flipped in {learned} layers");
    let (x, _) = batch(&data, &standardize, 0);
    let y = real(net.forward(&Context::evaluate(engine), Value::Real(x)).unwrap());
    scores.extend(y.values().iter().map(|y| y.to_bits()));
    (scores, net.export(&data, &standardize).unwrap().to_bytes())
}

fn batch(data: &Dataset, standardize: &Standardize, step: usize) -> (Matrix, Vec<u32>) {
    let rows: Vec<usize> = (step * BATCH..(step + 1) * BATCH).collect();
    let mut x = data.gather(&rows);
    standardize.apply(&mut x);
    let labels = rows.iter().map(|&row| data.labels()[row]).collect();
    (Matrix::new(BATCH, data.features(), x).unwrap(), labels)
}

/// Trains the net that `make` returns on 1, 2 and 3 threads of every instruction set, and compares.
fn same_everywhere(make: impl Fn() -> Network, order: Order, rate: f64) {
    let (scores, model) = train(make(), &Engine::single().with_isa(Isa::PORTABLE), order, rate);
    for threads in 1..=3 {
        let engine = Engine::new(threads).unwrap();
        for isa in Isa::available() {
            let (other, other_model) = train(make(), &engine.clone().with_isa(isa), order, rate);
            let context = format!("{order:?} on {threads} threads of {}", isa.name());
            println!("{context}");
            assert!(scores == other, "{context}: other scores");
            assert!(model == other_model, "{context}: other weights");
        }
    }
}

#[test]
fn flip_nets_are_the_same_everywhere() {
    let options = FlipOptions::new(&thresholds(3).unwrap());
    for order in ORDERS {
        same_everywhere(|| Network::flip(64, &[256, 65], 10, &options, 7).unwrap(), order, 0.5);
    }
}

#[test]
fn straight_through_nets_are_the_same_everywhere() {
    let dropout = DropoutShares { input: 0.2, hidden: 0.5 };
    let options = StraightThroughOptions { dropout, ..Default::default() };
    let make = || Network::straight_through(64, &[256, 65], 10, &options, 7).unwrap();
    same_everywhere(make, Order::Parallel, 0.01);
}

#[test]
fn a_seed_decides_all_and_another_seed_differs() {
    let run = |seed| {
        let net = Network::flip(64, &[65], 10, &FlipOptions::new(&[0.0]), seed).unwrap();
        train(net, &Engine::single(), Order::InputFirst, 0.25)
    };
    assert!(run(1) == run(1));
    assert!(run(1) != run(2));
}
