//! Thermometer encoding: what the layer gives, and the networks that begin with one, from training to the
//! file.

use onebit_bits::{BitTensor, Engine, Isa, random_bits};
use onebit_model::Model;
use onebit_train::{
    Batch, ByteScale, Bytes, DropoutShares, Error, FlipOptions, Matrix, Network, Phase, Precision, Signal,
    Split, StraightThroughOptions, Trainer, Training, Value,
    config::{self, Config, preset},
    data::{Dataset, ImageShape, Samples, quantiles},
    experiment,
    layer::{Context, Layer},
    layers::Thermometer,
};
use proptest::{prelude::*, sample::select};

use crate::common::{matrix, training};

/// Bytes as random as they can be, and half of them few.
fn bytes(seed: u64, n: usize) -> Vec<u8> {
    let words = random_bits(seed, 0, n, 64).into_words();
    words.into_iter().map(|word| (word >> 8) as u8 & if word & 1 == 0 { 0xf0 } else { 0xff }).collect()
}

/// A table that rises, around the numbers that bytes stand for.
fn table(seed: u64, levels: usize, features: usize) -> Matrix {
    let of_feature = |x: usize| {
        let mut column: Vec<f32> =
            bytes(seed ^ x as u64, levels).iter().map(|&byte| f32::from(byte) / 120.0 - 1.05).collect();
        column.sort_by(f32::total_cmp);
        column
    };
    let columns: Vec<Vec<f32>> = (0..features).map(of_feature).collect();
    matrix(levels, features, (0..levels).flat_map(|k| columns.iter().map(move |column| column[k])))
}

fn bits_of(layer: &mut Thermometer, cx: &Context, x: impl Into<Value>) -> BitTensor {
    layer.forward(cx, x.into()).unwrap().into_bits("test").unwrap()
}

// === the layer ===

proptest! {
    #[test]
    fn bits_are_comparisons_level_by_level_and_fall_from_level_to_level(
        (rows, features) in (0..20usize, select(vec![1, 2, 3, 31, 64, 65, 130])),
        levels in select(vec![1, 2, 3, 8, 64, 255]),
        (mean, scale) in select(vec![(127.5, 1.0 / 127.5), (0.0, 0.01), (30.0, -0.5), (3.0, 0.0), (0.0, 1e-30)]),
        seed: u64,
    ) {
        let thresholds = table(seed, levels, features);
        let raw = bytes(!seed, rows * features);
        let x = Bytes::new(rows, features, raw, ByteScale::new(mean, scale)).unwrap();
        let real = x.to_real();
        let expected = BitTensor::from_fn(rows, levels * features, |r, column| {
            let (k, c) = (column / features, column % features);
            real.values()[r * features + c] > thresholds.values()[k * features + c]
        });
        let mut layer = Thermometer::new(thresholds).unwrap();
        for threads in [1, 2] {
            for isa in Isa::available() {
                let cx = Context::evaluate(&Engine::new(threads).unwrap().with_isa(isa));
                prop_assert_eq!(&bits_of(&mut layer, &cx, real.clone()), &expected);
                prop_assert_eq!(&bits_of(&mut layer, &cx, x.clone()), &expected);
            }
        }
        for r in 0..rows {
            for column in features..levels * features {
                prop_assert!(!expected.get(r, column) || expected.get(r, column - features));
            }
        }
    }

    /// Every quantile of data separates some of them, unless they are all the same.
    #[test]
    fn fitted_thresholds_separate(rows in 1..60usize, features in 1..5usize, levels in 1..9usize, seed: u64) {
        let mut values = bytes(seed, rows * features);
        values.iter_mut().step_by(features).for_each(|byte| *byte = 9); // feature 0 says nothing
        let data = dataset(Samples::Bytes { cols: features, values: values.clone() }, rows);
        let parts = Split::new(data, None, None);
        let thresholds = quantiles(&parts.train, &parts.standardize, levels);
        let layer = Thermometer::new(matrix(levels, features, thresholds));
        let x = Bytes::new(rows, features, values.clone(), ByteScale::new(127.5, 1.0 / 127.5)).unwrap();
        let bits = bits_of(&mut layer.unwrap(), &training(), x);
        for column in 0..levels * features {
            let ones = (0..rows).filter(|r| bits.get(*r, column)).count();
            let of_feature = || values.iter().skip(column % features).step_by(features);
            let constant = of_feature().all(|byte| Some(byte) == of_feature().next());
            prop_assert!(if constant { ones == 0 } else { (1..rows).contains(&ones) }, "{} of {}", ones, rows);
        }
    }
}

#[test]
fn other_bytes_get_thresholds_of_their_own() {
    let mut layer = Thermometer::new(matrix(1, 2, [0.0, 0.5])).unwrap();
    let mut of = |mean, scale| {
        let x = Bytes::new(2, 2, vec![100, 100, 200, 200], ByteScale::new(mean, scale)).unwrap();
        let bits = bits_of(&mut layer, &training(), x);
        [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(r, c)| bits.get(r, c))
    };
    assert_eq!(of(127.5, 1.0 / 127.5), [false, false, true, true]);
    assert_eq!(of(0.0, 1.0 / 255.0), [true, false, true, true]);
    assert_eq!(of(127.5, 1.0 / 255.0), [false, false, true, false]);
}

#[test]
fn the_way_back_ends_in_zeros() {
    let (cx, mut layer) = (training(), Thermometer::new(matrix(2, 3, [0.0; 6])).unwrap());
    let message = |result: Result<Signal, Error>| result.unwrap_err().to_string();
    let grad = |rows, cols| Signal::Grad(Matrix::zeros(rows, cols));
    let too_early = layer.receive(&cx, grad(1, 6)).unwrap_err().to_string();
    assert_eq!(too_early, "thermometer: receive needs a forward pass before it");
    bits_of(&mut layer, &cx, matrix(4, 3, (0..12).map(|at| at as f32 - 5.5)));
    assert_eq!(layer.observe().mean_of_bits, Some(0.5));
    assert_eq!(message(layer.send(&cx)), "thermometer: send needs a signal before it");
    let wrong = layer.receive(&cx, grad(4, 3)).unwrap_err().to_string();
    assert_eq!(wrong, "thermometer: expected a signal of 4 x 6, got 4 x 3");
    for signal in [Signal::Grad(matrix(4, 6, [1.0; 24])), Signal::Flip(BitTensor::zeros(4, 6))] {
        layer.receive(&cx, signal).unwrap();
        assert_eq!(layer.send(&cx).unwrap(), grad(4, 3));
        assert_eq!(message(layer.send(&cx)), "thermometer: send needs a signal before it");
    }
    bits_of(&mut layer, &cx.evaluating(), Matrix::zeros(1, 3));
    assert!(layer.receive(&cx, grad(1, 6)).is_err());
    assert_eq!(layer.observe().mean_of_bits, None);
}

#[test]
fn what_it_refuses() {
    let new = |rows, cols, values: &[f32]| {
        Thermometer::new(matrix(rows, cols, values.iter().copied())).err().map(|error| error.to_string())
    };
    assert_eq!(new(2, 2, &[0.0, -1.0, 0.0, 5.0]), None);
    for (refused, message) in [
        (new(0, 2, &[]), "thermometer: expected 1 to 255 levels, got 0"),
        (new(256, 1, &[0.0; 256]), "thermometer: expected 1 to 255 levels, got 256"),
        (new(2, 0, &[]), "thermometer features: expected at least 1, got 0"),
        (new(1, 2, &[0.0, f32::NAN]), "thermometer threshold: expected a finite number, got NaN"),
        (
            new(2, 2, &[0.0, 1.0, 0.0, 0.5]),
            "thermometer threshold: expected at least 1, the previous level, got 0.5",
        ),
    ] {
        assert_eq!(refused.as_deref(), Some(message));
    }
    let mut layer = Thermometer::new(matrix(1, 2, [0.0; 2])).unwrap();
    let mut refused = |x: Value| layer.forward(&training(), x).unwrap_err().to_string();
    assert_eq!(refused(Matrix::zeros(1, 3).into()), "thermometer: expected 2 columns, got 3");
    assert_eq!(refused(BitTensor::zeros(1, 2).into()), "thermometer takes real numbers, got bits");
}

// === networks ===

const IMAGE: ImageShape = ImageShape { height: 5, width: 6, channels: 2 };

fn dataset(samples: Samples, rows: usize) -> Dataset {
    let labels = (0..rows).map(|row| (row % 3) as u32).collect();
    Dataset::new(samples, labels, ["a", "b", "c"].map(String::from).to_vec(), vec![]).unwrap()
}

/// Images, as bytes or as reals that are standardized one by one.
fn images(rows: usize, as_bytes: bool) -> Split {
    let cols = IMAGE.features().unwrap();
    let values = bytes(7, rows * cols);
    let samples = if as_bytes {
        Samples::Bytes { cols, values }
    } else {
        Samples::Real { cols, values: values.iter().map(|&byte| f32::from(byte) / 50.0).collect() }
    };
    Split::new(dataset(samples, rows).with_image(IMAGE).unwrap(), None, None)
}

fn options(thermometer: Matrix, stages: &str) -> StraightThroughOptions {
    StraightThroughOptions {
        convolutions: stages.parse().unwrap(),
        image: Some(IMAGE),
        thermometer: Some(thermometer),
        ..StraightThroughOptions::default()
    }
}

/// The model of a file gives the scores of the trained network, bit for bit.
fn assert_deployed(net: &mut Network, parts: &Split, model: &Model) {
    let rows: Vec<usize> = (0..parts.train.len()).collect();
    let raw = parts.train.gather(&rows);
    let mut x = raw.clone();
    parts.standardize.apply(&mut x);
    let x = Matrix::new(rows.len(), parts.train.features(), x).unwrap();
    let engine = Engine::single();
    let trained = net.forward(&Context::evaluate(&engine), x.into()).unwrap().into_real("test").unwrap();
    let read = Model::from_bytes(&model.to_bytes()).unwrap();
    assert_eq!(&read, model);
    let bits = |scores: &[f32]| scores.iter().map(|score| score.to_bits()).collect::<Vec<_>>();
    for isa in Isa::available() {
        let scores = read.scores(&engine.clone().with_isa(isa), &raw).unwrap();
        assert_eq!(bits(&scores), bits(trained.values()), "on {}", isa.name());
    }
    assert!(trained.values().iter().any(|score| *score != trained.values()[0]));
}

/// Dense and with convolutions, over bytes and over reals, from training to the file.
#[test]
fn a_deployed_network_gives_the_bits_of_the_trained_one() {
    let trainer = Trainer::straight_through(vec![Phase::new(3, Batch::Size(7), 0.01)], 0);
    for (as_bytes, levels, stages) in [
        (true, 1, ""),
        (false, 3, ""),
        (true, 8, ""),
        (true, 3, "5C3-MP2/1-9C2"),
        (false, 4, "70C3/2-4C2"),
        (true, 40, "8C1"),
    ] {
        let parts = images(40, as_bytes);
        let per_channel = matrix(levels, 2, quantiles(&parts.train, &parts.standardize, levels));
        let options = options(per_channel, stages);
        let mut net = Network::straight_through(60, &[12], 3, &options, 5).unwrap();
        let outcome = Training::new(&trainer, &mut net, &parts).run().unwrap();
        let model = outcome.model.unwrap();
        assert_eq!(model.layers()[0].name(), "thermometer");
        assert_deployed(&mut net, &parts, &model);
    }
    // thresholds of each feature, and dropout of their bits
    let parts = images(40, true);
    let dropout = DropoutShares { input: 0.2, hidden: 0.2 };
    let options = StraightThroughOptions { dropout, ..options(table(3, 2, 60), "") };
    let mut net = Network::straight_through(60, &[12], 3, &options, 5).unwrap();
    let outcome = Training::new(&trainer, &mut net, &parts).run().unwrap();
    assert_deployed(&mut net, &parts, &outcome.model.unwrap());
}

/// Dense layers see the bits of the features level by level, whether thresholds come by feature or by
/// channel.
#[test]
fn thresholds_of_channels_are_those_of_every_pixel() {
    let first = |thresholds: Matrix| {
        let net = Network::straight_through(60, &[], 3, &options(thresholds, ""), 5).unwrap();
        net.layers()[0].downcast_ref::<Thermometer>().unwrap().thresholds().clone()
    };
    let per_channel = matrix(2, 2, [-0.5, 0.25, 0.5, 0.75]);
    let per_feature = matrix(2, 60, (0..120).map(|at| per_channel.values()[at / 60 * 2 + at % 2]));
    assert_eq!(first(per_channel), per_feature);
    assert_eq!(first(per_feature.clone()), per_feature);
}

#[test]
fn networks_that_cannot_be() {
    let with = |options: StraightThroughOptions| {
        Network::straight_through(60, &[4], 3, &options, 5).err().map(|error| error.to_string())
    };
    let fits = || options(table(1, 2, 2), "4C3");
    let dropout = DropoutShares { input: 0.1, hidden: 0.0 };
    assert_eq!(with(fits()), None);
    for (options, message) in [
        (
            StraightThroughOptions { binary_input: true, ..fits() },
            "network.thermometer: expected no thermometer together with network.binary_input, got thresholds",
        ),
        (
            StraightThroughOptions { dropout, ..fits() },
            "network.dropout_input: expected 0 with a thermometer before convolutions, got 0.1",
        ),
        (
            options(table(1, 2, 60), "4C3"),
            "network.thermometer: expected thresholds of 2 features, got of 60",
        ),
        (options(table(1, 2, 3), ""), "network.thermometer: expected thresholds of 60 features, got of 3"),
        (options(Matrix::zeros(0, 2), "4C3"), "thermometer: expected 1 to 255 levels, got 0"),
    ] {
        assert_eq!(with(options).as_deref(), Some(message));
    }
}

// === runs ===

/// A short run of digits, with other settings.
fn digits(settings: &[&str]) -> Result<Config, Error> {
    let mut all = vec!["network.hidden=[20]".to_string(), "phase.0.epochs=2".into()];
    all.extend(settings.iter().map(|setting| setting.to_string()));
    let text = preset("digits").unwrap().to_toml();
    onebit_train::config::parse("digits", &text, &all)
}

#[test]
fn a_configuration_asks_for_levels() {
    for (setting, message) in [
        ("network.thermometer=0", "network.thermometer: expected 1 to 255 levels, got 0"),
        ("network.thermometer=256", "network.thermometer: expected 1 to 255 levels, got 256"),
        ("network.thermometer=-1", "invalid value: integer `-1`"),
    ] {
        let refused = digits(&[setting]).unwrap_err().to_string();
        assert!(refused.contains(message), "{refused}");
    }
    let both = digits(&["network.thermometer=3", "network.binary_input=true"]).unwrap_err().to_string();
    assert!(
        both.contains(
            "network.thermometer: expected no thermometer together with network.binary_input, got 3"
        ),
        "{both}"
    );
}

#[test]
fn runs_of_a_configuration() {
    let engine = Engine::single();
    for (settings, stages) in [
        (&["network.thermometer=3"][..], 1),
        (&["network.thermometer=3", "network.convolutions=8C3-MP2"], 2),
        (&["network.thermometer=2", "data.source=iris"], 1),
    ] {
        let config = digits(settings).unwrap();
        let parts = experiment::load(&config, None).unwrap();
        let mut net = experiment::network(&config, &parts).unwrap();
        let trainer = experiment::trainer(&config).unwrap();
        let outcome = Training::new(&trainer, &mut net, &parts).engine(&engine).run().unwrap();
        let layers = &outcome.epochs[0].layers;
        let (name, measures) = &layers[stages - 1];
        let mean = measures.mean_of_bits.unwrap();
        assert!(name == "thermometer" && (0.2..0.8).contains(&mean), "{name}: {mean}");
        let model = outcome.model.unwrap();
        assert_deployed(&mut net, &parts, &model);
        assert_eq!(
            experiment::training(&config, &parts).unwrap().engine(&engine).run().unwrap().model,
            Some(model)
        );
    }
}

/// The float twin sees the same bits, as +-1.
#[test]
fn the_float_twin_keeps_its_thermometer() {
    for settings in
        [&["network.thermometer=3"][..], &["network.thermometer=3", "network.convolutions=8C3-MP2"]]
    {
        let mut config = digits(settings).unwrap().float_twin();
        (config.phases[0].learning_rate, config.phases[0].final_rate) = (Some(0.01), None);
        let parts = experiment::load(&config, None).unwrap();
        let net = experiment::network(&config, &parts).unwrap();
        assert!(net.layers().iter().any(|layer| layer.name() == "thermometer"));
        let outcome = experiment::training(&config, &parts).unwrap().run().unwrap();
        assert!(outcome.kept().test_accuracy > Some(0.75), "{:?}", outcome.kept());
    }
}

/// The first convolution learns from bits as it does from any others.
#[test]
fn gradients_rounded_to_bytes() {
    let parts = images(30, true);
    let thresholds = matrix(3, 2, quantiles(&parts.train, &parts.standardize, 3));
    let trainer = Trainer::straight_through(vec![Phase::new(2, Batch::Size(10), 0.01)], 0);
    for gradient in [Precision::Bf16, Precision::Int8] {
        let options = StraightThroughOptions { gradient, ..options(thresholds.clone(), "5C3-MP2") };
        let mut net = Network::straight_through(60, &[12], 3, &options, 5).unwrap();
        let outcome = Training::new(&trainer, &mut net, &parts).run().unwrap();
        assert_deployed(&mut net, &parts, &outcome.model.unwrap());
    }
}

/// Flip nets too: quantiles of each feature in place of the same thresholds for all.
#[test]
fn flip_nets_take_thresholds_of_each_feature() {
    let text = config::preset_text("iris").unwrap();
    let config = config::parse("iris", text, &["network.thermometer=5".into()]).unwrap();
    let parts = experiment::load(&config, None).unwrap();
    let mut net = experiment::network(&config, &parts).unwrap();
    assert_eq!(net.parameters().bits, 5 * 4 * 64 + 3 * 64 * 3);
    let trainer = experiment::trainer(&config).unwrap();
    let model = Training::new(&trainer, &mut net, &parts).run().unwrap().model.unwrap();
    assert_eq!(model.layers()[0].name(), "thermometer");
    assert_deployed(&mut net, &parts, &model);
    let options = FlipOptions { thermometer: Some(Matrix::zeros(3, 2)), ..FlipOptions::new(&[0.0]) };
    let refused = Network::flip(4, &[], 3, &options, 0).err().unwrap().to_string();
    assert_eq!(refused, "network.thermometer: expected thresholds of 4 features, got of 2");
}
