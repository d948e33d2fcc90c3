//! The laws of composition: a fused layer does what its parts do, in every order, also when its input
//! changes.

use onebit_bits::{BitTensor, random_bits};
use onebit_train::{
    Matrix, Signal, Value,
    flip::thresholds,
    layer::Layer,
    layers::{Bma, Bmab, Normalize, Pnb, PopCount, XnorWeight},
    rules::Vote,
    step::{Order, forward, step},
};
use proptest::{prelude::*, sample::select};

use super::support::*;

/// What one step left behind.
#[derive(Debug, PartialEq)]
struct Outcome {
    before: BitTensor,
    y: Value,
    x_flip: Option<Signal>,
    weights: BitTensor,
    y_after: Value,
}

/// One step of `layers`, which see `x` and, in a second forward pass, `x_new`. `weights` are those of the
/// first.
fn run(
    layers: Vec<Box<dyn Layer>>,
    weights: impl Fn(&dyn Layer) -> BitTensor,
    [x, x_new]: [&BitTensor; 2],
    order: Order,
    signal: &Signal,
) -> Outcome {
    let cx = training();
    let before = weights(&*layers[0]);
    let mut net: Vec<Box<dyn Layer>> = vec![Box::new(Tap::changing_to(Value::Bits(x_new.clone())))];
    net.extend(layers);
    let judge = |y| Ok((y, signal.clone()));
    let y = step(&mut net, &cx, Value::Bits(x.clone()), order, 1.0, judge).unwrap();
    let x_flip = net[0].downcast_ref::<Tap>().and_then(|tap| tap.signal.clone());
    let weights = weights(&*net[1]);
    let y_after = forward(&mut net[1..], &cx, Value::Bits(x.clone())).unwrap();
    Outcome { before, y, x_flip, weights, y_after }
}

fn vote() -> Box<Vote> {
    Box::new(Vote::new())
}

fn weights<L: Layer>(of: impl Fn(&L) -> &BitTensor) -> impl Fn(&dyn Layer) -> BitTensor {
    move |layer| of(layer.downcast_ref().unwrap()).clone()
}

/// `[b, d, i, o]` and the depth of the output.
fn sizes() -> impl Strategy<Value = ([usize; 4], usize)> {
    let depths = || select(vec![1, 3, 7, 15]);
    let batch = prop_oneof![1usize..10, 60usize..70];
    ((batch, depths(), 1usize..25, 1usize..12), depths()).prop_map(|((b, d, i, o), y)| ([b, d, i, o], y))
}

/// Shares of the outputs that must ask, the default among them.
fn quorums() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.5), 0.0..=1.0]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn xnor_weight_then_popcount_is_bma(
        ([b, d, i, o], _) in sizes(), order in select(&ORDERS), bit_balance: bool, quorum in quorums(),
        dense: bool, seed: u64,
    ) {
        let normalize = if bit_balance { Normalize::BitBalance } else { Normalize::Binomial };
        let gates = XnorWeight::new(i, o, d, vote(), seed).unwrap().with_quorum(quorum).unwrap();
        let parts: Vec<Box<dyn Layer>> = vec![Box::new(gates), Box::new(PopCount::new(i, o, d, normalize).unwrap())];
        let depth = Default::default();
        let fused = Bma::with_options(i, o, d, depth, normalize, vote(), seed).unwrap();
        let fused = fused.with_quorum(quorum).unwrap();
        let x = [0, 1].map(|stream| random_bits(!seed, stream, b, d * i));
        let dy = if dense { gradient(seed, b, o) } else { sparse(seed, b, o) };
        let signal = Signal::Grad(dy);
        let parts = run(parts, weights(XnorWeight::weights), x.each_ref(), order, &signal);
        let fused = run(vec![Box::new(fused)], weights(Bma::weights), x.each_ref(), order, &signal);
        prop_assert_eq!(parts, fused);
    }

    #[test]
    fn xnor_weight_then_pnb_is_bmab(
        ([b, d, i, o], y_depth) in sizes(), order in select(&ORDERS), share in 0.0..1.0,
        quorum in quorums(), seed: u64,
    ) {
        let t = thresholds(y_depth).unwrap();
        let gates = XnorWeight::new(i, o, d, vote(), seed).unwrap().with_quorum(quorum).unwrap();
        let parts: Vec<Box<dyn Layer>> = vec![Box::new(gates), Box::new(Pnb::new(i, o, d, &t).unwrap())];
        let fused = Bmab::new(i, o, d, &t, vote(), seed).unwrap().with_quorum(quorum).unwrap();
        let x = [0, 1].map(|stream| random_bits(!seed, stream, b, d * i));
        let signal = Signal::Flip(flips(seed, b, y_depth * o, share));
        let parts = run(parts, weights(XnorWeight::weights), x.each_ref(), order, &signal);
        let fused = run(vec![Box::new(fused)], weights(Bmab::weights), x.each_ref(), order, &signal);
        prop_assert_eq!(parts, fused);
    }
}

/// A gradient of which three quarters are 0 and the rest is NaN, which asks for nothing either, or a number.
fn sparse(seed: u64, b: usize, o: usize) -> Matrix {
    let value = |n: u64| match n % 16 {
        0 => f32::NAN,
        1 => -1.0,
        2..4 => 1.0,
        _ => 0.0,
    };
    Matrix::new(b, o, numbers(seed, b * o).into_iter().map(value).collect()).unwrap()
}

#[test]
fn a_changed_input_changes_what_weights_hear() {
    // The law about `correct` would hold trivially if the second input made no difference.
    let x = random_bits(1, 0, 33, 3 * 20);
    let x_new = random_bits(2, 0, 33, 3 * 20);
    let signal = Signal::Grad(gradient(3, 33, 8));
    let step = |x_new| {
        let layer = Bma::new(20, 8, 3, vote(), 4).unwrap();
        run(vec![Box::new(layer)], weights(Bma::weights), [&x, x_new], Order::InputFirst, &signal).weights
    };
    assert_ne!(step(&x), step(&x_new));
}
