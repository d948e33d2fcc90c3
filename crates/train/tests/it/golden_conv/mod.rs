//! Layers of images against PyTorch's numbers in `golden/conv.json`; the program that made them is
//! `golden/generate_conv.py`. The tolerance is that of `golden.rs`, for sums of twenty times as many terms.

mod conv;
mod norm;
mod pool;
mod real;
mod residual;

use onebit_bits::{Geometry, Pad, Padding};
use onebit_train::{
    Matrix, Signal, Value,
    layer::{Context, Layer},
    optimizers::Adam,
    rules::Latent,
};
use serde_json::Value as Json;

use crate::common::{
    close::assert_close,
    golden::{self, numbers, reals, table},
    real, signs, training,
};

// === reading the file ===

fn case(name: &str) -> Json {
    golden::case(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/conv.json")), name)
}

/// `name_0`, `name_1` and so on: so many.
fn cases(name: &str, count: usize) -> impl Iterator<Item = (String, Json)> {
    (0..count).map(move |index| format!("{name}_{index}")).map(|name| (name.clone(), case(&name)))
}

fn sizes<const N: usize>(json: &Json) -> [usize; N] {
    let all: Vec<usize> = numbers(json).into_iter().map(|x| x as usize).collect();
    all.try_into().expect("so many numbers; is the key right?")
}

fn pair(json: &Json) -> (usize, usize) {
    sizes::<2>(json).into()
}

fn check(what: &str, got: &[f32], expected: &Json) {
    assert_close(what, got, &numbers(expected), |_, expected| 2e-5 * expected.abs() + 1e-5);
}

// === layers ===

/// A whole pass: y and dx.
fn pass(layer: &mut dyn Layer, cx: &Context, x: Value, dy: Matrix) -> (Matrix, Matrix) {
    let y = real(layer.forward(cx, x).unwrap());
    layer.receive(cx, Signal::Grad(dy)).unwrap();
    (y, layer.send(cx).unwrap().into_grad("test").unwrap())
}

fn check_pass(what: &str, layer: &mut dyn Layer, x: Value, case: &Json) {
    let (y, dx) = pass(layer, &training(), x, table(&case["dy"]));
    check(&format!("{what}: y"), y.values(), &case["y"]);
    check(&format!("{what}: dx"), dx.values(), &case["dx"]);
}

fn latent(w: &Json) -> Box<Latent> {
    Box::new(Latent::new(Adam::new()).with_latent(reals(w)))
}

fn geometry(case: &Json) -> (Geometry, (usize, usize)) {
    let ((c_in, c_out), [top, left, bottom, right]) = (pair(&case["channels"]), sizes(&case["padding"]));
    let pad = match case["pad"].as_str() {
        Some("plus") => Pad::Plus,
        Some("minus") => Pad::Minus,
        Some("zero") => Pad::Zero,
        other => panic!("{other:?} is no pad"),
    };
    let geometry = Geometry {
        stride: pair(&case["stride"]),
        padding: Padding { top, left, bottom, right },
        pad,
        groups: sizes::<1>(&case["groups"])[0],
        ..Geometry::new(c_in, c_out, pair(&case["kernel"]))
    };
    let [_, h, w] = sizes(&case["image"]);
    (geometry, (h, w))
}

/// Pixels are bits, or real.
fn pixels(case: &Json) -> Value {
    let x = table(&case["x"]);
    if case["real"] == true { Value::Real(x) } else { Value::Bits(signs(&x)) }
}
