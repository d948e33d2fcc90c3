//! A run as a TOML text: data, network, method, phases. A preset is such a text.
//!
//! ```
//! let config = onebit_train::config::parse("mine", r#"
//!     method = "flip"
//!     [data]
//!     source = "iris"
//!     [network]
//!     hidden = [64]
//!     thresholds = 3
//!     [[phase]]
//!     epochs = 10
//!     batch = 32
//!     suppressor = 0
//! "#, &[])?;
//! assert_eq!(config.network.hidden, [64]);
//! # Ok::<(), onebit_train::Error>(())
//! ```

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    flip,
    step::Order,
    trainer::{Batch, Keep, Phase},
};

/// Name, text and one line about each preset.
pub const PRESETS: [(&str, &str, &str); 5] = [
    ("iris", include_str!("../presets/iris.toml"), "flip backprop, the report's net and its two phases"),
    (
        "iris-best",
        include_str!("../presets/iris-best.toml"),
        "flip backprop with settings tuned on training data",
    ),
    ("digits", include_str!("../presets/digits.toml"), "straight-through training on 8x8 digits"),
    ("mnist", include_str!("../presets/mnist.toml"), "784-4096-4096-4096-10 with the paper's settings"),
    ("mnist-small", include_str!("../presets/mnist-small.toml"), "784-512-512-10, six epochs"),
];

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How weights learn.
    pub method: Method,
    /// Seed of the split, the first weights and everything random in training.
    #[serde(default)]
    pub seed: u64,
    /// What is learned from.
    pub data: DataConfig,
    /// What learns.
    pub network: NetworkConfig,
    /// How.
    #[serde(default)]
    pub training: TrainingConfig,
    /// When: one after the other.
    #[serde(rename = "phase")]
    pub phases: Vec<PhaseConfig>,
}

/// How weights learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Flip backprop: no real number behind a weight.
    Flip,
    /// Latent real weights under Adam, straight-through estimator.
    StraightThrough,
}

/// What is learned from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// `iris` or `digits` (built in), `mnist` (a folder of idx files) or `table` (a CSV file); the last
    /// two need a path.
    pub source: String,
    /// The folder or file, unless a flag names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Column of a table that holds the class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Share held out for the test, from 0 to below 1. Data with a test part of its own ignores it.
    #[serde(default = "a_fifth")]
    pub test: f64,
    /// Share of the rest held out for validation, from 0 to below 1.
    #[serde(default)]
    pub validation: f64,
}

fn a_fifth() -> f64 {
    0.2
}

/// What learns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// Units of each hidden layer.
    pub hidden: Vec<usize>,
    /// Flip only: thresholds for each value, a depth of 1, 3, 7 or 15 or a list in standard deviations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Thresholds>,
    /// Straight-through only: share of the features that dropout silences.
    #[serde(default)]
    pub dropout_input: f64,
    /// Straight-through only: share of hidden bits that dropout silences.
    #[serde(default)]
    pub dropout_hidden: f64,
}

/// Thresholds by their number or one by one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a depth of 1, 3, 7 or 15, or a list of thresholds")]
pub enum Thresholds {
    /// The ones that cut a normal distribution into equal parts.
    Depth(usize),
    /// These.
    Values(Vec<f32>),
}

/// How it learns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainingConfig {
    /// Flip only: the order of learning, by default `input-first` (FBF).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
    /// Flip only: share of the batch that must ask before a weight flips, from 0 to 1, by default 1/2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quorum: Option<f64>,
    /// Flip only: share of the outputs that must ask before an activation flips, from 0 to 1, by default 1/2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activation_quorum: Option<f64>,
    /// What the scores are judged by.
    pub loss: LossName,
    /// Which network is kept.
    pub keep: Keep,
}

/// The losses by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossName {
    /// Softmax cross-entropy.
    #[default]
    SoftmaxCrossEntropy,
    /// Squared hinge.
    SquaredHinge,
}

/// A stretch of training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhaseConfig {
    /// Passes over the training part.
    pub epochs: usize,
    /// Samples of a step, or `all`.
    pub batch: Batch,
    /// Flip only: suppressor level `s`; `2^-s` of the requested flips are carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppressor: Option<u32>,
    /// Flip only, in place of a level: the share itself, above 0 and up to 1, kept to the nearest 1/65536.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Straight-through only: Adam's learning rate in the first epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// The rate that an exponential decay reaches after the last epoch; without it the rate stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub final_rate: Option<f64>,
}

/// The preset of this name.
///
/// # Errors
/// [`Error::Setting`] that lists the presets.
pub fn preset(name: &str) -> Result<Config> {
    parse(name, preset_text(name)?, &[])
}

/// The text of the preset of this name.
///
/// # Errors
/// [`Error::Setting`] that lists the presets.
pub fn preset_text(name: &str) -> Result<&'static str> {
    let found = PRESETS.iter().find(|(preset, ..)| *preset == name);
    found.map(|(_, text, _)| *text).ok_or_else(|| {
        let names: Vec<_> = PRESETS.iter().map(|(name, ..)| *name).collect();
        Error::setting("preset", format!("one of {}", names.join(", ")), name)
    })
}

/// Reads a configuration and applies `key=value` overrides, for example `network.hidden=[128]` or
/// `phase.0.epochs=5`. `name` is what messages call the text.
///
/// # Errors
/// [`Error::Config`] with line and key, [`Error::Setting`] for a value outside its range.
pub fn parse(name: &str, text: &str, overrides: &[String]) -> Result<Config> {
    let config = |source_name: &str, message: String| Error::Config {
        source_name: source_name.into(),
        message: message.replace('\n', " "),
    };
    // Once as it stands, so that a mistake in the text is reported with its line.
    let plain: Config = toml::from_str(text).map_err(|e| {
        let line = e.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        config(name, format!("line {line}: {}", e.message()))
    })?;
    if overrides.is_empty() {
        plain.check()?;
        return Ok(plain);
    }
    let mut table: toml::Value = toml::from_str(text).map_err(|e| config(name, e.message().into()))?;
    for setting in overrides {
        set(&mut table, setting)?;
        // After each one, so that the message names the one that is wrong.
        Config::deserialize(table.clone()).map_err(|e| config(setting, e.message().into()))?;
    }
    let result = Config::deserialize(table).map_err(|e| config(name, e.message().into()))?;
    result.check()?;
    Ok(result)
}

/// Applies one `key=value`; the path of keys has dots, arrays take an index.
fn set(table: &mut toml::Value, setting: &str) -> Result<()> {
    let wrong = |message: &str| Error::Config { source_name: setting.into(), message: message.into() };
    let (path, value) = setting.split_once('=').ok_or_else(|| wrong("expected key=value"))?;
    let value = value.trim();
    let written = toml::from_str::<toml::Table>(&format!("value = {value}")).ok();
    let value = written
        .and_then(|mut table| table.remove("value"))
        // TOML wants 0.5 and "all"; people also write .5 and all.
        .or_else(|| value.parse().ok().map(toml::Value::Float))
        .unwrap_or_else(|| toml::Value::String(value.into()));
    let mut keys = path.trim().split('.').peekable();
    let mut at = table;
    while let Some(key) = keys.next() {
        let last = keys.peek().is_none();
        let slot = match at {
            toml::Value::Table(t) if last => {
                t.insert(key.into(), value);
                return Ok(());
            }
            toml::Value::Table(t) => t.entry(key).or_insert_with(|| toml::Value::Table(Default::default())),
            toml::Value::Array(a) => {
                let length = a.len();
                let index = key.parse::<usize>().ok().filter(|&i| i < length);
                let index = index.ok_or_else(|| wrong(&format!("`{key}` is not an index below {length}")))?;
                &mut a[index]
            }
            _ => return Err(wrong(&format!("`{key}` is below something that has no keys"))),
        };
        if last {
            *slot = value;
            return Ok(());
        }
        at = slot;
    }
    Err(wrong("expected key=value"))
}

impl Config {
    /// The thresholds of a flip network.
    ///
    /// # Errors
    /// [`Error::Setting`] for a depth that is not known.
    pub fn thresholds(&self) -> Result<Vec<f32>> {
        match &self.network.thresholds {
            None => flip::thresholds(3),
            Some(Thresholds::Depth(depth)) => flip::thresholds(*depth),
            Some(Thresholds::Values(values)) => Ok(values.clone()),
        }
    }

    /// The order of learning.
    pub fn order(&self) -> Order {
        match self.method {
            Method::Flip => self.training.order.unwrap_or(Order::InputFirst),
            Method::StraightThrough => Order::Parallel,
        }
    }

    /// The phases as the trainer takes them.
    ///
    /// # Errors
    /// [`Error::Setting`] when a rate is missing, given twice, or outside its range.
    pub fn phases(&self) -> Result<Vec<Phase>> {
        self.phases.iter().enumerate().map(|(i, p)| p.phase(i, self.method)).collect()
    }

    /// The configuration as a TOML text.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a configuration has only types that TOML has")
    }

    fn check(&self) -> Result<()> {
        for (name, share) in [("data.test", self.data.test), ("data.validation", self.data.validation)] {
            if !(0.0..1.0).contains(&share) {
                return Err(Error::setting(name, "a share from 0 to below 1", share));
            }
        }
        if self.network.hidden.contains(&0) {
            return Err(Error::setting("network.hidden", "at least 1 unit a layer", 0));
        }
        if self.phases.is_empty() {
            return Err(Error::setting("phase", "at least one [[phase]]", "none"));
        }
        let only = |name, present, method| match present {
            true => Err(Error::setting(name, format!("nothing: it belongs to method {method}"), "a value")),
            false => Ok(()),
        };
        match self.method {
            Method::StraightThrough => {
                only("network.thresholds", self.network.thresholds.is_some(), "flip")?;
                only("training.order", self.training.order.is_some(), "flip")?;
                only("training.quorum", self.training.quorum.is_some(), "flip")?;
                only("training.activation_quorum", self.training.activation_quorum.is_some(), "flip")?;
            }
            Method::Flip => {
                let n = &self.network;
                only("network.dropout_input", n.dropout_input != 0.0, "straight-through")?;
                only("network.dropout_hidden", n.dropout_hidden != 0.0, "straight-through")?;
                for (name, quorum) in [
                    ("training.quorum", self.training.quorum),
                    ("training.activation_quorum", self.training.activation_quorum),
                ] {
                    if quorum.is_some_and(|quorum| !(0.0..=1.0).contains(&quorum)) {
                        return Err(Error::setting(name, "a share from 0 to 1", quorum.unwrap_or_default()));
                    }
                }
            }
        }
        self.thresholds()?;
        self.phases().map(drop)
    }
}

impl PhaseConfig {
    fn phase(&self, index: usize, method: Method) -> Result<Phase> {
        let key = |name: &str| format!("phase.{index}.{name}");
        if self.epochs == 0 {
            return Err(Error::setting(key("epochs"), "at least 1", 0));
        }
        if self.batch == Batch::Size(0) {
            return Err(Error::setting(key("batch"), "at least 1 sample or \"all\"", 0));
        }
        let (rate, ceiling) = match (method, self.suppressor, self.rate, self.learning_rate) {
            // Probabilities are kept to 1/65536, so level 16 is the last that flips anything.
            (Method::Flip, Some(level @ 0..=16), None, None) => (libm::pow(0.5, f64::from(level)), 1.0),
            (Method::Flip, Some(level), None, None) => {
                return Err(Error::setting(key("suppressor"), "a level from 0 to 16", level));
            }
            (Method::Flip, None, Some(rate), None) => (rate, 1.0),
            (Method::Flip, ..) => {
                return Err(Error::setting(
                    key("suppressor"),
                    "a suppressor or a rate, one of them",
                    "neither or both, or a learning_rate",
                ));
            }
            (Method::StraightThrough, None, None, Some(rate)) => (rate, f64::INFINITY),
            (Method::StraightThrough, ..) => {
                return Err(Error::setting(
                    key("learning_rate"),
                    "a learning_rate and no suppressor or rate",
                    "something else",
                ));
            }
        };
        let final_rate = self.final_rate.unwrap_or(rate);
        for (name, rate) in [("rate", rate), ("final_rate", final_rate)] {
            if !(rate > 0.0 && rate <= ceiling && rate.is_finite()) {
                let range = if ceiling == 1.0 { "a share above 0 and up to 1" } else { "a positive number" };
                return Err(Error::setting(key(name), range, rate));
            }
        }
        Ok(Phase { epochs: self.epochs, batch: self.batch, rate, final_rate })
    }
}
