//! A step of straight-through training allocates nothing, once its memory goes round.
//!
//! In a binary of its own, because it counts what the whole process allocates.

#[path = "../../bits/tests/counting/mod.rs"]
mod counting;

use std::sync::atomic::Ordering::Relaxed;

use counting::CALLS;
use onebit_bits::Engine;
use onebit_train::{
    ByteScale, Bytes, DropoutShares, Matrix, Network, Norm, Precision, Signal, StraightThroughOptions, Value,
    layer::Context,
    losses::{Loss, SquaredHinge},
    rules::{self, RuleConfig},
    step::Order,
};

const BATCH: usize = 20;
const INPUTS: usize = 30;

/// Allocations of each of some steps after the first few.
fn allocations(options: &StraightThroughOptions, threads: usize, bytes: bool) -> Vec<usize> {
    let cx = Context::train(&Engine::new(threads).unwrap());
    let mut net = Network::straight_through(INPUTS, &[200, 130], 5, options, 1).unwrap();
    let labels: Vec<u32> = (0..BATCH as u32).map(|row| row % 5).collect();
    let mut step = || {
        let x = if bytes {
            let mut bytes = cx.bytes(BATCH * INPUTS);
            bytes.iter_mut().enumerate().for_each(|(at, byte)| *byte = (at * 37) as u8);
            Value::Bytes(Bytes::new(BATCH, INPUTS, bytes, ByteScale::new(127.5, 1.0 / 127.5)).unwrap())
        } else {
            let mut x: Matrix = cx.matrix(BATCH, INPUTS);
            x.values_mut().iter_mut().enumerate().for_each(|(at, x)| *x = (at as f32).sin());
            Value::Real(x)
        };
        let judge = |scores: Value| {
            let (loss, grad) = SquaredHinge::default().evaluate(scores.into_real("test")?, &labels)?;
            Ok((loss, Signal::Grad(grad)))
        };
        net.step(&cx, x, Order::Parallel, 3e-3, judge).unwrap();
    };
    (0..6).for_each(|_| step()); // until enough memory is there
    let count = |_| {
        let before = CALLS.load(Relaxed);
        step();
        CALLS.load(Relaxed) - before
    };
    (0..5).map(count).collect()
}

/// One test, for tests run side by side would count each other's.
#[test]
fn steps_allocate_nothing() {
    let before = CALLS.load(Relaxed);
    drop(std::hint::black_box(vec![0u8; 10]));
    assert_eq!(CALLS.load(Relaxed) - before, 1, "allocations are counted");
    for gradient in [Precision::F32, Precision::Bf16, Precision::Int8] {
        for dropout in [DropoutShares::default(), DropoutShares { input: 0.2, hidden: 0.5 }] {
            for (threads, bytes) in [(1, false), (1, true), (2, true)] {
                let plain = StraightThroughOptions { dropout, gradient, ..Default::default() };
                let thermometer = Some(Matrix::zeros(3, INPUTS));
                let counters = StraightThroughOptions {
                    norm: Norm::Threshold,
                    rule: RuleConfig::Counter(rules::Counting::default()),
                    ..plain.clone()
                };
                for options in [plain.clone(), counters, StraightThroughOptions { thermometer, ..plain }] {
                    let asked = allocations(&options, threads, bytes);
                    // a second thread may meet a kind of job late, and then makes its scratch for it
                    let quiet = asked.iter().filter(|asked| **asked == 0).count();
                    let enough = if threads == 1 { asked.len() } else { 1 };
                    assert!(quiet >= enough, "{options:?}, {threads} threads, bytes: {bytes}: {asked:?}");
                }
            }
        }
    }
}
