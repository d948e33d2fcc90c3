//! What holds for the element-wise layers of straight-through training besides their numbers: where the gate
//! looks, what is random and what is not, what a checkpoint holds, what is deployed, and what is refused.

use onebit_bits::{Engine, Isa, random_bits};
use onebit_model::Model;
use onebit_train::{
    Error, Matrix, Network, Signal, Value,
    data::{Dataset, Samples, Standardize},
    layer::{Context, Layer},
    layers::{
        ChannelScale, Dense, Estimator, HardTanh, RPReLU, RPReLUParameters, RSign, Relu, ShiftBatchNorm,
        Sign, StandardizeSample, StochasticSign, TernarySign,
    },
    optimizers::Adam,
    rules::Latent,
    step::Order,
};
use serde::Deserialize;

use crate::common::{matrix, memory::Memory, signs, training};

/// Numbers between -2 and 2.
fn noise(rows: usize, cols: usize, stream: u64) -> Matrix {
    let words = random_bits(5, stream, rows * cols, 64).into_words();
    matrix(rows, cols, words.into_iter().map(|word| (word >> 40) as f32 / 4194304.0 - 2.0))
}

fn grad(layer: &mut dyn Layer, cx: &Context) -> Matrix {
    layer.send(cx).unwrap().into_grad("test").unwrap()
}

/// One of each, over 5 features.
fn layers() -> Vec<Box<dyn Layer>> {
    layers_over(5)
}

fn layers_over(features: usize) -> Vec<Box<dyn Layer>> {
    let start = |stream| noise(1, features, stream).into_values();
    let parameters = RPReLUParameters { before: start(1), slope: start(2), after: start(3) };
    vec![
        Box::new(Sign::with_estimator(Estimator::Tanh).unwrap()),
        Box::new(StochasticSign::new(3)),
        Box::new(TernarySign::new(0.05).unwrap()),
        Box::new(RSign::with_shift(start(4))),
        Box::new(RPReLU::with_parameters(parameters).unwrap()),
        Box::new(ChannelScale::new(start(5)).unwrap()),
        Box::new(ShiftBatchNorm::with_affine(start(6), start(7))),
        Box::new(HardTanh::new()),
        Box::new(Relu::new()),
        Box::new(StandardizeSample::new(2).unwrap()),
    ]
}

// === the gate ===

#[test]
fn the_gate_looks_at_the_input_of_the_sign() {
    let (cx, mut sign) = (training(), Sign::new());
    sign.forward(&cx, Value::Real(matrix(1, 7, [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0]))).unwrap();
    sign.receive(&cx, Signal::Grad(matrix(1, 7, [5.0; 7]))).unwrap();
    // a gate on the gradient would give 0 everywhere
    assert_eq!(grad(&mut sign, &cx).values(), [0.0, 5.0, 5.0, 5.0, 5.0, 5.0, 0.0]);
    sign.receive(&cx, Signal::Grad(matrix(1, 7, [0.5; 7]))).unwrap();
    // and 0.5 everywhere
    assert_eq!(grad(&mut sign, &cx).values(), [0.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.0]);
}

#[derive(Debug, Deserialize, serde::Serialize, PartialEq)]
struct Holder {
    estimator: Estimator,
}

fn from_text(text: &str) -> Result<Estimator, String> {
    let holder: Result<Holder, _> = toml::from_str(&format!("estimator = {text}"));
    holder.map(|holder| holder.estimator).map_err(|error| error.message().to_owned())
}

#[test]
fn estimators_in_a_text() {
    for (text, expected) in [
        ("\"clip\"", Estimator::Clip { bound: 1.0 }),
        ("{ name = \"clip\", bound = 1.25 }", Estimator::Clip { bound: 1.25 }),
        ("\"approx-sign\"", Estimator::ApproxSign),
        ("\"swish-sign\"", Estimator::SwishSign { beta: 5.0 }),
        ("{ name = \"swish-sign\", beta = 2.5 }", Estimator::SwishSign { beta: 2.5 }),
        ("\"identity\"", Estimator::Identity),
        ("\"training-aware\"", Estimator::TrainingAware),
        ("\"tanh\"", Estimator::Tanh),
    ] {
        assert_eq!(from_text(text).as_ref(), Ok(&expected));
        let written = toml::to_string(&Holder { estimator: expected }).unwrap();
        assert_eq!(toml::from_str(&written), Ok(Holder { estimator: expected }), "{written}");
    }
    let names = "clip, approx-sign, swish-sign, identity, training-aware, tanh";
    let foreign =
        "estimator settings: expected bound for clip and beta for swish-sign alone, got another for";
    for (text, expected) in [
        ("\"Clip\"", format!("estimator: expected one of {names}, got \"Clip\"")),
        ("{ name = \"tanh\", beta = 1.0 }", format!("{foreign} \"tanh\"")),
        ("{ name = \"clip\", beta = 1.0 }", format!("{foreign} \"clip\"")),
        ("{ name = \"clip\", bound = 0.0 }", "estimator bound: expected a positive number, got 0".into()),
        ("7", "expected the name of an estimator, or { name, bound } or { name, beta }".into()),
    ] {
        assert_eq!(from_text(text), Err(expected));
    }
}

// === what is random ===

#[test]
fn a_stochastic_sign_follows_its_probability() {
    let (cx, rows, cols) = (training(), 500, 100);
    for (r, p) in
        [(-3.0, 0.0), (-1.0, 0.0), (-0.5, 0.25), (0.0, 0.5), (0.9, 0.95), (1.0, 1.0), (f32::INFINITY, 1.0)]
    {
        let y = StochasticSign::new(1)
            .forward(&cx, Value::Real(matrix(rows, cols, vec![r; rows * cols])))
            .unwrap();
        let share = y.into_bits("test").unwrap().count_ones() as f64 / (rows * cols) as f64;
        // five standard deviations; none at the ends
        assert!((share - p).abs() <= 5.0 * (p * (1.0 - p) / (rows * cols) as f64).sqrt(), "{r}: {share}");
    }
}

#[test]
fn a_stochastic_sign_is_new_in_every_step_and_still_in_evaluation() {
    let (cx, values) = (training(), matrix(20, 70, (0..1400).map(|at| at as f32 / 700.0 - 1.0)));
    let (r, plain) = (Value::Real(values.clone()), Value::Bits(signs(&values)));
    let mut sign = StochasticSign::new(1);
    let [first, second] = [(); 2].map(|()| sign.forward(&cx, r.clone()).unwrap());
    assert_ne!(first, second);
    assert_eq!(first, StochasticSign::new(1).forward(&cx, r.clone()).unwrap());
    assert_ne!(first, StochasticSign::new(2).forward(&cx, r.clone()).unwrap());
    assert_eq!(sign.forward(&cx.evaluating(), r).unwrap(), plain);
}

// === sums, threads and instruction sets ===

/// Output, signal back, and what has been learned.
fn learned(layer: &mut dyn Layer, engine: &Engine, rows: usize, cols: usize) -> (Value, Matrix, Value) {
    let cx = Context::train(engine);
    let y = layer.forward(&cx, Value::Real(noise(rows, cols, 8))).unwrap();
    layer.receive(&cx, Signal::Grad(noise(rows, cols, 9))).unwrap();
    layer.update(&cx, 0.01).unwrap();
    let dx = grad(layer, &cx);
    (y, dx, layer.forward(&cx.evaluating(), Value::Real(noise(rows, cols, 10))).unwrap())
}

#[test]
fn threads_and_instruction_sets_change_nothing() {
    let (rows, cols) = (1000, 65); // several parts and chunks
    let count = layers_over(cols).len();
    for index in 0..count {
        let of = |engine: &Engine| learned(&mut *layers_over(cols)[index], engine, rows, cols);
        let expected = of(&Engine::single().with_isa(Isa::PORTABLE));
        for threads in [1, 2] {
            for isa in Isa::available() {
                let engine = Engine::new(threads).unwrap().with_isa(isa);
                let name = layers_over(cols)[index].name();
                assert!(of(&engine) == expected, "{name} on {threads} threads, {}", isa.name());
            }
        }
    }
}

// === checkpoints ===

#[test]
fn state_holds_all_that_the_next_step_depends_on() {
    let (cx, count) = (training(), layers().len());
    let step = |layer: &mut dyn Layer, stream: u64| {
        layer.forward(&cx, Value::Real(noise(8, 5, stream))).unwrap();
        layer.receive(&cx, Signal::Grad(noise(8, 5, stream + 100))).unwrap();
        layer.update(&cx, 0.05).unwrap();
    };
    for index in 0..count {
        let (mut first, mut memory) = (layers().swap_remove(index), Memory::default());
        (0..3).for_each(|stream| step(&mut *first, stream));
        memory.save(|state| first.state(state));
        let mut second = layers().swap_remove(index);
        memory.restore(|state| second.state(state));
        assert_eq!(first.observe(), second.observe(), "{}", first.name());
        for layer in [&mut first, &mut second] {
            (3..6).for_each(|stream| step(&mut **layer, stream));
        }
        for cx in [cx.clone(), cx.evaluating()] {
            let x = Value::Real(noise(8, 5, 50));
            assert_eq!(
                first.forward(&cx, x.clone()).unwrap(),
                second.forward(&cx, x).unwrap(),
                "{}",
                first.name()
            );
        }
        assert_eq!(first.observe(), second.observe(), "{}", first.name());
    }
}

// === edges ===

#[test]
fn channels_and_samples_without_spread() {
    let cx = training();
    let mut norm = ShiftBatchNorm::with_affine(vec![0.0, 1.0], vec![0.5, -0.5]);
    let y = norm.forward(&cx, Value::Real(matrix(3, 2, [7.0; 6]))).unwrap().into_real("test").unwrap();
    assert_eq!(y.values(), [0.5, -0.5, 0.5, -0.5, 0.5, -0.5]);
    norm.receive(&cx, Signal::Grad(noise(3, 2, 1))).unwrap();
    assert!(grad(&mut norm, &cx).values().iter().all(|dx| dx.is_finite()));

    for pixels in [1, 3] {
        let mut layer = StandardizeSample::new(pixels).unwrap();
        let y = layer.forward(&cx, Value::Real(matrix(3, 1, [7.0; 3]))).unwrap();
        assert_eq!(y, Value::Real(Matrix::zeros(3, 1)));
        layer.receive(&cx, Signal::Grad(noise(3, 1, 1))).unwrap();
        assert_eq!(grad(&mut layer, &cx), Matrix::zeros(3, 1));
    }
    for mut layer in layers() {
        if layer.name() != "shift_batch_norm" {
            let y = layer.forward(&cx, Value::Real(Matrix::zeros(0, 5))).unwrap();
            assert_eq!((y.rows(), y.cols()), (0, 5), "{}", layer.name());
        }
    }
}

#[test]
fn not_a_number_does_not_pass_for_one() {
    let cx = training();
    for mut layer in
        [Box::new(HardTanh::new()) as Box<dyn Layer>, Box::new(Relu::new()), Box::new(RPReLU::new(1))]
    {
        let y = layer.forward(&cx, Value::Real(matrix(1, 1, [f32::NAN]))).unwrap();
        assert!(y.into_real("test").unwrap().values()[0].is_nan(), "{}", layer.name());
    }
}

#[test]
fn verbs_out_of_order_and_wrong_operands() {
    let cx = training();
    for mut layer in layers() {
        let name = layer.name();
        let error = layer.receive(&cx, Signal::Grad(noise(2, 5, 0))).unwrap_err();
        assert_eq!(error.to_string(), format!("{name}: receive needs a forward pass before it"));
        let error = layer.send(&cx).unwrap_err();
        assert_eq!(error.to_string(), format!("{name}: send needs a signal before it"));
        let learns = layer.parameters().reals > 0;
        if learns {
            let error = layer.update(&cx, 0.1).unwrap_err();
            assert_eq!(error.to_string(), format!("{name}: update needs a signal before it"));
            let error = layer.forward(&cx, Value::Real(noise(2, 4, 0))).unwrap_err();
            assert_eq!(error.to_string(), format!("{name}: expected 5 columns, got 4"));
        }
        let bits = Value::Bits(random_bits(1, 0, 2, 5));
        assert_eq!(
            layer.forward(&cx, bits).unwrap_err().to_string(),
            format!("{name} takes real numbers, got bits")
        );
        layer.forward(&cx, Value::Real(noise(2, 5, 0))).unwrap();
        let error = layer.receive(&cx, Signal::Grad(noise(2, 4, 0))).unwrap_err();
        assert_eq!(error.to_string(), format!("{name}: expected a gradient of 2 x 5, got 2 x 4"));
        let flips = Signal::Flip(random_bits(1, 0, 2, 5));
        assert_eq!(
            layer.receive(&cx, flips).unwrap_err().to_string(),
            format!("{name} takes a gradient, got flips")
        );

        // what an earlier batch has asked for is not learned in a later one
        layer.receive(&cx, Signal::Grad(noise(2, 5, 0))).unwrap();
        layer.forward(&cx, Value::Real(noise(2, 5, 0))).unwrap();
        assert!(layer.send(&cx).is_err() && (!learns || layer.update(&cx, 0.1).is_err()), "{name}");
    }
}

#[test]
fn settings_out_of_range() {
    let message = |error: Option<Error>| error.map(|error| error.to_string()).unwrap_or_default();
    for bound in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let clip = message(Sign::with_estimator(Estimator::Clip { bound }).err());
        assert_eq!(clip, format!("estimator bound: expected a positive number, got {bound}"));
        let swish = message(RSign::new(2).with_estimator(Estimator::SwishSign { beta: bound }).err());
        assert_eq!(swish, format!("estimator beta: expected a positive number, got {bound}"));
        let ternary = message(TernarySign::new(bound).err());
        assert_eq!(ternary, format!("ternary_sign threshold: expected a positive number, got {bound}"));
    }
    let scale = message(ChannelScale::new(vec![1.0, f32::NAN]).err());
    assert_eq!(scale, "channel_scale: expected finite factors, got NaN");
    let pixels = message(StandardizeSample::new(0).err());
    assert_eq!(pixels, "standardize_sample pixels: expected at least 1, got 0");
    let uneven =
        message(StandardizeSample::new(2).unwrap().forward(&training(), Value::Real(noise(3, 5, 0))).err());
    assert_eq!(uneven, "standardize_sample: expected samples of 2 rows, got 3 rows");
    let (before, slope, after) = (vec![0.0; 2], vec![0.0; 3], vec![0.0; 2]);
    let unlike = message(RPReLU::with_parameters(RPReLUParameters { before, slope, after }).err());
    assert_eq!(unlike, "rprelu slope: expected 2 columns, got 3");
}

// === deployment ===

fn dense(inputs: usize, outputs: usize) -> Dense {
    Dense::new(inputs, outputs, Box::new(Latent::new(Adam::new())), inputs as u64).unwrap()
}

fn data(rows: usize) -> (Dataset, Standardize) {
    let samples = Samples::Real { cols: 4, values: noise(rows, 4, 20).into_values() };
    let labels = (0..rows as u32).map(|row| row % 2).collect();
    let data = Dataset::new(samples, labels, ["a", "b"].map(String::from).to_vec(), vec![]).unwrap();
    (data, Standardize::uniform(0.0, 1.0, 4))
}

/// Thresholds, factors and rounded norms on a real first layer and on bits, negative ones too; whatever is
/// learned.
#[test]
fn what_is_deployed_gives_the_bits_of_what_was_trained() {
    let (rows, units) = (60, 33);
    let (data, standardize) = data(rows);
    let start = |stream: u64, cols| noise(1, cols, stream).into_values();
    let hidden = |net: Network, inputs: usize, stream: u64| {
        net.with(dense(inputs, units))
            .with(ChannelScale::new(start(stream, units)).unwrap())
            .with(ShiftBatchNorm::with_affine(start(stream + 1, units), start(stream + 2, units)))
            .with(RSign::with_shift(start(stream + 3, units)))
    };
    let net = hidden(hidden(Network::new(4), 4, 30), units, 40).with(dense(units, units));
    let net =
        net.with(StochasticSign::new(1)).with(dense(units, units)).with(RSign::with_shift(start(50, units)));
    let mut net = net.with(dense(units, 2)).with(ShiftBatchNorm::with_affine(start(61, 2), start(62, 2)));
    let (cx, x) = (training(), Value::Real(noise(rows, 4, 20)));
    for _ in 0..5 {
        net.step(&cx, x.clone(), Order::Parallel, 0.05, |y| {
            let y = y.into_real("test")?;
            Ok(((), Signal::Grad(y)))
        })
        .unwrap();
    }
    let trained = net.forward(&cx.evaluating(), x).unwrap().into_real("test").unwrap();
    let model: Model = net.export(&data, &standardize).unwrap();
    let deployed = model.scores(&Engine::single(), noise(rows, 4, 20).values()).unwrap();
    assert_eq!(deployed, trained.values());
}

#[test]
fn factors_of_the_scores_are_deployed() {
    let (data, standardize) = data(10);
    let mut net = Network::new(4).with(dense(4, 2)).with(ChannelScale::new(vec![-0.3, 1.7]).unwrap());
    let x = Value::Real(noise(10, 4, 20));
    let trained = net.forward(&training().evaluating(), x).unwrap().into_real("test").unwrap();
    let model = net.export(&data, &standardize).unwrap();
    let deployed = model.scores(&Engine::single(), noise(10, 4, 20).values()).unwrap();
    assert_eq!(deployed, trained.values());
}

#[test]
fn what_cannot_be_deployed_says_why() {
    let (data, standardize) = data(2);
    let refusal = |net: Network| net.export(&data, &standardize).unwrap_err().to_string();
    let net = || Network::new(4).with(dense(4, 2));
    let seasoned = || {
        let mut norm = ShiftBatchNorm::new(2);
        norm.forward(&training(), Value::Real(noise(2, 2, 0))).unwrap();
        norm
    };
    let factors = |count| ChannelScale::new(vec![2.0; count]).unwrap();
    let twice = "scores are scaled more than once, the runtime does so once";
    let unlike = "it does not have a number for each unit of the previous product";
    for (index, net, name, reason) in [
        (1, net().with(ShiftBatchNorm::new(2)), "shift_batch_norm", "it has not been trained"),
        (
            1,
            net().with(TernarySign::new(0.05).unwrap()).with(dense(2, 2)),
            "ternary_sign",
            "the runtime's activations have two values, not three",
        ),
        (1, net().with(RPReLU::new(2)), "rprelu", "the runtime has no real activations"),
        (1, net().with(HardTanh::new()), "hard_tanh", "the runtime has no real activations"),
        (1, net().with(Relu::new()), "relu", "the runtime has no real activations"),
        (
            1,
            net().with(StandardizeSample::new(1).unwrap()),
            "standardize_sample",
            "its thresholds differ from sample to sample",
        ),
        (2, net().with(factors(2)).with(factors(2)), "channel_scale", twice),
        (2, net().with(seasoned()).with(factors(2)), "channel_scale", twice),
        (1, net().with(factors(3)), "channel_scale", unlike),
        (2, net().with(factors(2)).with(seasoned()), "shift_batch_norm", twice),
        (1, net().with(RSign::new(3)).with(dense(2, 2)), "rsign", unlike),
        (
            0,
            Network::new(4).with(RSign::new(4)).with(dense(4, 2)),
            "rsign",
            "the runtime has it only after a product with binary weights",
        ),
    ] {
        assert_eq!(refusal(net), format!("layer {index} ({name}) cannot be exported: {reason}"));
    }
}
