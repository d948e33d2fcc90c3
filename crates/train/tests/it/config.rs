//! Configurations: presets, overrides, and the page that lists every key.

use onebit_train::{
    Activation, Batch, Border, Keep, Norm, Precision,
    config::{Config, LossName, PRESETS, Preprocess, RealProduct, ScheduleName, Thresholds, parse, preset},
    data::{Augment, Missing},
    layers::{Estimator, Heads},
    optimizers::OptimizerConfig,
    rules::{Counting, RuleConfig},
    schedule::Schedule,
    step::Order,
};

/// A configuration in which every key is set.
fn full() -> Config {
    let mut config = preset("iris").unwrap();
    config.data.path = Some("here".into());
    config.data.target = Some("kind".into());
    config.data.drop = vec!["id".into()];
    config.data.missing = Missing::Mean;
    config.network.thresholds = Some(Thresholds::Depth(3));
    config.network.hidden_thresholds = Some(Thresholds::Values(vec![-0.5, 0.5]));
    config.training.order = Some(Order::Parallel);
    config.training.quorum = Some(0.25);
    config.training.activation_quorum = Some(0.75);
    config.training.margin = Some(2.0);
    config.training.loss = Some(LossName::SquaredHinge);
    config.training.levels = Some(7);
    config.training.gradient = Some(Precision::Int8);
    let network = &mut config.network;
    network.convolutions = Some("8C3-MP2".parse().unwrap());
    network.border = Some(Border::Valid);
    network.norm = Some(Norm::ShiftBased);
    network.activation = Some(Activation::RSign);
    network.estimator = Some(Estimator::ApproxSign);
    network.binary_input = true;
    network.thermometer = Some(3);
    network.heads = Some(Heads::Alone);
    network.real = vec![RealProduct::First];
    let training = &mut config.training;
    training.rule = Some(RuleConfig::Recu {});
    training.optimizer = Some(OptimizerConfig::AdaMax {});
    training.real_optimizer = Some(OptimizerConfig::Adam {});
    training.teacher = Some("there".into());
    (training.temperature, training.teacher_share) = (Some(2.0), Some(0.5));
    config.data.preprocess = vec![Preprocess::Gcn];
    config.data.augment = Some(Augment { pad: 4, flip: true });
    let phase = &mut config.phases[0];
    phase.schedule = Some(ScheduleName::Step);
    (phase.factor, phase.every, phase.warmup) = (Some(0.5), Some(2), Some(1));
    (phase.suppressor, phase.rate) = (Some(1), Some(0.5));
    (phase.learning_rate, phase.final_rate) = (Some(0.5), Some(0.25));
    config.phases.truncate(1);
    config
}

/// The paths of all keys, with `N` for an index.
fn keys(path: &str, value: &toml::Value, found: &mut Vec<String>) {
    match value {
        toml::Value::Table(table) if table.contains_key("name") => found.push(path.to_string()), // a choice
        toml::Value::Table(table) => {
            let below = |key: &str| if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
            table.iter().for_each(|(key, value)| keys(&below(key), value, found));
        }
        toml::Value::Array(phases) if path == "phase" => keys("phase.N", &phases[0], found),
        _ => found.push(path.to_string()),
    }
}

#[test]
fn the_page_lists_every_key() {
    let page = include_str!("../../../../docs/reference/configuration.md");
    let mut listed: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let mut found = Vec::new();
    keys("", &toml::from_str(&full().to_toml()).unwrap(), &mut found);
    found.sort();
    listed.sort();
    assert_eq!(listed, found);
}

#[test]
fn presets_survive_being_written_and_read() {
    for (name, text, _) in PRESETS {
        let config = preset(name).unwrap();
        assert_eq!(parse(name, &config.to_toml(), &[]).unwrap(), config, "{name}");
        assert!(text.starts_with("# "), "{name} says what it is");
    }
}

#[test]
fn overrides_reach_every_kind_of_place() {
    let text = preset("iris").unwrap().to_toml();
    let with =
        |settings: &[&str]| parse("t", &text, &settings.iter().map(|s| s.to_string()).collect::<Vec<_>>());
    let config = with(&[
        "seed=7",
        "data.validation = .25",
        "network.hidden=[8, 9]",
        "network.thresholds=[0.5]",
        "training.order=weight-first",
        "training.keep=\"best\"",
        "phase.1.batch=all",
        "phase.0.batch=16",
        "phase.1.final_rate=0.125",
    ])
    .unwrap();
    assert_eq!((config.seed, config.data.validation), (7, 0.25));
    assert_eq!(config.network.hidden, [8, 9]);
    assert_eq!(config.flip_options().unwrap().hidden_thresholds, [0.5]);
    assert_eq!((config.order(), config.training.keep), (Order::WeightFirst, Keep::Best));
    let phases = config.phases().unwrap();
    assert_eq!((phases[0].batch, phases[1].batch), (Batch::Size(16), Batch::All));
    assert_eq!(phases[1].rate, 0.5);
    assert_eq!(phases[1].schedule, Schedule::Exponential { final_rate: 0.125 });

    for (setting, words) in [
        ("network.depth=3", "unknown field `depth`"),
        ("phase.2.epochs=1", "`2` is not an index below 2"),
        ("seed.of=1", "`of` is a key of a value that has no keys"),
        ("seed", "expected key=value"),
        ("training.margin=2", "training.margin: expected a positive number, with the squared hinge"),
        (
            "training.gradient=int8",
            "training.gradient: expected nothing: it belongs to method straight-through",
        ),
        ("training.gradient=fp4", "unknown variant `fp4`, expected one of `f32`, `bf16`, `int8`"),
        ("phase.0.rate=0.5", "a suppressor or a rate, one of them"),
        ("phase.0.final_rate=2", "phase.0.final_rate: expected a share above 0 and up to 1, got 2"),
        ("phase.0.final_rate=0", "phase.0.final_rate: expected a positive number, got 0"),
        ("phase.0.warmup=2", "phase.0.warmup: expected nothing: it belongs to another schedule, got a value"),
    ] {
        let message = with(&[setting]).unwrap_err().to_string();
        assert!(message.contains(words), "{setting}: {message}");
    }
}

#[test]
fn rates_decay_exponentially_over_a_phase() {
    let mut phase = onebit_train::Phase::new(4, Batch::All, 1.0);
    phase.schedule = Schedule::Exponential { final_rate: 1.0 / 16.0 };
    let rates: Vec<f64> = (0..4).map(|epoch| phase.rate_at(epoch)).collect();
    assert_eq!(rates, [1.0, 0.5, 0.25, 0.125]);
}

#[test]
fn schedules_are_chosen_by_name() {
    let mut config = preset("digits").unwrap();
    config.phases[0].final_rate = None;
    let text = config.to_toml();
    let with = |settings: &str| {
        let settings: Vec<String> = settings.split(' ').map(|s| format!("phase.0.{s}")).collect();
        Ok::<_, onebit_train::Error>(parse("t", &text, &settings)?.phases()?[0].schedule)
    };
    for (settings, schedule) in [
        ("epochs=2", Schedule::Constant),
        ("final_rate=1e-5", Schedule::Exponential { final_rate: 1e-5 }),
        ("schedule=exponential final_rate=1e-5", Schedule::Exponential { final_rate: 1e-5 }),
        ("schedule=step factor=0.5 every=20", Schedule::Step { factor: 0.5, every: 20 }),
        ("schedule=cosine", Schedule::Cosine { final_rate: 0.0, warmup: 0 }),
        ("schedule=cosine final_rate=1e-5 warmup=5", Schedule::Cosine { final_rate: 1e-5, warmup: 5 }),
        ("schedule=linear", Schedule::Linear { final_rate: 0.0 }),
    ] {
        assert_eq!(with(settings).unwrap(), schedule, "{settings}");
    }
    for (settings, words) in [
        ("schedule=exponential", "phase.0.final_rate: expected a value for this schedule, got none"),
        ("schedule=exponential final_rate=0", "phase.0.final_rate: expected a positive number, got 0"),
        ("schedule=step every=2", "phase.0.factor: expected a value for this schedule, got none"),
        ("schedule=step factor=0.5", "phase.0.every: expected a value for this schedule, got none"),
        ("schedule=step factor=0 every=2", "phase.0.factor: expected a positive number, got 0"),
        ("schedule=step factor=0.5 every=0", "phase.0.every: expected at least 1 epoch, got 0"),
        ("schedule=step factor=0.5 every=2 final_rate=1", "phase.0.final_rate: expected nothing"),
        ("schedule=cosine every=2", "phase.0.every: expected nothing: it belongs to another schedule"),
        ("schedule=cosine warmup=99", "phase.0.warmup: expected at most the 50 epochs, got 99"),
        ("schedule=linear final_rate=-1", "phase.0.final_rate: expected a number from 0 on, got -1"),
        ("schedule=linear warmup=2", "phase.0.warmup: expected nothing: it belongs to another schedule"),
        (
            "schedule=never",
            "unknown variant `never`, expected one of `exponential`, `step`, `cosine`, `linear`",
        ),
    ] {
        let message = with(settings).unwrap_err().to_string();
        assert!(message.contains(words), "{settings}: {message}");
    }
}

#[test]
fn a_network_too_large_to_be_meant_is_refused() {
    let mut config = preset("digits").unwrap();
    config.network.hidden = vec![65536, 65536];
    let parts = onebit_train::Split::new(onebit_train::data::digits(), None, None);
    let error = onebit_train::experiment::network(&config, &parts).err().map(|error| error.to_string());
    let words = "network.hidden: expected at most 1073741824 weights, got 4299161600";
    assert_eq!(error.as_deref(), Some(words));
}

#[test]
fn choices_are_checked_with_their_settings() {
    let with = |setting: &str| {
        let text = onebit_train::config::preset_text("digits").unwrap();
        parse("digits", text, &[setting.into()]).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(with("training.rule=bop"), Ok(()));
    assert_eq!(with(r#"training.optimizer={name="sgd",decay=1e-4}"#), Ok(()));
    for (setting, words) in [
        (
            r#"training.optimizer={name="sgd",momentum=2.0}"#,
            "momentum: expected a number from 0 to below 1, got 2",
        ),
        (
            r#"training.real_optimizer={name="adamw",decay=-1.0}"#,
            "decay: expected a number from 0 on, got -1",
        ),
        (r#"training.rule={name="bop",gamma=0.0}"#, "gamma: expected a number above 0 and up to 1, got 0"),
        ("training.rule=hop", "unknown variant `hop`"),
        (r#"training.rule={name="xnor",gamma=1.0}"#, "unknown field `gamma`"),
        (
            r#"network.estimator={name="clip",bound=-1.0}"#,
            "estimator bound: expected a positive number, got -1",
        ),
        ("network.convolutions=8C3-XX", "network.convolutions: expected stages"),
    ] {
        let message = with(setting).unwrap_err();
        assert!(message.contains(words), "{setting}: {message}");
    }
}

/// Integer flip backprop has defaults of its own, and refuses what has real numbers.
#[test]
fn integer_flip_is_a_method() {
    let config = preset("digits-flip").unwrap();
    let options = config.straight_through_options(None);
    assert_eq!((options.norm, options.gradient), (Norm::Threshold, Precision::Int8));
    assert_eq!(options.rule, RuleConfig::Counter(Counting::default()));
    assert_eq!(config.order(), Order::Parallel);
    let text = config.to_toml();
    let with = |setting: &str| parse("t", &text, &[setting.to_string()]);
    assert_eq!(with("training.order=input-first").unwrap().order(), Order::InputFirst);
    let counting =
        with("training.rule={ name = \"counter\", bits = 6, dead_band = 8 }").unwrap().training.rule;
    assert_eq!(
        counting,
        Some(RuleConfig::Counter(Counting { bits: 6, dead_band: 8, average: 1, ..Counting::default() }))
    );
    let foreign = "expected nothing: it belongs to method";
    for (setting, message) in [
        ("training.rule=bop", "training.rule: expected counter: other rules have real weights, got another"),
        ("training.rule={ name = \"counter\", bits = 9 }", "counter bits: expected 2 to 8, got 9"),
        ("network.norm=batch", &format!("network.norm: {foreign} straight-through")),
        ("network.real=[\"first\"]", &format!("network.real: {foreign} straight-through")),
        ("training.optimizer=adam", &format!("training.optimizer: {foreign} straight-through")),
        ("training.quorum=0.5", &format!("training.quorum: {foreign} flip")),
        ("phase.0.learning_rate=0.1", "phase.0.rate: expected a rate and no suppressor or learning_rate"),
        ("phase.0.rate=1.5", "phase.0.rate: expected a share above 0 and up to 1, got 1.5"),
    ] {
        let error = with(setting).unwrap_err().to_string();
        assert!(error.contains(message), "{setting}: {error}");
    }
    let twin = config.float_twin();
    assert!(twin.straight_through_options(None).real.all && twin.phases().is_ok());
}
