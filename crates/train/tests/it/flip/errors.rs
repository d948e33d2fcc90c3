//! What does not fit is refused with an error that names the culprit; nothing panics.

use onebit_bits::{BitTensor, Ternary, random_bits};
use onebit_train::{
    Error, FlipOptions, Matrix, Network, Result, Signal, Value, Votes,
    flip::{flip2grad, xnor},
    layer::{Context, Layer},
    layers::{Binarize, Bma, Bmab, Normalize, Pnb, PopCount, XnorWeight},
    rules::{Rule, Vote},
    step::step,
};

use super::support::*;

const B: usize = 4;

/// A layer, and the number of columns of its input and of its signal.
type Row = (fn() -> Box<dyn Layer>, usize, usize);

/// Inputs 2, outputs 5, depth 3; one and three thresholds at the output.
const LAYERS: [Row; 8] = [
    (|| Box::new(Binarize::new(2, vec![-1.0, 0.0, 1.0]).unwrap()), 2, 6),
    (|| Box::new(XnorWeight::new(2, 5, 3, vote(), 0).unwrap()), 6, 30),
    (|| Box::new(PopCount::new(2, 5, 3, Normalize::Binomial).unwrap()), 30, 5),
    (|| Box::new(Pnb::new(2, 5, 3, &[0.0]).unwrap()), 30, 5),
    (|| Box::new(Pnb::new(2, 5, 3, &[-1.0, 0.0, 1.0]).unwrap()), 30, 15),
    (|| Box::new(Bma::new(2, 5, 3, vote(), 0).unwrap()), 6, 5),
    (|| Box::new(Bmab::new(2, 5, 3, &[0.0], vote(), 0).unwrap()), 6, 5),
    (|| Box::new(Bmab::new(2, 5, 3, &[-1.0, 0.0, 1.0], vote(), 0).unwrap()), 6, 15),
];

fn takes_reals(layer: &dyn Layer) -> bool {
    layer.name() == "binarize"
}

fn takes_gradients(layer: &dyn Layer) -> bool {
    ["popcount", "bma"].contains(&layer.name())
}

fn has_weights(layer: &dyn Layer) -> bool {
    layer.parameters().bits > 0
}

fn real(rows: usize, cols: usize) -> Matrix {
    Matrix::new(rows, cols, vec![0.5; rows * cols]).unwrap()
}

/// An input of the kind that the layer takes.
fn input(layer: &dyn Layer, rows: usize, cols: usize) -> Value {
    if takes_reals(layer) {
        Value::Real(real(rows, cols))
    } else {
        Value::Bits(random_bits(1, 0, rows, cols))
    }
}

/// A signal of the kind that the layer takes.
fn signal(layer: &dyn Layer, rows: usize, cols: usize) -> Signal {
    if takes_gradients(layer) {
        Signal::Grad(real(rows, cols))
    } else {
        Signal::Flip(random_bits(2, 0, rows, cols))
    }
}

/// Asserts that this is the error, and that its message begins with the name of the layer.
macro_rules! assert_refused {
    ($result:expr, $variant:ident, $name:expr) => {
        let (error, name): (Error, &str) = ($result.unwrap_err(), $name);
        let fits = matches!(error, Error::$variant { .. }) && error.to_string().starts_with(name);
        assert!(fits, "{name}: not a {} error: {error}", stringify!($variant));
    };
}

#[test]
fn verbs_out_of_order() {
    let cx = training();
    for (make, x, y) in LAYERS {
        let mut layer = make();
        let (first, second) = (input(&*layer, B, x), input(&*layer, B + 1, x));
        let received = signal(&*layer, B, y);

        assert_refused!(layer.receive(&cx, received.clone()), Sequence, layer.name());
        let after = |layer: &mut Box<dyn Layer>| {
            assert_refused!(layer.send(&cx), Sequence, layer.name());
            if has_weights(&**layer) {
                assert_refused!(layer.update(&cx, 1.0), Sequence, layer.name());
            }
        };
        after(&mut layer);
        layer.forward(&cx, first.clone()).unwrap();
        after(&mut layer);
        layer.receive(&cx, received.clone()).unwrap();
        layer.send(&cx).unwrap();
        // What was received was about another batch.
        layer.forward(&cx, second).unwrap();
        after(&mut layer);
        // Evaluation keeps nothing to learn from.
        layer.forward(&Context::evaluate(&cx.engine), first).unwrap();
        assert_refused!(layer.receive(&cx, received), Sequence, layer.name());
        after(&mut layer);
    }
}

#[test]
fn kinds() {
    let cx = training();
    for (make, x, y) in LAYERS {
        let mut layer = make();
        let plane = random_bits(3, 0, B, x);
        let dropped = Value::Ternary(Ternary::new(plane.clone(), plane.clone()).unwrap(), 2.0);
        let other = if takes_reals(&*layer) { Value::Bits(plane) } else { Value::Real(real(B, x)) };
        for value in [other, dropped] {
            assert_refused!(layer.forward(&cx, value.clone()), Kind, layer.name());
            if has_weights(&*layer) {
                assert_refused!(layer.correct(&cx, &value), Kind, layer.name());
            }
        }
        let good = input(&*layer, B, x);
        layer.forward(&cx, good).unwrap();
        let votes = Signal::Votes(Votes { rows: B, cols: y, counts: vec![0; B * y], voters: 1 });
        let flips = Signal::Flip(BitTensor::zeros(B, y));
        let other = if takes_gradients(&*layer) { flips } else { Signal::Grad(real(B, y)) };
        for signal in [other, votes] {
            assert_refused!(layer.receive(&cx, signal), Kind, layer.name());
        }
    }
}

#[test]
fn shapes() {
    let cx = training();
    for (make, x, y) in LAYERS {
        let mut layer = make();
        for cols in [0, x - 1, x + 1, 64 * x] {
            let bad = input(&*layer, B, cols);
            assert_refused!(layer.forward(&cx, bad), Shape, layer.name());
        }
        let good = input(&*layer, B, x);
        layer.forward(&cx, good.clone()).unwrap();
        for (rows, cols) in [(B, y - 1), (B, y + 1), (B - 1, y), (B + 1, y), (y, B), (0, 0), (B, 0), (0, y)] {
            let bad = signal(&*layer, rows, cols);
            assert_refused!(layer.receive(&cx, bad), Shape, layer.name());
        }
        let received = signal(&*layer, B, y);
        layer.receive(&cx, received).unwrap();
        if has_weights(&*layer) {
            for (rows, cols) in [(B, x - 1), (B, x + 1), (B - 1, x), (B + 1, x), (0, 0)] {
                let bad = input(&*layer, rows, cols);
                assert_refused!(layer.correct(&cx, &bad), Shape, layer.name());
            }
        }
        // What was refused has left no trace.
        layer.correct(&cx, &good).unwrap();
        layer.update(&cx, 1.0).unwrap();
        layer.send(&cx).unwrap();
    }
}

#[test]
fn an_empty_batch_is_no_harm() {
    let cx = training();
    for (make, x, y) in LAYERS {
        let mut layer = make();
        let (empty, nothing) = (input(&*layer, 0, x), signal(&*layer, 0, y));
        assert_eq!(layer.forward(&cx, empty.clone()).unwrap().rows(), 0);
        layer.receive(&cx, nothing).unwrap();
        layer.send(&cx).unwrap();
        layer.correct(&cx, &empty).unwrap();
        layer.update(&cx, 1.0).unwrap();
        assert!(layer.observe().update_ratio.unwrap_or(0.0) == 0.0);
    }
}

#[test]
fn settings() {
    let t = [0.0];
    for [i, o, d] in [[0, 1, 1], [1, 0, 1], [1, 1, 0]] {
        assert!(matches!(XnorWeight::new(i, o, d, vote(), 0).err(), Some(Error::Setting { .. })));
        assert!(matches!(Bma::new(i, o, d, vote(), 0).err(), Some(Error::Setting { .. })));
        assert!(matches!(Bmab::new(i, o, d, &t, vote(), 0).err(), Some(Error::Setting { .. })));
    }
    for t in [vec![], vec![f32::NAN], vec![0.0, f32::INFINITY]] {
        assert!(matches!(Binarize::new(1, t.clone()).err(), Some(Error::Setting { .. })), "{t:?}");
        assert!(matches!(Bmab::new(1, 1, 1, &t, vote(), 0).err(), Some(Error::Setting { .. })), "{t:?}");
        assert!(matches!(Pnb::new(1, 1, 1, &t).err(), Some(Error::Setting { .. })), "{t:?}");
    }
    for quorum in [-0.1, 1.1, f64::NAN] {
        assert!(matches!(Vote::with_quorum(quorum), Err(Error::Setting { .. })), "{quorum}");
        let gates = XnorWeight::new(1, 1, 1, vote(), 0).unwrap().with_quorum(quorum);
        assert!(matches!(gates.err(), Some(Error::Setting { .. })), "{quorum}");
        let bma = Bma::new(1, 1, 1, vote(), 0).unwrap().with_quorum(quorum);
        assert!(matches!(bma.err(), Some(Error::Setting { .. })), "{quorum}");
        let bmab = Bmab::new(1, 1, 1, &t, vote(), 0).unwrap().with_quorum(quorum);
        assert!(matches!(bmab.err(), Some(Error::Setting { .. })), "{quorum}");
    }
    assert!(matches!(Network::flip(0, &[], 1, &FlipOptions::new(&t), 0).err(), Some(Error::Setting { .. })));
}

#[test]
fn thresholds_beyond_every_sum_give_constant_bits() {
    let cx = training();
    let (t, x) = ([-f32::MAX, f32::MAX], random_bits(1, 0, B, 6));
    let h = random_bits(2, 0, B, 30);
    let bmab = Bmab::new(2, 5, 3, &t, vote(), 0).unwrap().forward(&cx, Value::Bits(x)).unwrap();
    let pnb = Pnb::new(2, 5, 3, &t).unwrap().forward(&cx, Value::Bits(h)).unwrap();
    let constant = BitTensor::from_fn(B, 10, |_, column| column < 5);
    assert_eq!((bits(bmab), bits(pnb)), (constant.clone(), constant));
}

#[test]
fn functions() {
    let (a, b) = (BitTensor::zeros(2, 6), BitTensor::zeros(2, 5));
    assert!(xnor(&a, &b).is_err());
    assert!(matches!(flip2grad(&a, &b, 1), Err(Error::Shape { .. })));
    assert!(matches!(flip2grad(&a, &a, 4), Err(Error::Shape { .. })));
    assert!(matches!(flip2grad(&a, &a, 0), Err(Error::Shape { .. })));
    assert!(Matrix::new(2, 3, vec![0.0; 5]).is_err());
    assert!(Matrix::new(usize::MAX, 2, vec![]).is_err());
}

#[test]
fn a_vote_wants_votes_about_its_weights() {
    let cx = training();
    let weights = BitTensor::zeros(2, 3);
    let votes = |rows, cols, n| Signal::Votes(Votes { rows, cols, counts: vec![0; n], voters: 1 });
    let refuse = |signal: &Signal| Vote::new().flips(&cx, weights.view(), signal, 1.0).unwrap_err();
    assert!(matches!(refuse(&Signal::Flip(weights.clone())), Error::Kind { .. }));
    assert!(matches!(refuse(&Signal::Grad(real(2, 3))), Error::Kind { .. }));
    assert!(matches!(refuse(&votes(3, 2, 6)), Error::Shape { .. }));
    assert!(matches!(refuse(&votes(2, 3, 5)), Error::Bits(_)));
}

#[test]
fn a_step_passes_on_what_went_wrong() {
    let cx = training();
    for order in ORDERS {
        let mut net = vec![LAYERS[0].0(), LAYERS[6].0()];
        let mut run = |x, rate, signal: Result<Signal>| {
            step(&mut net, &cx, Value::Real(x), order, rate, |_| signal.map(|signal| ((), signal)))
        };
        let flips = || random_bits(1, 0, B, 5);
        assert!(matches!(run(real(B, 3), 1.0, Ok(Signal::Flip(flips()))), Err(Error::Shape { .. })));
        assert!(matches!(run(real(B, 2), 1.0, Ok(Signal::Grad(real(B, 5)))), Err(Error::Kind { .. })));
        let refused = Err(Error::setting("label", "less than 5", 7));
        assert!(matches!(run(real(B, 2), 1.0, refused), Err(Error::Setting { .. })));
        assert!(matches!(run(real(B, 2), 2.0, Ok(Signal::Flip(flips()))), Err(Error::Bits(_))), "{order:?}");
        run(real(B, 2), 1.0, Ok(Signal::Flip(flips()))).unwrap();
    }
    // Without layers the output is the input, and there is nobody to listen.
    let judge = |y| Ok((y, Signal::Flip(BitTensor::zeros(0, 0))));
    for order in ORDERS {
        let y = step(&mut [], &cx, Value::Real(real(2, 2)), order, 1.0, judge).unwrap();
        assert_eq!(y, Value::Real(real(2, 2)));
    }
}
