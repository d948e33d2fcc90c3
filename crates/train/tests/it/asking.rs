//! The integer error of the scores, and the samples that ask for nothing because of it.

use onebit_bits::{BitTensor, random_bits};
use onebit_train::{
    Matrix, Signal, Value,
    layer::Layer,
    layers::Dense,
    losses::{IntegerSoftmax, Loss, SoftmaxCrossEntropy},
    rules::{Counter, Counting},
};

use crate::common::{matrix, training};

const CLASSES: usize = 4;

fn scores(rows: usize) -> (Matrix, Vec<u32>) {
    let scores =
        matrix(rows, CLASSES, (0..rows * CLASSES).map(|at| ((at * 7919 % 1013) as f32 / 300.0).sin() * 2.0));
    (scores, (0..rows as u32).map(|row| row % CLASSES as u32).collect())
}

#[test]
fn errors_are_integers_whose_mean_is_the_gradient() {
    let (scores, labels) = scores(20_000);
    let (loss, exact) = SoftmaxCrossEntropy.evaluate(scores.clone(), &labels).unwrap();
    for levels in [1, 7, 255] {
        let (value, error) = IntegerSoftmax::new(levels).unwrap().evaluate(scores.clone(), &labels).unwrap();
        assert_eq!(value, loss);
        let unit = (levels as usize * labels.len()) as f32;
        let mut off = 0.0;
        for (error, exact) in error.values().iter().zip(exact.values()) {
            let (error, exact) = (error * unit, exact * unit);
            assert!((error - error.round()).abs() < 1e-3, "{error}");
            assert!((error - exact).abs() < 1.001, "{error} is a neighbour of {exact}");
            off += f64::from(error - exact);
        }
        // a rounding is off by at most 1, in the mean over n by 1 / (2 sqrt n) or so
        assert!((off / exact.values().len() as f64).abs() < 0.01, "{levels} levels: {off}");
    }
    assert!(IntegerSoftmax::new(0).is_err() && IntegerSoftmax::new(1 << 15).is_err());
}

/// A sample that is right by far is silent in all classes.
#[test]
fn right_samples_are_silent() {
    let sure = matrix(1, CLASSES, [30.0, 0.0, -1.0, 2.0]);
    let (_, error) = IntegerSoftmax::default().evaluate(sure, &[0]).unwrap();
    assert_eq!(error.values(), [0.0; CLASSES]);
}

/// What a layer sends and learns does not depend on whether silent samples are left out: their rows are 0.
#[test]
fn silent_samples_change_nothing() {
    const SIZES: (usize, usize, usize) = (24, 70, 9); // b, i, o
    let (b, i, o) = SIZES;
    let x = random_bits(1, 0, b, i);
    let asks = |row: usize| row % 5 == 2;
    let few: Vec<usize> = (0..b).filter(|row| asks(*row)).collect();
    let dy = matrix(b, o, (0..b * o).map(|at| if asks(at / o) { (at as f32).cos() } else { 0.0 }));
    let run = |x: BitTensor, dy: Matrix| {
        let cx = training();
        let mut dense = Dense::new(i, o, Box::new(Counter::new(Counting::default()).unwrap()), 3).unwrap();
        dense.forward(&cx, Value::Bits(x)).unwrap();
        dense.receive(&cx, Signal::Grad(dy)).unwrap();
        let dw = dense.weight_gradient(&cx).unwrap();
        let Signal::Grad(dx) = dense.send(&cx).unwrap() else { panic!("a gradient") };
        (dx, dw)
    };
    let (dx, dw) = run(x.clone(), dy.clone());
    let mut gathered = BitTensor::zeros(few.len(), i);
    x.gather_rows(&few, &mut gathered).unwrap();
    for (to, from) in few.iter().enumerate() {
        assert_eq!(gathered.row(to), x.row(*from));
    }
    let asked = matrix(few.len(), o, few.iter().flat_map(|row| dy.values()[row * o..][..o].to_vec()));
    let (dx_of_few, dw_of_few) = run(gathered, asked);
    assert_eq!(dw, dw_of_few);
    let mut rows = dx_of_few.iter_rows();
    for (row, dx) in dx.iter_rows().enumerate() {
        match asks(row) {
            true => assert_eq!(dx, rows.next().unwrap(), "row {row}"),
            false => assert!(dx.iter().all(|dx| *dx == 0.0), "row {row}"),
        }
    }
    assert!(x.gather_rows(&[b], &mut BitTensor::zeros(1, i)).is_err());
}
