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

use onebit_data::{Augment, ImageShape, Missing, TableOptions};
use serde::{Deserialize, Serialize};

use crate::{
    contract::{rounding::Precision, step::Order},
    error::{Error, Result},
    layers::{Estimator, Heads, flip::signals as flip},
    network::{
        Architecture, FlipOptions,
        straight_through::{Activation, Border, DropoutShares, Norm, RealWeights, StraightThroughOptions},
    },
    optimizers::OptimizerConfig,
    rules::{Counting, RuleConfig},
    training::{Batch, Keep, Phase},
};

mod check;
mod named;
mod parse;
mod presets;
mod twin;

pub use parse::{flat, parse};
pub use presets::{PRESETS, preset, preset_text};

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
    /// Integer flip backprop: a small counter behind each weight, integer thresholds, errors in small integers.
    IntegerFlip,
    /// Latent real weights under Adam, straight-through estimator.
    StraightThrough,
}

impl Method {
    /// As a configuration writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flip => "flip",
            Self::IntegerFlip => "integer-flip",
            Self::StraightThrough => "straight-through",
        }
    }
}

/// What is learned from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// `iris` or `digits` (built in); the name of a [published set](onebit_data::PUBLISHED), which is looked for in the user's
    /// folder without a path; `images`, `numpy` or `table`, which need one.
    pub source: String,
    /// The folder or file, unless a flag names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Column of a table that holds the class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Columns of a table that are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<String>,
    /// What becomes of missing values in a table: `refuse` or `mean`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub missing: Missing,
    /// Share held out for the test, from 0 to below 1. Data with a test part of its own ignores it.
    #[serde(default = "a_fifth")]
    pub test: f64,
    /// Share of the rest held out for validation, from 0 to below 1.
    #[serde(default)]
    pub validation: f64,
    /// What is done to the samples first, in order, of `gcn` (global contrast normalization) and `zca` (whitening). A model
    /// file cannot hold it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preprocess: Vec<Preprocess>,
    /// Images only: how those learned from are varied, `{ pad = 4, flip = true }`; by default not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub augment: Option<Augment>,
}

impl DataConfig {
    /// How a table is read; a target that is not given is empty.
    pub fn table_options(&self) -> TableOptions {
        let target = self.target.clone().unwrap_or_default();
        TableOptions { target, drop: self.drop.clone(), missing: self.missing }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn a_fifth() -> f64 {
    0.2
}

/// A step of preprocessing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preprocess {
    /// [`Gcn`](onebit_data::Gcn) as it is by default.
    Gcn,
    /// [`Whiten`](onebit_data::Whiten), fitted on the training part.
    Zca,
}

/// What learns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// Not flip: stages of images before the hidden layers, such as `128C3-128C3-MP2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub convolutions: Option<Architecture>,
    /// Not flip: how these treat the border of an image, by default `plus`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub border: Option<Border>,
    /// Straight-through only: what follows a product, by default `batch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub norm: Option<Norm>,
    /// Straight-through only: what turns sums into bits, by default `sign`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<Activation>,
    /// Straight-through only: the derivative of the activation on the way back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimator: Option<Estimator>,
    /// Not flip: whether features become their signs: pixels are black or white.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub binary_input: bool,
    /// In place of `binary_input`, and for the features in place of `thresholds`: bits of each feature, by as many
    /// [`quantiles`](onebit_data::quantiles) of the training part; 1 to 255.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thermometer: Option<usize>,
    /// Integer flip only: classifiers of their own behind the hidden layers but the last, `beside` the error from behind or
    /// `alone` in its place; by default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heads: Option<Heads>,
    /// Straight-through only: which products have real weights, of `first`, `last` and `all`; by default none. With `all`
    /// the network is its own float twin.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub real: Vec<RealProduct>,
    /// Units of each hidden layer.
    pub hidden: Vec<usize>,
    /// Flip only: thresholds of each feature, a depth of 1, 3, 7 or 15 or a list in standard deviations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Thresholds>,
    /// Flip only: thresholds of hidden units, by default `thresholds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden_thresholds: Option<Thresholds>,
    /// Not flip: share of the features that dropout silences.
    #[serde(default)]
    pub dropout_input: f64,
    /// Not flip: share of hidden bits that dropout silences.
    #[serde(default)]
    pub dropout_hidden: f64,
}

/// A product that has real weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RealProduct {
    /// The first.
    First,
    /// The last, which gives the scores.
    Last,
    /// Every one.
    All,
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
    /// The order of learning; of flip by default `input-first` (FBF), of the others `parallel`, of straight-through that alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
    /// Flip only: share of the batch that must ask before a weight flips, from 0 to 1, by default 1/2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quorum: Option<f64>,
    /// Flip only: share of the outputs that must ask before an activation flips, from 0 to 1, by default 1/2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activation_quorum: Option<f64>,
    /// What the scores are judged by, by default `softmax-cross-entropy`, of integer-flip `integer-softmax`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<LossName>,
    /// Integer softmax only: its error is in `-levels..=levels`, by default 15.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub levels: Option<u32>,
    /// Squared hinge only: its margin in units of the scores, above 0, by default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<f32>,
    /// Not flip: what gradients are rounded to before they meet bits; of straight-through by default `f32`, nothing, of
    /// integer-flip `int8`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gradient: Option<Precision>,
    /// Not flip: which weights flip, by default `latent`, of integer-flip always `counter`.
    #[serde(deserialize_with = "named::optional", skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleConfig>,
    /// Straight-through only: what moves the rule's real weights, by default `adam`.
    #[serde(deserialize_with = "named::optional", skip_serializing_if = "Option::is_none")]
    pub optimizer: Option<OptimizerConfig>,
    /// Straight-through only: what moves all other real parameters, by default as `optimizer`.
    #[serde(deserialize_with = "named::optional", skip_serializing_if = "Option::is_none")]
    pub real_optimizer: Option<OptimizerConfig>,
    /// A model file whose scores are learned from too, for the same features and classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub teacher: Option<PathBuf>,
    /// With a teacher: what scores are divided by before they are compared, by default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f32>,
    /// With a teacher: its share in the loss, by default 1: all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub teacher_share: Option<f32>,
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
    /// Softmax cross-entropy with an error in integers.
    IntegerSoftmax,
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
    /// Flip only, in place of a level: the share itself, above 0 and up to 1, kept to the nearest 1/65536. Integer-flip: the
    /// mean way of a counter in a step, as a share of its range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Straight-through only: Adam's learning rate in the first epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// What becomes of the rate. Without a schedule it decays exponentially to a `final_rate`, or stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleName>,
    /// The rate that is reached after the last epoch; `cosine` and `linear` reach 0 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub final_rate: Option<f64>,
    /// `step` only: what the rate is multiplied by, above 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<f64>,
    /// `step` only: epochs from one multiplication to the next, at least 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<usize>,
    /// `cosine` only: epochs in which the rate rises first, by default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warmup: Option<usize>,
}

/// The [`Schedule`](crate::optimizers::schedule::Schedule)s by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleName {
    /// The same factor every epoch, to `final_rate`.
    Exponential,
    /// `factor` after each `every` epochs.
    Step,
    /// Half a cosine to `final_rate`, after `warmup`.
    Cosine,
    /// A line to `final_rate`.
    Linear,
}

impl Config {
    /// The options of a flip network.
    ///
    /// # Errors
    /// [`Error::Setting`] for a depth that is not known.
    pub fn flip_options(&self) -> Result<FlipOptions> {
        let written = |name, thresholds: &Option<Thresholds>| match thresholds {
            None => Ok(None),
            Some(Thresholds::Values(values)) => Ok(Some(values.clone())),
            Some(Thresholds::Depth(depth)) => flip::thresholds(*depth)
                .map(Some)
                .map_err(|_| Error::setting(name, "a depth of 1, 3, 7 or 15, or a list", depth)),
        };
        let thresholds = written("network.thresholds", &self.network.thresholds)?;
        let hidden = written("network.hidden_thresholds", &self.network.hidden_thresholds)?;
        let mut options = FlipOptions::new(&thresholds.map_or_else(|| flip::thresholds(3), Ok)?);
        options.hidden_thresholds = hidden.unwrap_or(options.hidden_thresholds);
        options.weight_quorum = self.training.quorum.unwrap_or(options.weight_quorum);
        options.activation_quorum = self.training.activation_quorum.unwrap_or(options.activation_quorum);
        Ok(options)
    }

    /// The options of a straight-through network over `image`, if the data are images; of one for integer flip backprop, too.
    pub fn straight_through_options(&self, image: Option<ImageShape>) -> StraightThroughOptions {
        let NetworkConfig { convolutions, border, norm, activation, estimator, .. } = &self.network;
        let NetworkConfig { dropout_input, dropout_hidden, heads, .. } = &self.network;
        let integer = self.method == Method::IntegerFlip;
        StraightThroughOptions {
            convolutions: convolutions.clone().unwrap_or_default(),
            image,
            border: border.unwrap_or_default(),
            norm: norm.unwrap_or(if integer { Norm::Threshold } else { Norm::default() }),
            activation: activation.unwrap_or_default(),
            estimator: *estimator,
            dropout: DropoutShares { input: *dropout_input, hidden: *dropout_hidden },
            gradient: self.training.gradient.unwrap_or(if integer {
                Precision::Int8
            } else {
                Precision::default()
            }),
            rule: self.training.rule.unwrap_or(if integer {
                RuleConfig::Counter(Counting::default())
            } else {
                RuleConfig::default()
            }),
            optimizer: self.training.optimizer.unwrap_or_default(),
            binary_input: self.network.binary_input,
            heads: *heads,
            thermometer: None, // its thresholds come with the data
            real: RealWeights {
                first: self.network.real.contains(&RealProduct::First),
                last: self.network.real.contains(&RealProduct::Last),
                all: self.network.real.contains(&RealProduct::All),
            },
            real_optimizer: self.training.real_optimizer.or(self.training.optimizer).unwrap_or_default(),
        }
    }

    /// What the scores are judged by.
    pub fn loss(&self) -> LossName {
        self.training.loss.unwrap_or(match self.method {
            Method::IntegerFlip => LossName::IntegerSoftmax,
            _ => LossName::default(),
        })
    }

    /// The order of learning.
    pub fn order(&self) -> Order {
        match self.method {
            Method::Flip => self.training.order.unwrap_or(Order::InputFirst),
            Method::IntegerFlip => self.training.order.unwrap_or(Order::Parallel),
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
}
