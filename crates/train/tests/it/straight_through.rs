//! Laws of the parts of straight-through training, and what they refuse.

use onebit_bits::{BitTensor, Engine, Isa, Ternary, random_bits};
use onebit_train::{
    ByteScale, Bytes, DropoutShares, Error, Matrix, Network, Precision, Signal, StraightThroughOptions,
    Value,
    layer::{Context, Layer},
    layers::{BatchNorm, BatchNormStatistics, Dense, Dropout, Sign},
    losses::{Loss, SoftmaxCrossEntropy, SquaredHinge},
    optimizers::Adam,
    rules::{Latent, Rule},
    step::Order,
};
use proptest::prelude::*;

use crate::common::{matrix, real, signs, training};

/// Numbers that repeat nowhere soon, in `-1..1`.
fn wavy(rows: usize, cols: usize, phase: f32) -> Matrix {
    matrix(rows, cols, (0..rows * cols).map(|at| (at as f32 * 1.7 + phase).sin()))
}

fn latent() -> Latent {
    Latent::new(Adam::new())
}

// === latent weights ===

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn latents_stay_in_range_and_bits_are_their_signs(
        (rows, cols) in (1usize..5, 1usize..70),
        rate in prop::sample::select(vec![1e-3, 0.1, 10.0]),
        seed: u64,
    ) {
        let (cx, mut rule) = (training(), latent());
        let mut bits = rule.start(rows, cols, seed).unwrap();
        for step in 0..8 {
            let latents = matrix(rows, cols, rule.latent().iter().copied());
            prop_assert!(latents.values().iter().all(|w| w.abs() <= 1.0));
            prop_assert_eq!(&bits, &signs(&latents));
            let gradient = Signal::Grad(wavy(rows, cols, step as f32));
            let flips = rule.flips(&cx, bits.view(), &gradient, rate).unwrap();
            bits.flip(flips.view()).unwrap();
        }
    }
}

#[test]
fn latents_reach_the_end_of_their_range_and_stay() {
    let (cx, mut rule) = (training(), latent().with_latent(vec![0.25, -0.0]));
    let mut bits = rule.start(1, 2, 0).unwrap();
    assert_eq!(bits, BitTensor::from_fn(1, 2, |_, _| true)); // sgn(-0) = +1
    for _ in 0..20 {
        let flips = rule.flips(&cx, bits.view(), &Signal::Grad(matrix(1, 2, [-1.0, 1.0])), 0.1).unwrap();
        bits.flip(flips.view()).unwrap();
    }
    assert_eq!(rule.latent(), [1.0, -1.0]);
    assert_eq!(bits, BitTensor::from_fn(1, 2, |_, col| col == 0));
}

#[test]
fn latents_of_another_shape_are_refused() {
    let (cx, mut rule) = (training(), latent().with_latent(vec![0.5; 5]));
    let error = rule.start(2, 3, 0).unwrap_err();
    assert_eq!(error.to_string(), "latent: expected 2 x 3 latent weights, got 5");
    let mut rule = latent();
    let bits = rule.start(2, 3, 0).unwrap();
    let error = rule.flips(&cx, bits.view(), &Signal::Grad(wavy(3, 2, 0.0)), 0.1).unwrap_err();
    assert_eq!(error.to_string(), "latent: expected a gradient of 2 x 3, got 3 x 2");
}

// === batch norm ===

/// The deviation of a constant is `1 / sqrt(eps) = 100`, and `x - mean` is exactly 0.
#[test]
fn batch_norm_of_a_constant_feature_is_its_shift() {
    let (cx, beta) = (training(), [0.5, -3.0, 0.0]);
    let x = matrix(6, 3, (0..6).flat_map(|_| [0.1, -7e30, 0.0]));
    let mut norm = BatchNorm::with_affine(vec![2.0; 3], beta.to_vec());
    let y = real(norm.forward(&cx, Value::Real(x.clone())).unwrap());
    assert!(y.iter_rows().all(|row| row == beta));
    let running = norm.running().unwrap().clone();
    assert_eq!(running, BatchNormStatistics { mean: vec![0.1, -7e30, 0.0], inv_std: vec![100.0; 3] });
    norm.receive(&cx, Signal::Grad(wavy(6, 3, 0.0))).unwrap();
    let Signal::Grad(dx) = norm.send(&cx).unwrap() else { panic!("batch norm sends a gradient") };
    assert!(dx.values().iter().all(|dx| dx.is_finite()));
    let gradients = norm.gradients().unwrap();
    assert_eq!(gradients.dgamma, [0.0; 3]);
    let y = real(norm.forward(&Context::evaluate(&cx.engine), Value::Real(x)).unwrap());
    assert!(y.iter_rows().all(|row| row == beta));
}

#[test]
fn batch_norm_learns_nothing_from_an_empty_batch() {
    let (cx, mut norm) = (training(), BatchNorm::new(3));
    let error = norm.forward(&cx, Value::Real(Matrix::zeros(0, 3))).unwrap_err();
    let expected = "batch_norm: expected at least one row and one column to learn from, got 0 x 3";
    assert_eq!(error.to_string(), expected);
    assert_eq!(norm.running(), None);
    assert!(BatchNorm::new(0).forward(&cx, Value::Real(Matrix::zeros(2, 0))).is_err());
}

#[test]
fn batch_norm_refuses_what_does_not_fit() {
    let (cx, x) = (training(), || Value::Real(wavy(2, 3, 0.0)));
    let evaluated = BatchNorm::new(3).forward(&Context::evaluate(&cx.engine), x());
    assert!(matches!(evaluated, Err(Error::Sequence { .. })), "no statistics yet: {evaluated:?}");
    let short = BatchNorm::with_affine(vec![1.0; 3], vec![0.0; 2]).forward(&cx, x());
    assert_eq!(short.unwrap_err().to_string(), "batch_norm: expected a beta of 3 features, got 2");
    let running = BatchNormStatistics { mean: vec![0.0; 3], inv_std: vec![1.0; 4] };
    assert!(matches!(BatchNorm::new(3).with_running(running), Err(Error::Shape { .. })));
}

// === dropout ===

const RATE: f64 = 0.3;
/// The masks' probability is the nearest multiple of 1/65536.
const SCALE: f32 = 65536.0 / 45875.0;

/// 5 standard deviations of the kept share over `n` draws.
fn spread(n: usize) -> f64 {
    5.0 * (RATE * (1.0 - RATE) / n as f64).sqrt()
}

#[test]
fn dropout_of_reals_keeps_its_share_and_the_expectation() {
    let (cx, mut dropout) = (training(), Dropout::new(RATE, 3).unwrap());
    let x = matrix(200, 500, (0..100_000).map(|at| 1.0 + (at % 7) as f32));
    let y = real(dropout.forward(&cx, Value::Real(x.clone())).unwrap());
    let kept = y.values().iter().filter(|&&y| y != 0.0).count();
    assert!((kept as f64 / 1e5 - (1.0 - RATE)).abs() < spread(100_000), "kept {kept}");
    assert!(y.values().iter().zip(x.values()).all(|(&y, &x)| y == 0.0 || y == x * SCALE));
    let mean: f64 = y.values().iter().zip(x.values()).map(|(y, x)| f64::from(y / x)).sum::<f64>() / 1e5;
    assert!((mean - 1.0).abs() < spread(100_000) * f64::from(SCALE), "mean {mean}");

    // The way back meets the same mask.
    dropout.receive(&cx, Signal::Grad(x)).unwrap();
    assert_eq!(dropout.send(&cx).unwrap(), Signal::Grad(y));
}

#[test]
fn dropout_of_bits_silences_and_keeps_signs() {
    let (cx, mut dropout) = (training(), Dropout::new(RATE, 4).unwrap());
    let x = random_bits(1, 0, 50, 130);
    let mut forward = || dropout.forward(&cx, Value::Bits(x.clone())).unwrap();
    let (first, second) = (forward(), forward());
    assert_ne!(first, second, "each pass draws a mask of its own");
    let Value::Ternary(y, scale) = second else { panic!("expected dropped bits, got {second:?}") };
    assert_eq!(scale, SCALE);
    assert!((y.nonzero().count_ones() as f64 / 6500.0 - (1.0 - RATE)).abs() < spread(6500));
    assert_eq!(y.sign(), &x.and(y.nonzero().view()).unwrap());

    let dy = wavy(50, 130, 0.0);
    dropout.receive(&cx, Signal::Grad(dy.clone())).unwrap();
    let expected = (0..6500).map(|at| match y.nonzero().get(at / 130, at % 130) {
        true => dy.values()[at] * SCALE,
        false => 0.0,
    });
    assert_eq!(dropout.send(&cx).unwrap(), Signal::Grad(matrix(50, 130, expected)));
}

#[test]
fn dropout_of_bytes_is_that_of_their_numbers() {
    let bytes =
        Bytes::new(7, 50, (0..350).map(|at| at as u8).collect(), ByteScale::new(127.5, 1.0 / 127.5)).unwrap();
    let real = Value::Real(bytes.to_real());
    let [of_bytes, of_reals] =
        [Value::Bytes(bytes), real].map(|x| Dropout::new(RATE, 6).unwrap().forward(&training(), x).unwrap());
    assert_eq!(of_bytes, of_reals);
}

#[test]
fn dropout_is_the_identity_in_evaluation() {
    let (cx, mut dropout) = (Context::evaluate(&Engine::single()), Dropout::new(0.9, 5).unwrap());
    for x in [Value::Real(wavy(4, 70, 0.0)), Value::Bits(random_bits(1, 0, 4, 70))] {
        assert_eq!(dropout.forward(&cx, x.clone()).unwrap(), x);
    }
}

#[test]
fn dropout_refuses_a_share_outside_its_range() {
    for rate in [-0.1, 1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(Dropout::new(rate, 0), Err(Error::Setting { .. })), "{rate}");
    }
}

// === losses ===

#[test]
fn losses_refuse_labels_that_do_not_fit() {
    let scores = wavy(2, 3, 0.0);
    for loss in [&SquaredHinge::default() as &dyn Loss, &SoftmaxCrossEntropy] {
        assert!(loss.evaluate(scores.clone(), &[0, 2]).is_ok());
        for label in [3, u32::MAX] {
            let error = loss.evaluate(scores.clone(), &[0, label]).unwrap_err();
            assert_eq!(error.to_string(), format!("label: expected less than 3 classes, got {label}"));
        }
        for (rows, labels) in [(2, &[0][..]), (2, &[0, 1, 2]), (2, &[]), (0, &[]), (0, &[0])] {
            let result = loss.evaluate(wavy(rows, 3, 0.0), labels);
            assert!(matches!(result, Err(Error::Shape { .. })), "{rows} rows, {labels:?}: {result:?}");
        }
        assert!(matches!(loss.evaluate(Matrix::zeros(1, 0), &[0]), Err(Error::Setting { .. })));
    }
}

// === layers out of order and out of shape ===

/// Layers from (b, 3) to (b, 3).
fn layers() -> [Box<dyn Layer>; 4] {
    let dense = Dense::new(3, 3, Box::new(latent()), 0).unwrap();
    [
        Box::new(dense),
        Box::new(BatchNorm::new(3)),
        Box::new(Sign::new()),
        Box::new(Dropout::new(0.5, 0).unwrap()),
    ]
}

#[test]
fn layers_refuse_verbs_out_of_order() {
    let (cx, dy) = (training(), || Signal::Grad(wavy(2, 3, 1.0)));
    for mut layer in layers() {
        let name = layer.name();
        let received = layer.receive(&cx, dy());
        assert!(matches!(received, Err(Error::Sequence { .. })), "{name} before forward: {received:?}");
        layer.forward(&cx, Value::Real(wavy(2, 3, 0.0))).unwrap();
        let sent = layer.send(&cx);
        assert!(matches!(sent, Err(Error::Sequence { .. })), "{name} before a signal: {sent:?}");
        layer.receive(&cx, dy()).unwrap();
        layer.forward(&cx, Value::Real(wavy(2, 3, 0.0))).unwrap();
        let sent = layer.send(&cx);
        assert!(matches!(sent, Err(Error::Sequence { .. })), "{name}, the signal is an old one: {sent:?}");
        layer.forward(&Context::evaluate(&cx.engine), Value::Real(wavy(2, 3, 0.0))).unwrap();
        let received = layer.receive(&cx, dy());
        assert!(matches!(received, Err(Error::Sequence { .. })), "{name} after evaluation: {received:?}");
    }
    for mut layer in layers().into_iter().take(2) {
        let name = layer.name();
        let updated = layer.update(&cx, 0.1);
        assert!(matches!(updated, Err(Error::Sequence { .. })), "{name} has nothing to learn: {updated:?}");
    }
}

#[test]
fn layers_refuse_signals_that_do_not_fit() {
    let cx = training();
    for mut layer in layers() {
        let name = layer.name();
        layer.forward(&cx, Value::Real(wavy(2, 3, 0.0))).unwrap();
        for (rows, cols) in [(3, 2), (1, 3), (2, 4), (0, 3)] {
            let received = layer.receive(&cx, Signal::Grad(wavy(rows, cols, 0.0)));
            assert!(matches!(received, Err(Error::Shape { .. })), "{name}, {rows} x {cols}: {received:?}");
        }
        let received = layer.receive(&cx, Signal::Flip(random_bits(0, 0, 2, 3)));
        assert!(matches!(received, Err(Error::Kind { .. })), "{name}: {received:?}");
        layer.receive(&cx, Signal::Grad(wavy(2, 3, 0.0))).unwrap();
    }
}

#[test]
fn layers_refuse_values_that_do_not_fit() {
    let cx = training();
    let [mut dense, mut norm, mut sign, mut dropout] = layers();
    for layer in [&mut dense, &mut norm] {
        let result = layer.forward(&cx, Value::Real(wavy(2, 4, 0.0)));
        assert!(matches!(result, Err(Error::Shape { .. })), "{}: {result:?}", layer.name());
    }
    let bits = || Value::Bits(random_bits(0, 0, 2, 3));
    let dropped = dropout.forward(&cx, bits()).unwrap();
    for (layer, value) in [(&mut norm, bits()), (&mut sign, bits()), (&mut dropout, dropped)] {
        let result = layer.forward(&cx, value);
        assert!(matches!(result, Err(Error::Kind { .. })), "{}: {result:?}", layer.name());
    }
}

// === bytes, and gradients of fewer bits ===

fn real_inputs(dense: &mut Dense, cx: &Context, x: Value) -> (Matrix, Matrix) {
    let y = real(dense.forward(cx, x).unwrap());
    dense.receive(cx, Signal::Grad(wavy(y.rows(), y.cols(), 0.5))).unwrap();
    (y, dense.weight_gradient(cx).unwrap())
}

#[test]
fn bytes_are_the_numbers_that_they_stand_for() {
    let (cx, bytes) = (training(), (0..6 * 100).map(|at| (at * at % 256) as u8).collect::<Vec<_>>());
    let mut dense = Dense::new(100, 7, Box::new(latent()), 3).unwrap();
    let bytes = Bytes::new(6, 100, bytes, ByteScale::new(127.5, 1.0 / 127.5)).unwrap();
    let x = bytes.to_real();
    assert_eq!(x.values()[1], (1.0 - 127.5) * (1.0 / 127.5));
    let (y, dw) = real_inputs(&mut dense, &cx, Value::Bytes(bytes));
    let (expected, expected_dw) = real_inputs(&mut dense, &cx, Value::Real(x.clone()));
    assert_eq!(dw, expected_dw);
    // The sums of bytes are exact, so they err by the last two operations; those of reals by 100 roundings of
    // sums below 100.
    for (at, (y, expected)) in y.values().iter().zip(expected.values()).enumerate() {
        let w = dense.weights().row(at % 7);
        let sign = |i: usize| if w[i / 64] >> (i % 64) & 1 == 1 { 1.0 } else { -1.0 };
        let exact: f64 = (0..100).map(|i| sign(i) * f64::from(x.values()[at / 7 * 100 + i])).sum();
        assert!((f64::from(*y) - exact).abs() <= 2e-7 * exact.abs() + 1e-5, "{y} {exact}");
        assert!((y - expected).abs() <= 1e-4, "{y} {expected}");
    }
    let error = Bytes::new(2, 3, vec![0; 5], ByteScale::new(0.0, 1.0)).unwrap_err();
    assert_eq!(error.to_string(), "bytes: expected 2 x 3 values, got 5");
}

/// 20 rows of 130 bits; of those under dropout a third is silenced.
fn binary_input(dropped: bool) -> Value {
    let bits = random_bits(5, 0, 20, 130);
    if !dropped {
        return Value::Bits(bits);
    }
    let kept = BitTensor::from_fn(20, 130, |r, c| (r + c) % 3 != 0);
    Value::Ternary(Ternary::new(bits.and(kept.view()).unwrap(), kept).unwrap(), 1.5)
}

/// dx and dw of a dense layer, in each of some steps.
fn rounded(precision: Precision, dropped: bool, dy: &Matrix, steps: usize) -> Vec<(Matrix, Matrix)> {
    let cx = training();
    let mut dense = Dense::new(130, dy.cols(), Box::new(latent()), 3).unwrap().with_precision(precision);
    let step = |_| {
        dense.forward(&cx, binary_input(dropped)).unwrap();
        dense.receive(&cx, Signal::Grad(dy.clone())).unwrap();
        let dw = dense.weight_gradient(&cx).unwrap();
        (dense.send(&cx).unwrap().into_grad("test").unwrap(), dw)
    };
    (0..steps).map(step).collect()
}

#[test]
fn gradients_in_bytes_are_right_in_the_mean() {
    const STEPS: usize = 400;
    let dy = wavy(20, 70, 0.0);
    for (dropped, size) in [(false, 1.0f32), (true, 1.5)] {
        let (dx, dw) = rounded(Precision::F32, dropped, &dy, 1).remove(0);
        let steps = rounded(Precision::Int8, dropped, &dy, STEPS);
        let anew = |pair: &[(Matrix, Matrix)]| pair[0].0 != pair[1].0 && pair[0].1 != pair[1].1;
        assert!(steps.windows(2).all(anew), "each step rounds anew");
        // A rounding errs by less than a scale, at most 1/127, with a variance of at most a quarter of its
        // square.
        for (what, terms, size, exact, each) in [
            ("dx", 70.0f32, 1.0, &dx, steps.iter().map(|step| &step.0).collect::<Vec<_>>()),
            ("dw", 20.0, size, &dw, steps.iter().map(|step| &step.1).collect()),
        ] {
            let deviation = size * (terms / 4.0).sqrt() / 127.0;
            for (at, exact) in exact.values().iter().enumerate() {
                let errors: Vec<f32> = each.iter().map(|step| step.values()[at] - exact).collect();
                assert!(errors.iter().all(|error| error.abs() <= size * terms / 127.0), "{what}[{at}]");
                let mean = errors.iter().sum::<f32>() / STEPS as f32;
                assert!(mean.abs() <= 6.0 * deviation / (STEPS as f32).sqrt(), "{what}[{at}]: {mean}");
            }
        }
    }
}

#[test]
fn gradients_in_bf16_err_by_their_last_digit() {
    let dy = wavy(20, 70, 0.0);
    for dropped in [false, true] {
        let (dx, dw) = rounded(Precision::F32, dropped, &dy, 1).remove(0);
        let steps = rounded(Precision::Bf16, dropped, &dy, 2);
        assert_eq!(steps[0], steps[1], "nothing is at random");
        let (near_dx, near_dw) = &steps[0];
        assert!(*near_dx != dx && (*near_dw == dw) == dropped, "where inputs are dropped nothing is rounded");
        // each of the sums of four, that are below 4, errs by a 512th of it at most
        for (what, terms, exact, near) in [("dx", 70.0f32, &dx, near_dx), ("dw", 20.0, &dw, near_dw)] {
            for (exact, near) in exact.values().iter().zip(near.values()) {
                assert!((exact - near).abs() <= terms / 512.0, "{what}: {exact} {near}");
            }
        }
    }
}

// === the whole ===

/// Losses of ten steps and the latent weights after them.
fn run(seed: u64, engine: &Engine, gradient: Precision) -> (Vec<f64>, Vec<f32>) {
    let (cx, dropout) = (Context::train(engine), DropoutShares { input: 0.2, hidden: 0.5 });
    let options = StraightThroughOptions { dropout, gradient, ..Default::default() };
    let mut net = Network::straight_through(6, &[600, 70, 9], 3, &options, seed).unwrap();
    let labels: Vec<u32> = (0..16).map(|row| row % 3).collect();
    let step = |step: usize| {
        let x = Value::Real(wavy(16, 6, step as f32));
        let judge = |scores: Value| {
            let (loss, gradient) = SquaredHinge::default().evaluate(scores.into_real("test")?, &labels)?;
            Ok((loss, Signal::Grad(gradient)))
        };
        net.step(&cx, x, Order::Parallel, 3e-3, judge).unwrap()
    };
    let losses = (0..10).map(step).collect();
    let dense = net.layers().iter().filter_map(|layer| layer.downcast_ref::<Dense>());
    let latents = dense.flat_map(|dense| dense.rule().downcast_ref::<Latent>().unwrap().latent().to_vec());
    (losses, latents.collect())
}

#[test]
fn same_seed_same_run_on_any_engine() {
    for gradient in [Precision::F32, Precision::Bf16, Precision::Int8] {
        let expected = run(7, &Engine::single(), gradient);
        assert_eq!(expected.1.len(), 6 * 600 + 600 * 70 + 70 * 9 + 9 * 3);
        assert_eq!(run(7, &Engine::single(), gradient), expected);
        for isa in Isa::available() {
            let engine = Engine::new(3).unwrap().with_isa(isa);
            assert!(run(7, &engine, gradient) == expected, "{gradient:?} on {}", isa.name());
        }
        let other = run(8, &Engine::single(), gradient);
        assert!(other.0 != expected.0 && other.1 != expected.1);
    }
}
