//! ABC-Net's layer against PyTorch's numbers in `golden/rules.json`; the program that made them is
//! `golden/generate_rules.py`.
//!
//! The numbers were computed in f64 and have nine digits; a sum here has at most a hundred terms of size 1,
//! and five steps of 1/8 with momentum follow: `|got - expected| <= 1e-5 |expected| + 1e-5`.

use onebit_bits::{Engine, Geometry, Padding};
use onebit_train::{
    Matrix, Result, Signal, Value,
    layer::{Context, Layer},
    layers::Abc,
};
use serde_json::Value as Json;

use crate::common::{
    close::assert_close,
    golden::{case, numbers, reals, table},
    matrix,
    memory::Memory,
    momentum::Momentum,
    signs, training,
};

const FILE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/rules.json"));

fn check(what: &str, got: &[f32], expected: &Json) {
    assert_close(what, got, &numbers(expected), |_, expected| 1e-5 * expected.abs() + 1e-5);
}

fn check_bases(layer: &Abc, bases: &Json, factors: &Json) {
    check("a", layer.bases().1, factors);
    for (m, base) in layer.bases().0.iter().enumerate() {
        assert_eq!(base, &signs(&table(&bases[m])), "base {m}");
    }
}

/// One step: y and dx.
fn step(cx: &Context, layer: &mut Abc, x: Matrix, dy: Matrix, rate: f64) -> (Matrix, Matrix) {
    let y = layer.forward(cx, Value::Real(x)).unwrap().into_real("test").unwrap();
    layer.receive(cx, Signal::Grad(dy)).unwrap();
    let dx = layer.send(cx).unwrap().into_grad("test").unwrap();
    layer.update(cx, rate).unwrap();
    (y, dx)
}

fn check_case(name: &str, make: impl Fn(&Json, (usize, usize)) -> Result<Abc>) {
    let case = case(FILE, name);
    let counts = numbers(&case["counts"]);
    let layer = || {
        let layer = make(&case, (counts[0] as usize, counts[1] as usize)).unwrap();
        let layer = layer.with_weights(reals(&case["initial"])).unwrap();
        layer.with_activations(reals(&case["v"]), reals(&case["beta"])).unwrap()
    };
    let (cx, mut first) = (training(), layer());
    check_bases(&first, &case["bases"], &case["a"]);
    first.forward(&cx, Value::Real(table(&case["x"][0]))).unwrap();
    first.receive(&cx, Signal::Grad(table(&case["dy"][0]))).unwrap();
    check("dw", first.weight_gradient(&cx).unwrap().values(), &case["dw"]);
    let (dv, dbeta) = first.activation_gradients().unwrap();
    check("dv", dv, &case["dv"]);
    check("dbeta", dbeta, &case["dbeta"]);

    let outcome = |threads: usize| {
        let (cx, mut layer) = (Context::train(&Engine::new(threads).unwrap()), layer());
        for index in 0..5 {
            let (x, dy) = (table(&case["x"][index]), table(&case["dy"][index]));
            let (y, dx) = step(&cx, &mut layer, x, dy, numbers(&case["lr"])[0]);
            if index == 0 {
                check("y", y.values(), &case["y"]);
                check("dx", dx.values(), &case["dx"]);
            }
        }
        layer
    };
    let (mut one, two) = (outcome(1), outcome(2));
    check("w", one.weights(), &case["last_w"]);
    check("v", one.activations().0, &case["last_v"]);
    check("beta", one.activations().1, &case["last_beta"]);
    check_bases(&one, &case["last_bases"], &case["last_a"]);
    assert_eq!((one.weights(), one.activations()), (two.weights(), two.activations()));
    assert!(one.observe().update_ratio > Some(0.0));

    // A restored layer goes on as the saved one.
    let (mut memory, mut restored) = (Memory::default(), layer());
    memory.save(|state| one.state(state));
    memory.restore(|state| restored.state(state));
    let again = |layer: &mut Abc| step(&cx, layer, table(&case["x"][0]), table(&case["dy"][0]), 0.1);
    assert_eq!(again(&mut one), again(&mut restored));
    assert_eq!((one.weights(), one.activations()), (restored.weights(), restored.activations()));
    assert_eq!(one.bases(), restored.bases());
}

#[test]
fn dense() {
    for name in ["abc_dense", "abc_dense_single", "abc_dense_most"] {
        check_case(name, |case, counts| {
            let w = table(&case["initial"]);
            Abc::dense(w.cols(), w.rows(), counts, || Momentum::new(0.9), 0)
        });
    }
}

fn three_by_three() -> Geometry {
    Geometry { padding: Padding::around(1), ..Geometry::new(2, 3, (3, 3)) }
}

#[test]
fn conv() {
    check_case("abc_conv", |_, counts| Abc::conv(three_by_three(), (2, 3), counts, || Momentum::new(0.9), 0));
}

#[test]
fn one_base_and_one_threshold_are_a_scaled_product_of_signs() {
    let layer = Abc::dense(2, 1, (1, 1), || Momentum::new(0.0), 0).unwrap();
    let mut layer = layer.with_weights(vec![0.5, -1.5]).unwrap();
    let x = matrix(2, 2, [0.0, -0.1, -3.0, 7.0]);
    let y = layer.forward(&training(), Value::Real(x)).unwrap().into_real("test").unwrap();
    // mean -1/2, so both bits are those of w + 1/2; a = (0.5 + 1.5) / 2
    assert_eq!(y.values(), [2.0, -2.0]);
}

#[test]
fn the_gate_holds_its_ends() {
    let layer = Abc::dense(5, 1, (1, 1), || Momentum::new(0.0), 0).unwrap();
    let mut layer = layer.with_weights(vec![1.0, 1.0, 1.0, 1.0, -4.0]).unwrap();
    let x = matrix(1, 5, [-0.5, 0.5, -0.500001, 0.500001, 0.0]);
    let (_, dx) = step(&training(), &mut layer, x, matrix(1, 1, [1.0]), 0.0);
    assert_eq!(dx.values(), [1.6, 1.6, 0.0, 0.0, -1.6]);
}

#[test]
fn what_does_not_fit_is_named() {
    let new = |counts| Abc::dense(3, 2, counts, || Momentum::new(0.0), 0);
    let message = |result: Result<Abc>| result.err().unwrap().to_string();
    assert_eq!(message(new((0, 1))), "abc_dense bases: expected 1 to 5, got 0");
    assert_eq!(message(new((1, 6))), "abc_dense thresholds: expected 1 to 5, got 6");
    assert_eq!(
        message(new((1, 1)).unwrap().with_weights(vec![0.0; 5])),
        "abc: expected 2 x 3 weights, got 5"
    );
    let wrong = new((1, 2)).unwrap().with_activations(vec![0.0; 2], vec![0.0]);
    assert_eq!(message(wrong), "abc: expected 2 factors, got 1");

    let (cx, mut layer) = (training(), new((2, 2)).unwrap());
    let error = layer.update(&cx, 0.1).unwrap_err().to_string();
    assert_eq!(error, "abc_dense: update needs a forward pass before it");
    let error = layer.forward(&cx, Value::Real(Matrix::zeros(1, 4))).unwrap_err().to_string();
    assert_eq!(error, "abc_dense: expected 3 columns, got 4");
    layer.forward(&cx, Value::Real(Matrix::zeros(1, 3))).unwrap();
    let error = layer.receive(&cx, Signal::Grad(Matrix::zeros(1, 3))).unwrap_err().to_string();
    assert_eq!(error, "abc_dense: expected a gradient of 1 x 2, got 1 x 3");

    let mut layer = Abc::conv(three_by_three(), (2, 3), (1, 1), || Momentum::new(0.0), 0).unwrap();
    let error = layer.forward(&cx, Value::Real(Matrix::zeros(7, 2))).unwrap_err().to_string();
    assert_eq!(error, "abc_conv: expected images of 2 x 3 pixels, got 7 pixels");
}
