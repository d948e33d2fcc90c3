//! Layers with real weights.

use onebit_bits::{Engine, Geometry, Isa, Ternary, random_bits};
use onebit_train::{
    ByteScale, Bytes, Matrix, Result, Signal, Value,
    export::Exporter,
    layer::{Context, Layer},
    layers::{RealConv, RealDense},
    optimizers::Adam,
};
use serde_json::Value as Json;

use super::{case, cases, check, check_pass, geometry, pass, pixels, table};
use crate::common::{golden::reals, matrix, training};

fn dense(case: &Json) -> RealDense {
    let w = table(&case["w"]);
    RealDense::new(w.cols(), w.rows(), Adam::new(), 0).unwrap().with_weights(w.into_values()).unwrap()
}

fn conv(case: &Json) -> RealConv {
    let (geometry, image) = geometry(case);
    RealConv::new(geometry, image, Adam::new(), 0).unwrap().with_weights(reals(&case["w"])).unwrap()
}

#[test]
fn dense_layers() {
    for (name, case) in cases("real_dense", 2) {
        let mut layer = dense(&case);
        check_pass(&name, &mut layer, pixels(&case), &case);
        check(&format!("{name}: dw"), layer.weight_gradient(&training()).unwrap().values(), &case["dw"]);
    }
}

#[test]
fn convolutions() {
    for (name, case) in cases("real_conv", 3) {
        let mut layer = conv(&case);
        check_pass(&name, &mut layer, pixels(&case), &case);
        check(&format!("{name}: dw"), layer.weight_gradient(&training()).unwrap().values(), &case["dw"]);
    }
}

/// Bits are +-1, dropped ones 0, and bytes what they stand for; 70 columns are more than a word.
#[test]
fn inputs_of_every_kind() {
    let (cx, rows, cols) = (training(), 6, 70);
    let mut layer = RealDense::new(cols, 3, Adam::new(), 1).unwrap();
    let (bits, mask) = (random_bits(1, 0, rows, cols), random_bits(2, 0, rows, cols));
    let dropped = Ternary::new(bits.and(mask.view()).unwrap(), mask).unwrap();
    let bytes = (0..rows * cols).map(|at| (at * 89 % 256) as u8).collect();
    let bytes = Bytes::new(rows, cols, bytes, ByteScale::new(100.0, 0.25)).unwrap();
    let numbers = |number: &dyn Fn(usize, usize) -> f32| {
        matrix(rows, cols, (0..rows * cols).map(|at| number(at / cols, at % cols)))
    };
    let of_bits = numbers(&|r, c| if bits.get(r, c) { 1.0 } else { -1.0 });
    let of_dropped = numbers(&|r, c| 1.25 * dropped.get(r, c) as f32);
    let dy = matrix(rows, 3, (0..rows * 3).map(|at| at as f32 - 8.0));
    for (x, numbers) in [
        (Value::Bytes(bytes.clone()), bytes.to_real()),
        (Value::Bits(bits.clone()), of_bits),
        (Value::Ternary(dropped.clone(), 1.25), of_dropped),
    ] {
        let expected = pass(&mut layer, &cx, Value::Real(numbers), dy.clone());
        let dw = layer.weight_gradient(&cx).unwrap();
        assert_eq!(pass(&mut layer, &cx, x, dy.clone()), expected);
        assert_eq!(layer.weight_gradient(&cx).unwrap(), dw);
    }
}

/// Uniform within the bound of Glorot: it is nearly reached, and the mean is near 0.
#[test]
fn weights_to_start_from() {
    let conv = Geometry::new(20, 30, (3, 3));
    let layers = [
        (RealDense::new(100, 50, Adam::new(), 1).unwrap().weights().to_vec(), 6.0 / 150.0),
        (RealConv::new(conv, (5, 5), Adam::new(), 1).unwrap().weights().to_vec(), 6.0 / (9.0 * 50.0)),
    ];
    for (weights, square) in layers {
        let bound = f32::sqrt(square);
        let largest = weights.iter().fold(0.0f32, |top, w| top.max(w.abs()));
        assert!(largest <= bound && largest > 0.99 * bound, "{largest} of {bound}");
        let mean = weights.iter().sum::<f32>() / weights.len() as f32;
        assert!(mean.abs() < 0.05 * bound, "{mean} of {bound}");
    }
    let [one, two] = [1, 2].map(|seed| RealDense::new(3, 4, Adam::new(), seed).unwrap().weights().to_vec());
    assert_ne!(one, two);
}

/// A step of Adam moves every weight by the rate against its gradient.
#[test]
fn updates() {
    let cx = training();
    for name in ["real_dense_0", "real_conv_1"] {
        let case = case(name);
        let check = |before: Vec<f32>, after: &[f32], dw: Matrix| {
            for ((before, after), dw) in before.iter().zip(after).zip(dw.values()) {
                assert!((before - after - 0.01 * dw.signum()).abs() < 1e-5, "{name}: {before} {after} {dw}");
            }
        };
        if name.starts_with("real_dense") {
            let mut layer = dense(&case);
            assert_eq!(layer.parameters().reals, 28);
            pass(&mut layer, &cx, pixels(&case), table(&case["dy"]));
            let (before, dw) = (layer.weights().to_vec(), layer.weight_gradient(&cx).unwrap());
            layer.update(&cx, 0.01).unwrap();
            check(before, layer.weights(), dw);
        } else {
            let mut layer = conv(&case);
            assert_eq!(layer.parameters().reals, 36);
            pass(&mut layer, &cx, pixels(&case), table(&case["dy"]));
            let (before, dw) = (layer.weights().to_vec(), layer.weight_gradient(&cx).unwrap());
            layer.update(&cx, 0.01).unwrap();
            check(before, layer.weights(), dw);
        }
    }
}

#[test]
fn results_do_not_depend_on_the_engine() {
    let (case, mut first) = (case("real_conv_2"), None);
    for isa in Isa::available() {
        for threads in [1, 2] {
            let cx = Context::train(&Engine::new(threads).unwrap().with_isa(isa));
            let mut layer = conv(&case);
            let both = pass(&mut layer, &cx, pixels(&case), table(&case["dy"]));
            let results = (both, layer.weight_gradient(&cx).unwrap());
            assert_eq!(&results, first.get_or_insert_with(|| results.clone()), "{}", isa.name());
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    fn said<T>(result: Result<T>) -> String {
        result.err().expect("an error").to_string()
    }
    let cx = training();
    assert_eq!(said(RealDense::new(0, 3, Adam::new(), 0)), "real_dense inputs: expected at least 1, got 0");
    let mut dense = RealDense::new(4, 3, Adam::new(), 0).unwrap();
    assert_eq!(
        said(RealDense::new(4, 3, Adam::new(), 0).unwrap().with_weights(vec![0.0; 11])),
        "real weights: expected 3 x 4 weights, got 11"
    );
    assert_eq!(
        said(dense.forward(&cx, Value::Real(Matrix::zeros(2, 5)))),
        "real_dense: expected 4 columns, got 5"
    );
    assert_eq!(said(dense.send(&cx)), "real_dense: send needs a signal before it");
    assert_eq!(said(dense.update(&cx, 0.1)), "real_dense: update needs a forward pass before it");
    dense.forward(&cx, Value::Real(Matrix::zeros(2, 4))).unwrap();
    assert_eq!(
        said(dense.receive(&cx, Signal::Grad(Matrix::zeros(2, 4)))),
        "real_dense: expected a gradient of 2 x 3, got 2 x 4"
    );
    assert_eq!(
        said(dense.receive(&cx, Signal::Flip(random_bits(0, 0, 2, 3)))),
        "real_dense takes a gradient, got flips"
    );
    let refused = dense.export(&mut Exporter::default()).unwrap_err().to_string();
    assert!(refused.ends_with("its weights are real"), "{refused}");

    let plain = Geometry::new(2, 4, (3, 3));
    let of = |geometry| RealConv::new(geometry, (4, 4), Adam::new(), 0);
    assert_eq!(said(of(Geometry { groups: 2, ..plain })), "real_conv groups: expected 1, got 2");
    assert_eq!(said(of(Geometry { c_out: 0, ..plain })), "real_conv channels: expected at least 1, got 0");
    assert_eq!(
        said(of(Geometry::new(2, 4, (5, 3)))),
        "conv: a kernel of 5 x 3 does not fit into an image of 4 x 4"
    );
    assert_eq!(
        said(of(plain).unwrap().forward(&cx, Value::Real(Matrix::zeros(17, 2)))),
        "real_conv: expected whole images of 4 x 4 pixels, got 17 pixels"
    );
}
