//! Integer flip backprop never holds a real number for each weight: what training allocates is counted in
//! bytes.

use onebit_bits::Engine;
use onebit_train::{
    Matrix, Network, Norm, Precision, Signal, StraightThroughOptions, Value,
    data::ImageShape,
    layer::Context,
    losses::{IntegerSoftmax, Loss},
    rules::{Counting as Counters, RuleConfig},
    step::Order,
};

use crate::counting::{Allocated, counted};

const BATCH: usize = 2;

/// The most bytes at a time, and in one block, of some steps; the net is made in between too.
fn bytes(options: &StraightThroughOptions, inputs: usize, hidden: &[usize]) -> (usize, usize) {
    let ((), Allocated { peak, largest, .. }) = counted(|| train(options, inputs, hidden));
    (peak, largest)
}

/// Three steps on one thread.
fn train(options: &StraightThroughOptions, inputs: usize, hidden: &[usize]) {
    let cx = Context::train(&Engine::single());
    let mut net = Network::straight_through(inputs, hidden, 5, options, 1).unwrap();
    for step in 0..3 {
        let mut x: Matrix = cx.matrix(BATCH, inputs);
        x.values_mut().iter_mut().enumerate().for_each(|(at, x)| *x = ((at + step) as f32).sin());
        let judge = |scores: Value| {
            let (loss, grad) = IntegerSoftmax::default().evaluate(scores.into_real("test")?, &[1, 3])?;
            Ok((loss, Signal::Grad(grad)))
        };
        net.step(&cx, Value::Real(x), Order::Parallel, 0.02, judge).unwrap();
    }
}

#[test]
fn no_real_number_for_each_weight() {
    let counters = StraightThroughOptions {
        norm: Norm::Threshold,
        rule: RuleConfig::Counter(Counters::default()),
        gradient: Precision::Int8,
        binary_input: true,
        ..Default::default()
    };
    let convolutions = StraightThroughOptions {
        convolutions: "256C3-256C3".parse().unwrap(),
        image: Some(ImageShape { height: 4, width: 4, channels: 3 }),
        ..counters.clone()
    };
    let latent = |options: &StraightThroughOptions| StraightThroughOptions {
        rule: StraightThroughOptions::default().rule,
        ..options.clone()
    };
    // (weights of the largest layer, of all)
    for (options, inputs, hidden, (largest, all)) in [
        (&counters, 600, &[1024, 1024][..], (1024 * 1024, 1024 * (600 + 1024 + 5))),
        (&convolutions, 48, &[16][..], (9 * 256 * 256, 9 * 256 * (3 + 256) + 16 * (4096 + 5))),
    ] {
        let (peak, block) = bytes(options, inputs, hidden);
        assert!(block < 2 * largest, "a block of {block} bytes; {largest} weights in a layer");
        assert!(peak < 3 * all, "{peak} bytes at a time; {all} weights");
        let (peak, block) = bytes(&latent(options), inputs, hidden);
        assert!(block >= 4 * largest && peak > 8 * all, "latent weights are seen: {block}, {peak} bytes");
    }
}
