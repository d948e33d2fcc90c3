//! Optimizers, schedules, distillation and Bop against PyTorch's numbers in `golden/optim.json`; the program
//! that made them is `golden/generate_optim.py`.
//!
//! The tolerance is that of `golden.rs`, for the same reasons: `|got - expected| <= 1e-5 |expected| + 1e-6`.
//! Bits must be the same: the script keeps away from thresholds. A key that the file does not have reads as
//! null: such a test fails.

use onebit_bits::{BitTensor, Engine};
use onebit_train::{
    Batch, Phase, Schedule, Signal,
    layer::Clock,
    losses::{Distillation, Loss, SoftmaxCrossEntropy, SquaredHinge},
    optimizers::{AdaMax, AdamW, Optimizer, OptimizerConfig, Run, Sgd, ShiftAdaMax},
    real_tensor::RealTensor,
    rules::{Bop, Bop2, Correction, Latent, Rule},
    schedule::Scheduled,
};
use serde_json::Value as Json;

use crate::common::{
    close::assert_close,
    golden::{self, number, numbers, reals, table},
    matrix, signs, training,
};

// === reading the file ===

fn case(name: &str) -> Json {
    golden::case(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/optim.json")), name)
}

fn steps(json: &Json) -> &[Json] {
    json.as_array().expect("a list; is the key right?")
}

fn check(what: &str, got: &[f32], expected: &Json) {
    assert_close(what, got, &numbers(expected), |_, expected| 1e-5 * expected.abs() + 1e-6);
}

// === optimizers ===

/// All steps of a case; returns the second moment after them.
fn check_optimizer(name: &str, mut optimizer: impl Optimizer) -> Vec<f32> {
    let case = case(name);
    let (rate, scale) = (number(&case["lr"]) as f32, number(&case["scale"]) as f32);
    let mut params = reals(&case["initial"]);
    let (mut m, mut v) = (vec![0.0; params.len()], vec![0.0; params.len()]);
    for (step, (grad, after)) in steps(&case["grads"]).iter().zip(steps(&case["after"])).enumerate() {
        optimizer.begin(rate, scale);
        let moments = [&mut m[..], &mut v[..]];
        optimizer.run(Engine::single().isa(), Run { params: &mut params, grad: &reals(grad), moments });
        check(&format!("{name}, step {step}"), &params, after);
    }
    v
}

#[test]
fn sgd() {
    check_optimizer("sgd", Sgd::new(0.0, 0.0).unwrap());
    check_optimizer("sgd_momentum", Sgd::new(0.9, 0.01).unwrap());
}

#[test]
fn adamw() {
    check_optimizer("adamw", AdamW::new(0.1).unwrap());
}

#[test]
fn adamax() {
    check_optimizer("adamax", AdaMax::new());
}

#[test]
fn shift_based_adamax() {
    for (name, optimizer) in
        [("shift_adamax", ShiftAdaMax::paper()), ("shift_adamax_torch", ShiftAdaMax::torch())]
    {
        let v = check_optimizer(name, optimizer);
        check(name, &v, steps(&case(name)["v"]).last().unwrap());
    }
}

#[test]
fn chosen_by_name() {
    for (name, config) in [
        ("sgd_momentum", OptimizerConfig::Sgd { momentum: 0.9, decay: 0.01 }),
        ("adamw", OptimizerConfig::AdamW { decay: 0.1 }),
        ("adamax", OptimizerConfig::AdaMax {}),
        ("shift_adamax", OptimizerConfig::ShiftAdaMax {}),
        ("shift_adamax_torch", OptimizerConfig::ShiftAdaMaxTorch {}),
    ] {
        check_optimizer(name, config.build().unwrap());
    }
}

/// A latent weight moves by `scale` times what a real parameter moves by. 3 is no power of two: rounding sees
/// it.
#[test]
fn the_scale_of_latent_weights_multiplies_the_step() {
    let (cx, scale, rate) = (training(), 3.0, 0.01);
    let (initial, grad) = (vec![0.5f32, -0.25, 0.125], [0.3f32, -0.2, 1.5]);
    for config in [
        OptimizerConfig::Adam {},
        OptimizerConfig::AdaMax {},
        OptimizerConfig::ShiftAdaMax {},
        OptimizerConfig::ShiftAdaMaxTorch {},
        OptimizerConfig::Sgd { momentum: 0.9, decay: 0.0 },
    ] {
        let mut real = RealTensor::new(vec![0.0; 3], config.build().unwrap());
        real.step(&cx.engine, &grad, rate).unwrap();
        let latent = Latent::new(config.build().unwrap()).with_scale(scale).unwrap();
        let mut latent = latent.with_latent(initial.clone());
        let bits = latent.start(1, 3, 0).unwrap();
        latent.flips(&cx, bits.view(), &Signal::Grad(matrix(1, 3, grad)), f64::from(rate)).unwrap();
        for ((latent, initial), step) in latent.latent().iter().zip(&initial).zip(real.values()) {
            let expected = initial + scale * step;
            assert!((latent - expected).abs() < 1e-7, "{config:?}: {latent}, not {expected}");
        }
    }
}

// === schedules ===

#[test]
fn schedules() {
    let case = case("schedules");
    let final_rate = number(&case["final_rate"]);
    let mut phase = Phase::new(number(&case["epochs"]) as usize, Batch::All, number(&case["lr"]));
    for (name, schedule) in [
        ("exponential", Schedule::Exponential { final_rate }),
        ("step", Schedule::Step { factor: 0.3, every: 7 }),
        ("cosine", Schedule::Cosine { final_rate, warmup: 0 }),
        ("cosine", Schedule::Cosine { final_rate, warmup: 1 }),
        ("cosine_to_0", Schedule::Cosine { final_rate: 0.0, warmup: 0 }),
        ("cosine_after_5", Schedule::Cosine { final_rate, warmup: 5 }),
        ("linear", Schedule::Linear { final_rate }),
    ] {
        phase.schedule = schedule;
        let expected = numbers(&case[name]);
        assert_eq!(expected.len(), phase.epochs, "{name}");
        for (epoch, expected) in expected.into_iter().enumerate() {
            let rate = phase.rate_at(epoch);
            assert!(
                (rate - expected).abs() <= 1e-8 * expected,
                "{name}, epoch {epoch}: {rate}, not {expected}"
            );
        }
    }
}

// === distillation ===

#[test]
fn distillation() {
    let hinge = SquaredHinge::default();
    for (name, hard) in [
        ("distillation_hinge", &hinge as &dyn Loss),
        ("distillation_cross_entropy", &SoftmaxCrossEntropy),
        ("distillation_alone", &SoftmaxCrossEntropy),
    ] {
        let case = case(name);
        let (temperature, alpha) = (number(&case["temperature"]) as f32, number(&case["alpha"]) as f32);
        let labels: Vec<u32> = numbers(&case["labels"]).into_iter().map(|label| label as u32).collect();
        let distillation = Distillation::with(temperature, alpha).unwrap();
        let (loss, ds) =
            distillation.evaluate(hard, table(&case["s"]), &labels, &table(&case["teacher"])).unwrap();
        check(name, &[loss as f32], &case["loss"]);
        check(name, ds.values(), &case["ds"]);
        if name == "distillation_alone" {
            assert_eq!(distillation, Distillation::new());
        }
    }
}

// === rules without latent weights ===

/// All steps of a case, an epoch each; the weights must be the same after each.
fn check_rule<R: Rule>(name: &str, mut rule: R) -> (R, Json) {
    let (cx, mut case) = (&mut training(), case("rules"));
    let mut bits: BitTensor = signs(&table(&case["initial"]));
    rule.start(bits.rows(), bits.cols(), 0).unwrap();
    for (step, (grad, after)) in steps(&case["grads"]).iter().zip(steps(&case[name]["after"])).enumerate() {
        cx.clock = Clock { epoch: step, epochs: 8, batch: 0 };
        let flips = rule.flips(cx, bits.view(), &Signal::Grad(table(grad)), 1.0).unwrap();
        bits.flip(flips.view()).unwrap();
        assert_eq!(bits, signs(&table(after)), "{name}: bits after step {step}");
    }
    (rule, case[name].take())
}

fn setting(name: &str, key: &str) -> f64 {
    number(&case("rules")[name][key])
}

#[test]
fn bop() {
    let (bop, case) = check_rule("bop", Bop::with(setting("bop", "threshold"), 0.1).unwrap());
    check("m", bop.average(), &case["m"]);
    let gamma = Scheduled { start: 0.1, schedule: Schedule::Step { factor: 0.5, every: 4 } };
    let halved = Bop::with(setting("bop_halved", "threshold"), gamma).unwrap();
    let (bop, case) = check_rule("bop_halved", halved);
    check("m, gamma halved", bop.average(), &case["m"]);
}

#[test]
fn second_order_bop() {
    for (name, correction) in
        [("bop2", Correction::None), ("bop2_rates", Correction::Rates), ("bop2_steps", Correction::Steps)]
    {
        let [threshold, gamma, sigma] = ["threshold", "gamma", "sigma"].map(|key| setting(name, key));
        let (bop, case) = check_rule(name, Bop2::with(threshold, gamma, sigma, correction).unwrap());
        check(name, bop.averages()[0], &case["m"]);
        check(name, bop.averages()[1], &case["v"]);
    }
}
