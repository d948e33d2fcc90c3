//! The element-wise layers of straight-through training against PyTorch's numbers in `golden/layers.json`;
//! the program that made them is `golden/generate_layers.py`.
//!
//! The numbers were computed in f64 and have nine digits; ours are f32, and no sum here has more than twenty
//! terms. Hence `|got - expected| <= 1e-5 |expected| + 1e-6`, everywhere.

use onebit_bits::Isa;
use onebit_train::{
    Matrix, Signal, Value,
    layer::{Clock, Context, Layer},
    layers::{
        BatchNormStatistics, ChannelScale, Estimator, HardTanh, RPReLU, RPReLUParameters, RSign, Relu,
        ShiftBatchNorm, Sign, StandardizeSample, TernarySign,
    },
};
use serde_json::Value as Json;

use crate::common::{
    close::assert_close,
    golden::{self, numbers, reals, table},
    matrix, real, signs, training,
};

fn case(name: &str) -> Json {
    golden::case(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/layers.json")), name)
}

fn check(what: &str, got: &[f32], expected: &Json) {
    assert_close(what, got, &numbers(expected), |_, expected| 1e-5 * expected.abs() + 1e-6);
}

/// One row.
fn row(json: &Json) -> Matrix {
    let values = reals(json);
    matrix(1, values.len(), values)
}

/// y and dx.
fn pass(layer: &mut dyn Layer, cx: &Context, x: Matrix, dy: Matrix) -> (Value, Matrix) {
    let y = layer.forward(cx, Value::Real(x)).unwrap();
    layer.receive(cx, Signal::Grad(dy)).unwrap();
    (y, layer.send(cx).unwrap().into_grad("test").unwrap())
}

// === signs ===

const ESTIMATORS: [(&str, Estimator); 8] = [
    ("clip", Estimator::Clip { bound: 1.0 }),
    ("clip_wide", Estimator::Clip { bound: 1.25 }),
    ("approx_sign", Estimator::ApproxSign),
    ("swish_sign", Estimator::SwishSign { beta: 5.0 }),
    ("swish_sign_soft", Estimator::SwishSign { beta: 1.5 }),
    ("identity", Estimator::Identity),
    ("training_aware", Estimator::TrainingAware),
    ("tanh", Estimator::Tanh),
];

#[test]
fn estimators() {
    let (case, mut cx) = (case("estimators"), training());
    let epochs = numbers(&case["epochs"])[0] as usize;
    for (name, estimator) in ESTIMATORS {
        for (index, epoch) in numbers(&case["seen"]).into_iter().enumerate() {
            cx.clock = Clock { epoch: epoch as usize, epochs, batch: 0 };
            let mut sign = Sign::with_estimator(estimator).unwrap();
            let (y, dr) = pass(&mut sign, &cx, row(&case["r"]), row(&case["g"]));
            assert_eq!(y, Value::Bits(signs(&row(&case["y"]))));
            check(&format!("{name} in epoch {epoch}"), dr.values(), &case[name][index]);

            let key = format!("{name}_of_weights");
            let (mut dw, w) = (reals(&case["g"]), reals(&case["r"]));
            estimator.of_weights(cx.clock.progress()).gate(Isa::best(), &mut dw, &w);
            check(&format!("{key} in epoch {epoch}"), &dw, &case[key][index]);
        }
    }
}

#[test]
fn ternary_sign() {
    let case = case("ternary_sign");
    let mut sign = TernarySign::new(reals(&case["threshold"])[0]).unwrap();
    let (y, dr) = pass(&mut sign, &training(), row(&case["r"]), row(&case["g"]));
    let Value::Ternary(y, scale) = y else { panic!("three values, got {y:?}") };
    assert_eq!(scale, 1.0);
    for (col, expected) in numbers(&case["y"]).into_iter().enumerate() {
        assert_eq!(f64::from(y.get(0, col)), expected, "column {col}");
    }
    assert_eq!(dr, row(&case["dr"])); // exact: a gate does no arithmetic
}

#[test]
fn rsign() {
    let case = case("rsign");
    let mut sign = RSign::with_shift(reals(&case["shift"]));
    let (y, dx) = pass(&mut sign, &training(), table(&case["x"]), table(&case["dy"]));
    assert_eq!(y, Value::Bits(signs(&table(&case["y"]))));
    check("dx", dx.values(), &case["dx"]);
    check("dshift", sign.gradient().unwrap(), &case["dshift"]);
}

// === real layers ===

#[test]
fn rprelu() {
    let (case, parameter) = (case("rprelu"), |case: &Json, name: &str| reals(&case[name]));
    let [before, slope, after] = ["before", "slope", "after"].map(|name| parameter(&case, name));
    let mut layer = RPReLU::with_parameters(RPReLUParameters { before, slope, after }).unwrap();
    let (y, dx) = pass(&mut layer, &training(), table(&case["x"]), table(&case["dy"]));
    check("y", real(y).values(), &case["y"]);
    check("dx", dx.values(), &case["dx"]);
    let gradients = layer.gradients().unwrap();
    check("dbefore", &gradients.before, &case["dbefore"]);
    check("dslope", &gradients.slope, &case["dslope"]);
    check("dafter", &gradients.after, &case["dafter"]);
}

#[test]
fn channel_scale() {
    let case = case("channel_scale");
    let mut layer = ChannelScale::new(reals(&case["factor"])).unwrap();
    let (y, dx) = pass(&mut layer, &training(), table(&case["x"]), table(&case["dy"]));
    check("y", real(y).values(), &case["y"]);
    check("dx", dx.values(), &case["dx"]);
    check("dfactor", layer.gradient().unwrap(), &case["dfactor"]);
}

#[test]
fn hard_tanh_and_relu() {
    let layers: [(&str, Box<dyn Layer>); 2] =
        [("hard_tanh", Box::new(HardTanh::new())), ("relu", Box::new(Relu::new()))];
    for (name, mut layer) in layers {
        let case = case(name);
        let (y, dx) = pass(&mut *layer, &training(), row(&case["x"]), row(&case["dy"]));
        assert_eq!((real(y), dx), (row(&case["y"]), row(&case["dx"])), "{name}"); // exact: no arithmetic
    }
}

#[test]
fn standardize_sample() {
    let case = case("standardize_sample");
    let pixels = case["x"][0].as_array().unwrap().len();
    let features = case["x"][0][0].as_array().unwrap().len();
    let rows = |name: &str| {
        let values = reals(&case[name]);
        matrix(values.len() / features, features, values)
    };
    let mut layer = StandardizeSample::new(pixels).unwrap();
    let (y, dx) = pass(&mut layer, &training(), rows("x"), rows("dy"));
    check("y", real(y).values(), &case["y"]);
    check("dx", dx.values(), &case["dx"]);
    let y = layer.forward(&training().evaluating(), Value::Real(rows("x"))).unwrap();
    check("y in evaluation", real(y).values(), &case["y"]);
}

#[test]
fn shift_batch_norm() {
    let case = case("shift_batch_norm");
    let (cx, x) = (training(), table(&case["x"]));
    let running = |prefix: &str| BatchNormStatistics {
        mean: reals(&case[format!("{prefix}_mean")]),
        inv_std: reals(&case[format!("{prefix}_inv_std")]),
    };
    let fresh = || ShiftBatchNorm::with_affine(reals(&case["gamma"]), reals(&case["beta"]));
    let check_running = |what: &str, norm: &ShiftBatchNorm, prefix: &str| {
        let running = norm.running().unwrap();
        check(what, &running.mean, &case[format!("{prefix}_mean")]);
        check(what, &running.inv_std, &case[format!("{prefix}_inv_std")]);
    };

    let mut norm = fresh();
    norm.forward(&cx, Value::Real(x.clone())).unwrap();
    check_running("first batch", &norm, "batch");

    let mut norm = fresh().with_running(running("old")).unwrap();
    let (y, dx) = pass(&mut norm, &cx, x.clone(), table(&case["dy"]));
    check("y", real(y).values(), &case["y"]);
    check("dx", dx.values(), &case["dx"]);
    check_running("later batch", &norm, "new");
    let gradients = norm.gradients().unwrap();
    check("dgamma", &gradients.dgamma, &case["dgamma"]);
    check("dbeta", &gradients.dbeta, &case["dbeta"]);

    let y = norm.forward(&cx.evaluating(), Value::Real(x)).unwrap();
    check("y in evaluation", real(y).values(), &case["eval_y"]);
}
