//! Blocks that learn from classifiers of their own.

use onebit_bits::random_bits;
use onebit_train::{
    Matrix, Network, Norm, Precision, Signal, StraightThroughOptions, Value,
    layer::{Context, Layer},
    layers::{Dense, Heads, LocalHead, Threshold},
    losses::{IntegerSoftmax, Loss},
    rules::{Counter, Counting, RuleConfig},
    step::Order,
};

use crate::common::{matrix, training};

const BATCH: usize = 6;
const UNITS: usize = 40;
const CLASSES: usize = 3;

fn dense(outputs: usize) -> Dense {
    Dense::new(UNITS, outputs, Box::new(Counter::new(Counting::default()).unwrap()), 3).unwrap()
}

fn labelled() -> Context {
    let mut cx = training();
    cx.labels.extend((0..BATCH as u32).map(|row| row % 3));
    cx
}

/// The error of the layers that the head is made of, run one by one; what comes from behind is added, or not
/// wanted.
#[test]
fn the_error_is_the_heads_own() {
    let (cx, x) = (labelled(), random_bits(1, 0, BATCH, UNITS));
    let (mut product, mut norm) = (dense(CLASSES), Threshold::new(CLASSES, 5).with_gains());
    let sums = product.forward(&cx, Value::Bits(x.clone())).unwrap();
    let scores = norm.forward(&cx, sums).unwrap().into_real("test").unwrap();
    let (_, error) = IntegerSoftmax::default().evaluate(scores, &cx.labels).unwrap();
    norm.receive(&cx, Signal::Grad(error)).unwrap();
    let back = norm.send(&cx).unwrap();
    product.receive(&cx, back).unwrap();
    let own = product.send(&cx).unwrap().into_grad("test").unwrap();
    assert!(own.values().iter().any(|x| *x != 0.0));
    for heads in [Heads::Alone, Heads::Beside] {
        let norm = Threshold::new(CLASSES, 5).with_gains();
        let mut head = LocalHead::new(dense(CLASSES), norm, Box::new(IntegerSoftmax::default()), heads);
        let y = head.forward(&cx, Value::Bits(x.clone())).unwrap();
        assert!(matches!(y, Value::Bits(y) if y == x), "bits pass as they are");
        let mut expected = own.clone();
        if head.listens() {
            let behind = matrix(BATCH, UNITS, (0..BATCH * UNITS).map(|at| (at as f32).sin()));
            expected.values_mut().iter_mut().zip(behind.values()).for_each(|(own, behind)| *own += behind);
            head.receive(&cx, Signal::Grad(behind)).unwrap();
        }
        assert_eq!(head.send(&cx).unwrap().into_grad("test").unwrap(), expected, "{heads:?}");
        assert_eq!(head.listens(), heads == Heads::Beside);
        head.forward(&Context::evaluate(&cx.engine), Value::Bits(x.clone())).unwrap();
        let error = head.forward(&training(), Value::Bits(x.clone())).unwrap_err();
        assert!(error.to_string().contains("classes of 6 samples"), "{error}");
    }
}

/// With heads alone the first block learns the same whatever the last layer is told; beside them it does not.
#[test]
fn alone_nothing_travels_between_blocks() {
    for (heads, same) in [(Heads::Alone, true), (Heads::Beside, false)] {
        let first_block = |unit: f32| {
            let options = StraightThroughOptions {
                norm: Norm::Threshold,
                rule: RuleConfig::Counter(Counting::default()),
                gradient: Precision::Int8,
                heads: Some(heads),
                ..Default::default()
            };
            let mut net = Network::straight_through(UNITS, &[50, 30], CLASSES, &options, 1).unwrap();
            let cx = labelled();
            for step in 0..6 {
                let x: Matrix =
                    matrix(BATCH, UNITS, (0..BATCH * UNITS).map(|at| ((at * (step + 3)) as f32).sin()));
                let judge = |scores: Value| {
                    let scores = scores.into_real("test")?;
                    let error =
                        scores.values().iter().enumerate().map(|(at, s)| unit * (s - at as f32)).collect();
                    Ok(((), Signal::Grad(Matrix::new(BATCH, CLASSES, error)?)))
                };
                net.step(&cx, Value::Real(x), Order::Parallel, 0.1, judge).unwrap();
            }
            net.layers()[0].binary_weights().unwrap().bits.clone()
        };
        assert_eq!(first_block(1.0) == first_block(-1.0), same, "{heads:?}");
    }
}
