//! The relatives of the latent-weight rule against PyTorch's numbers in `golden/rules.json`; the program that
//! made them is `golden/generate_rules.py`.
//!
//! The numbers were computed in f64 and have nine digits; ours are f32, with a unit roundoff of 6e-8. A
//! gradient takes some twenty roundings and a derivative's factor of up to 15, and steps of 1/8 with momentum
//! add up to about 0.5 of five gradients of up to 20: `|got - expected| <= 2e-5 |expected| + 1e-5`.

use onebit_bits::BitTensor;
use onebit_train::{
    Matrix, Signal,
    layer::{Clock, Context},
    rules::{GradientPath, Rbnn, Rule, Standardization, Standardized, Xnor, mean_angle},
};
use serde_json::Value as Json;

use crate::common::{
    close::assert_close,
    golden::{self, numbers, reals, table},
    momentum::Momentum,
    signs, training,
};

const STEPS: usize = 5;

fn case(name: &str) -> Json {
    golden::case(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/rules.json")), name)
}

fn check(what: &str, got: &[f32], expected: &Json) {
    assert_close(what, got, &numbers(expected), |_, expected| 2e-5 * expected.abs() + 1e-5);
}

fn bits(json: &Json) -> BitTensor {
    signs(&table(json))
}

/// In the middle of an epoch at the progress of the case.
fn context(case: &Json) -> Context {
    let epoch = (numbers(&case["progress"])[0] * 20.0).round() as usize;
    let mut cx = training();
    cx.clock = Clock { epoch, epochs: 20, batch: 1 };
    cx
}

fn step(cx: &Context, rule: &mut impl Rule, bits: &mut BitTensor, grad: Matrix, rate: f64) {
    let flips = rule.flips(cx, bits.view(), &Signal::Grad(grad), rate).unwrap();
    bits.flip(flips.view()).unwrap();
}

/// Reals, factors and bits at first, the first gradient, the weights after each step, and what they stand for
/// then.
///
/// `make` is given an optimizer's momentum.
fn check_rule<R: Rule>(case: &Json, make: impl Fn(f32) -> R, weights: impl Fn(&R) -> &[f32]) -> R {
    let (cx, lr) = (context(case), numbers(&case["lr"])[0]);
    let shape = table(&case["initial"]).shape();
    let check_scales = |rule: &R, key: &str| match rule.scales() {
        Some(scales) => check(key, scales, &case[key]),
        None => assert!(numbers(&case[key]).iter().all(|scale| *scale == 1.0)),
    };

    let mut rule = make(0.0);
    let mut w = rule.start(shape.0, shape.1, 0).unwrap();
    assert_eq!(w, bits(&case["bits"]));
    check("reals", &rule.reals().unwrap(), &case["reals"]);
    check_scales(&rule, "scales");
    // A small step in which nothing is clipped shows the gradient, but for the rounding of weights up to 2.
    const SMALL: f32 = 1.0 / 1024.0;
    let before = weights(&rule).to_vec();
    step(&cx, &mut rule, &mut w, table(&case["grads"][0]), f64::from(SMALL));
    let dw: Vec<f32> = before.iter().zip(weights(&rule)).map(|(a, b)| (a - b) / SMALL).collect();
    let clipped = |at: usize| before[at].abs() == 1.0 && weights(&rule)[at] == before[at];
    assert_close("dw", &dw, &numbers(&case["dw"]), |at, expected| {
        if clipped(at) { f64::INFINITY } else { 2e-5 * expected.abs() + 2e-4 }
    });

    let mut rule = make(0.9);
    let mut w = rule.start(shape.0, shape.1, 0).unwrap();
    for index in 0..STEPS {
        step(&cx, &mut rule, &mut w, table(&case["grads"][index]), lr);
        check(&format!("w after step {index}"), weights(&rule), &case["w_after"][index]);
    }
    assert_eq!(w, bits(&case["last_bits"]));
    check_scales(&rule, "last_scales");
    rule
}

#[test]
fn xnor() {
    let case = case("xnor");
    let make = |momentum| {
        let rule = Xnor::new(Momentum::new(momentum)).with_latent(reals(&case["initial"]));
        rule.with_scale(1.0).unwrap()
    };
    check_rule(&case, make, Xnor::latent);
}

fn check_standardized(name: &str, how: Standardization) {
    let case = case(name);
    let make = |momentum| {
        let rule = Standardized::new(how, Momentum::new(momentum)).with_latent(reals(&case["initial"]));
        rule.with_scale(1.0).unwrap()
    };
    check_rule(&case, make, Standardized::latent);
}

#[test]
fn centred() {
    check_standardized("centred", Standardization::Centred);
}

#[test]
fn libra() {
    check_standardized("libra", Standardization::Libra);
    check_standardized("libra_last", Standardization::Libra);
}

#[test]
fn recu() {
    check_standardized("recu", Standardization::ReCu);
}

fn check_rbnn(name: &str, through: GradientPath) {
    let case = case(name);
    let make = |momentum| {
        let rule = Rbnn::new(Momentum::new(momentum), Momentum::new(momentum)).with_gradient(through);
        rule.with_latent(reals(&case["initial"])).with_beta(reals(&case["beta"]))
    };
    let rule = check_rule(&case, make, Rbnn::latent);
    check("beta", rule.beta(), &case["beta_after"][STEPS - 1]);

    let mut rule = make(0.0);
    let mut w = rule.start(4, 12, 0).unwrap();
    let (r1, r2) = rule.rotation();
    check("R1", r1, &case["r1"]);
    check("R2", r2, &case["r2"]);
    let angles = rule.angles().unwrap();
    for (got, expected) in angles.into_iter().zip(numbers(&case["angles"])) {
        assert!((got - expected).abs() < 1e-3, "{got} for {expected}");
    }
    assert!((mean_angle(&rule.reals().unwrap(), w.view()) - angles[1]).abs() < 1e-9);
    // At a rate of 1 the step of beta shows its gradient.
    step(&context(&case), &mut rule, &mut w, table(&case["grads"][0]), 1.0);
    let decay = numbers(&case["decay"])[0];
    for ((before, after), dbeta) in
        numbers(&case["beta"]).iter().zip(rule.beta()).zip(numbers(&case["dbeta"]))
    {
        let got = before - f64::from(*after) - decay * before;
        assert!((got - dbeta).abs() < 2e-5 * dbeta.abs() + 1e-5, "{got} for {dbeta}");
    }
}

#[test]
fn rbnn() {
    check_rbnn("rbnn", GradientPath::Straight);
    check_rbnn("rbnn_rotation", GradientPath::Rotation);
    check_rbnn("rbnn_rest", GradientPath::Rest);
}
