//! Straight-through training against PyTorch's numbers in `golden/ste_dense.json`; the program that made
//! them is `golden/generate_ste.py`.
//!
//! The numbers were computed in f64 and have nine digits; ours are f32, with a unit roundoff of 6e-8. A sum
//! here has at most eight terms and a pass some twenty roundings that add up: 1e-6 of the largest term. Adam
//! knows `1 - 0.999^t` to 6e-5 of itself and moves a weight by up to 0.01 a step: 6e-6 after ten. Hence
//! `|got - expected| <= 1e-5 |expected| + 1e-6`, everywhere.
//!
//! A key or step that the file does not have reads as null, and null is not a number: such a test fails.

use onebit_bits::{BitTensor, Ternary};
use onebit_train::{
    Matrix, Network, Signal, Value,
    layer::{Context, Layer},
    layers::{BatchNorm, BatchNormStatistics, Dense, Sign},
    losses::{Loss, SoftmaxCrossEntropy, SquaredHinge},
    optimizers::Adam,
    real_tensor::RealTensor,
    rules::{Latent, Rule, glorot_scale},
    step::Order,
};
use serde_json::Value as Json;

use crate::common::{
    close::assert_close,
    golden::{self, numbers, reals, table},
    matrix, real, signs, training,
};

/// Steps of the cases that have steps.
const STEPS: usize = 10;
/// Dense layers of the net.
const BLOCKS: usize = 3;

// === reading the file ===

fn case(name: &str) -> Json {
    golden::case(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/ste_dense.json")), name)
}

fn labels(json: &Json) -> Vec<u32> {
    numbers(json).into_iter().map(|x| x as u32).collect()
}

fn check(what: &str, got: &[f32], expected: &Json) {
    assert_close(what, got, &numbers(expected), |_, expected| 1e-5 * expected.abs() + 1e-6);
}

// === layers ===

fn gradient(signal: Signal) -> Matrix {
    signal.into_grad("test").unwrap()
}

fn latent(w: &Json) -> Latent {
    Latent::new(Adam::new()).with_latent(reals(w))
}

/// A dense layer with the signs of `w`: (o, i).
fn dense(w: &Json) -> Dense {
    let w_table = table(w);
    let dense = Dense::new(w_table.cols(), w_table.rows(), Box::new(latent(w)), 0).unwrap();
    assert_eq!(dense.weights(), &signs(&w_table));
    dense
}

#[test]
fn sign() {
    let case = case("sign");
    let (cx, mut sign) = (training(), Sign::new());
    let y = sign.forward(&cx, Value::Real(table(&case["r"]))).unwrap();
    assert_eq!(y, Value::Bits(signs(&table(&case["y"]))));
    sign.receive(&cx, Signal::Grad(table(&case["g"]))).unwrap();
    assert_eq!(gradient(sign.send(&cx).unwrap()), table(&case["dr"])); // exact: a gate does no arithmetic
}

#[test]
fn batch_norm() {
    let case = case("batch_norm");
    let (cx, x) = (training(), Value::Real(table(&case["x"])));
    let running = |prefix: &str| BatchNormStatistics {
        mean: reals(&case[format!("{prefix}_mean")]),
        inv_std: reals(&case[format!("{prefix}_inv_std")]),
    };
    let fresh = || BatchNorm::with_affine(reals(&case["gamma"]), reals(&case["beta"]));
    let check_running = |what: &str, norm: &BatchNorm, prefix: &str| {
        let running = norm.running().unwrap();
        check(what, &running.mean, &case[format!("{prefix}_mean")]);
        check(what, &running.inv_std, &case[format!("{prefix}_inv_std")]);
    };

    let mut norm = fresh();
    norm.forward(&cx, x.clone()).unwrap();
    check_running("first batch", &norm, "batch");

    let mut norm = fresh().with_running(running("old_running")).unwrap();
    let y = real(norm.forward(&cx, x.clone()).unwrap());
    check("y", y.values(), &case["y"]);
    check_running("later batch", &norm, "new_running");

    norm.receive(&cx, Signal::Grad(table(&case["dy"]))).unwrap();
    check("dx", gradient(norm.send(&cx).unwrap()).values(), &case["dx"]);
    let gradients = norm.gradients().unwrap();
    check("dgamma", &gradients.dgamma, &case["dgamma"]);
    check("dbeta", &gradients.dbeta, &case["dbeta"]);

    let y = real(norm.forward(&Context::evaluate(&cx.engine), x).unwrap());
    check("y in evaluation", y.values(), &case["eval_y_inv_std"]);
}

/// y, dx with respect to the value that the layer was given, and dw.
fn check_dense(case: &Json, x: Value) -> Matrix {
    let (cx, mut dense) = (training(), dense(&case["w"]));
    let y = real(dense.forward(&cx, x).unwrap());
    check("y", y.values(), &case["y"]);
    dense.receive(&cx, Signal::Grad(table(&case["g"]))).unwrap();
    check("dw", dense.weight_gradient(&cx).unwrap().values(), &case["dw"]);
    gradient(dense.send(&cx).unwrap())
}

#[test]
fn dense_of_reals() {
    let case = case("dense_real");
    let dx = check_dense(&case, Value::Real(table(&case["x"])));
    check("dx", dx.values(), &case["dx"]);
}

#[test]
fn dense_of_bits() {
    let case = case("dense_signs");
    let x = table(&case["x"]);
    for x in [Value::Bits(signs(&x)), Value::Real(x)] {
        let dx = check_dense(&case, x);
        check("dx", dx.values(), &case["dx"]);
    }
}

/// The layer draws masks of its own, so its place is taken by the golden mask: `x' = m x / q` before the
/// dense layer, `dx = m dx' / q` behind it.
#[test]
fn dense_under_dropout() {
    let case = case("dropout");
    let (x, m, q) = (table(&case["x"]), table(&case["m"]), reals(&case["q"])[0]);
    let cols = m.cols();
    let mask = BitTensor::from_fn(m.rows(), cols, |r, c| m.values()[r * cols + c] == 1.0);
    let silenced = Ternary::new(signs(&x).and(mask.view()).unwrap(), mask).unwrap();
    let product =
        |a: &Matrix| -> Vec<f32> { a.values().iter().zip(m.values()).map(|(a, m)| m * a / q).collect() };
    for x in [Value::Ternary(silenced, 1.0 / q), Value::Real(matrix(x.rows(), cols, product(&x)))] {
        let dx = check_dense(&case, x);
        check("dx", &product(&dx), &case["dx"]);
    }
}

// === losses and rules ===

fn check_loss(case: &Json, loss: &dyn Loss) {
    let (value, gradient) = loss.evaluate(table(&case["o"]), &labels(&case["labels"])).unwrap();
    check("loss", &[value as f32], &case["loss"]);
    check("do", gradient.values(), &case["do"]);
}

#[test]
fn squared_hinge() {
    check_loss(&case("squared_hinge"), &SquaredHinge::default());
}

#[test]
fn softmax_cross_entropy() {
    check_loss(&case("softmax_cross_entropy"), &SoftmaxCrossEntropy);
}

#[test]
fn adam() {
    let case = case("adam");
    let (mut p, lr) = (RealTensor::new(reals(&case["initial"]), Adam::new()), reals(&case["lr"])[0]);
    for step in 0..STEPS {
        p.step(&training().engine, &reals(&case["grads"][step]), lr).unwrap();
        check(&format!("step {step}"), p.values(), &case["after"][step]);
    }
}

#[test]
fn latent_weights() {
    let case = case("latent");
    check("scale", &[glorot_scale(3, 4)], &case["scale"]);
    let (cx, mut rule, lr) = (training(), latent(&case["initial"]), numbers(&case["lr"])[0]);
    let mut bits = rule.start(4, 3, 0).unwrap();
    assert_eq!(bits, signs(&table(&case["initial"])));
    for step in 0..STEPS {
        let (grad, after) = (table(&case["grads"][step]), &case["after"][step]);
        let flips = rule.flips(&cx, bits.view(), &Signal::Grad(grad), lr).unwrap();
        bits.flip(flips.view()).unwrap();
        check(&format!("step {step}"), rule.latent(), after);
        assert_eq!(bits, signs(&table(after)), "bits after step {step}");
    }
}

// === the whole: dense, batch norm, sign; dense, batch norm, sign; dense, batch norm ===

fn net(initial: &Json) -> Network {
    let mut net = Network::new(table(&initial["w"][0]).cols());
    for block in 0..BLOCKS {
        let norm = BatchNorm::with_affine(reals(&initial["gamma"][block]), reals(&initial["beta"][block]));
        net = net.with(dense(&initial["w"][block])).with(norm);
        if block + 1 < BLOCKS {
            net = net.with(Sign::new());
        }
    }
    net
}

/// The dense layer and the batch norm of each block.
fn blocks(net: &Network) -> [(&Dense, &BatchNorm); BLOCKS] {
    let layers = net.layers();
    std::array::from_fn(|block| {
        let norm = layers[3 * block + 1].downcast_ref().unwrap();
        (layers[3 * block].downcast_ref().unwrap(), norm)
    })
}

fn check_net(case: &Json, loss: &dyn Loss) {
    let (cx, mut net, lr) = (training(), net(&case["initial"]), numbers(&case["lr"])[0]);
    for step in 0..STEPS {
        let (value, logits) = net
            .step(&cx, Value::Real(table(&case["x"][step])), Order::Parallel, lr, |logits| {
                let logits = real(logits);
                let (value, gradient) = loss.evaluate(logits.clone(), &labels(&case["labels"][step]))?;
                Ok(((value, logits), Signal::Grad(gradient)))
            })
            .unwrap();
        check(&format!("loss of step {step}"), &[value as f32], &case["losses"][step]);
        if step == 0 {
            let first = &case["first_step"];
            check("logits", logits.values(), &first["logits"]);
            for (block, (dense, norm)) in blocks(&net).into_iter().enumerate() {
                let (dw, gradients) = (dense.weight_gradient(&cx).unwrap(), norm.gradients().unwrap());
                check(&format!("dw of block {block}"), dw.values(), &first["dw"][block]);
                check(&format!("dgamma of block {block}"), &gradients.dgamma, &first["dgamma"][block]);
                check(&format!("dbeta of block {block}"), &gradients.dbeta, &first["dbeta"][block]);
            }
        }
    }
    for (block, (dense, norm)) in blocks(&net).into_iter().enumerate() {
        let last = |name: &str| &case["final"][name][block];
        let latent = dense.rule().downcast_ref::<Latent>().unwrap().latent();
        check(&format!("w of block {block}"), latent, last("w"));
        assert_eq!(dense.weights(), &signs(&table(last("w"))), "bits of block {block}");
        check(&format!("gamma of block {block}"), norm.affine().0, last("gamma"));
        check(&format!("beta of block {block}"), norm.affine().1, last("beta"));
    }
}

#[test]
fn net_under_squared_hinge() {
    check_net(&case("net"), &SquaredHinge::default());
}

#[test]
fn net_under_softmax_cross_entropy() {
    check_net(&case("net_ce"), &SoftmaxCrossEntropy);
}
