//! The TOML schema of a run.

use std::path::PathBuf;

use onebit_data::{Augment, Missing, TableOptions};
use serde::{Deserialize, Serialize};

use crate::{
    config::named,
    contract::{rounding::Precision, step::Order},
    layers::{Estimator, Heads},
    network::{Activation, Architecture, Border, Norm},
    optimizers::OptimizerConfig,
    rules::RuleConfig,
    training::{Batch, Keep},
};

/// The configuration of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Training method.
    pub method: Method,
    /// Seed of the split, the initial weights, and all random numbers in training.
    #[serde(default)]
    pub seed: u64,
    /// Data to train on.
    pub data: DataConfig,
    /// Network to train.
    pub network: NetworkConfig,
    /// Settings of training.
    #[serde(default)]
    pub training: TrainingConfig,
    /// Phases of training, in order.
    #[serde(rename = "phase")]
    pub phases: Vec<PhaseConfig>,
}

/// A training method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Flip backprop: weights of one bit without real numbers.
    Flip,
    /// Integer flip backprop: a small counter for each weight, integer thresholds, errors in small integers.
    IntegerFlip,
    /// Straight-through training: latent real weights under an optimizer, straight-through estimator.
    StraightThrough,
}

impl Method {
    /// Returns the name in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flip => "flip",
            Self::IntegerFlip => "integer-flip",
            Self::StraightThrough => "straight-through",
        }
    }
}

/// The data to train on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// `iris` or `digits`, which are built in; a [published set](onebit_data::PUBLISHED), which is searched
    /// in the user's folder if there is no `path`; or `images`, `numpy` or `table`, which need a `path`.
    pub source: String,
    /// File or folder of the data; [`load`](crate::experiment::load) can override it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Column of a table with the class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Columns of a table to leave out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<String>,
    /// How to treat missing values in a table: `refuse` or `mean`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub missing: Missing,
    /// Share of the samples to hold out for the test, in `[0, 1)`. Ignored if the data come with a test part.
    #[serde(default = "a_fifth")]
    pub test: f64,
    /// Share of the remaining samples to hold out for validation, in `[0, 1)`.
    #[serde(default)]
    pub validation: f64,
    /// Preprocessing steps, in order: `gcn` (global contrast normalization) and `zca` (whitening). A model
    /// file cannot hold them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preprocess: Vec<Preprocess>,
    /// Images only: augmentation of the training images, such as `{ pad = 4, flip = true }`; none by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub augment: Option<Augment>,
}

impl DataConfig {
    /// Returns the options to read a table with; a missing target is an empty text.
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
    /// [`Gcn`](onebit_data::Gcn) with its default settings.
    Gcn,
    /// [`Whiten`](onebit_data::Whiten), fitted on the training part.
    Zca,
}

/// The network to train.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// Not flip: convolutional stages before the hidden layers, such as `128C3-128C3-MP2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub convolutions: Option<Architecture>,
    /// Not flip: padding of the convolutions; `plus` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub border: Option<Border>,
    /// Straight-through only: normalization after a product; `batch` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub norm: Option<Norm>,
    /// Straight-through only: activation that turns sums into bits; `sign` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<Activation>,
    /// Straight-through only: surrogate derivative of the activation; by default the activation's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimator: Option<Estimator>,
    /// Not flip: whether the network takes the signs of the features, for example black and white pixels.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub binary_input: bool,
    /// Number of bits for each feature, 1 to 255, whose thresholds are [`quantiles`](onebit_data::quantiles)
    /// of the training part. Excludes `binary_input` and replaces `thresholds` for the features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thermometer: Option<usize>,
    /// Integer flip only: local classifiers after every hidden layer but the last, whose error is used
    /// `beside` the backpropagated one or `alone`; none by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heads: Option<Heads>,
    /// Straight-through only: products with real weights, of `first`, `last` and `all`; none by default.
    /// `all` makes the float twin of the network.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub real: Vec<RealProduct>,
    /// Number of units of each hidden layer.
    pub hidden: Vec<usize>,
    /// Flip only: thresholds of the features, a number of 1, 3, 7 or 15 or a list in standard deviations; 3
    /// by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Thresholds>,
    /// Flip only: thresholds of the hidden units; `thresholds` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden_thresholds: Option<Thresholds>,
    /// Not flip: share of the features that dropout zeroes, in `[0, 1)`.
    #[serde(default)]
    pub dropout_input: f64,
    /// Not flip: share of the hidden bits that dropout zeroes, in `[0, 1)`.
    #[serde(default)]
    pub dropout_hidden: f64,
}

/// A product with real weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RealProduct {
    /// The first product.
    First,
    /// The last product, which returns the scores.
    Last,
    /// All products.
    All,
}

/// Thresholds, given by their number or as a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a depth of 1, 3, 7 or 15, or a list of thresholds")]
pub enum Thresholds {
    /// The number of thresholds, which divide a normal distribution into equal shares.
    Depth(usize),
    /// The thresholds, in standard deviations.
    Values(Vec<f32>),
}

/// The settings of training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainingConfig {
    /// Order of learning. Default for flip `input-first` (FBF), for integer flip `parallel`; straight-through
    /// training is always parallel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
    /// Flip only: share of the batch that must request a weight's flip, 0 to 1; 1/2 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quorum: Option<f64>,
    /// Flip only: share of the outputs that must request an activation's flip, 0 to 1; 1/2 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activation_quorum: Option<f64>,
    /// Loss; `softmax-cross-entropy` by default, `integer-softmax` for integer flip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<LossName>,
    /// Integer softmax only: the error is in `-levels..=levels`; 15 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub levels: Option<u32>,
    /// Squared hinge only: margin in units of the scores, above 0; 1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<f32>,
    /// Not flip: precision that gradients are rounded to before they are multiplied by bits. Default for
    /// straight-through `f32`, which does not round; for integer flip `int8`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gradient: Option<Precision>,
    /// Not flip: rule that decides which weights flip; `latent` by default, and always `counter` for integer
    /// flip.
    #[serde(deserialize_with = "named::optional", skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleConfig>,
    /// Straight-through only: optimizer of the rule's real weights; `adam` by default.
    #[serde(deserialize_with = "named::optional", skip_serializing_if = "Option::is_none")]
    pub optimizer: Option<OptimizerConfig>,
    /// Straight-through only: optimizer of all other real parameters; `optimizer` by default.
    #[serde(deserialize_with = "named::optional", skip_serializing_if = "Option::is_none")]
    pub real_optimizer: Option<OptimizerConfig>,
    /// Model file of a teacher for knowledge distillation, with the same features and classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub teacher: Option<PathBuf>,
    /// With a teacher: temperature that divides the scores before they are compared; 1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f32>,
    /// With a teacher: its share of the loss, 0 to 1; 1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub teacher_share: Option<f32>,
    /// Network to keep.
    pub keep: Keep,
}

/// The name of a loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossName {
    /// Softmax cross-entropy.
    #[default]
    SoftmaxCrossEntropy,
    /// Squared hinge.
    SquaredHinge,
    /// Softmax cross-entropy with an integer error.
    IntegerSoftmax,
}

/// A phase of training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhaseConfig {
    /// Number of passes over the training part.
    pub epochs: usize,
    /// Samples in a step, or `all`.
    pub batch: Batch,
    /// Flip only: suppressor level `s`, 0 to 16; the share `2^-s` of the requested flips is carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppressor: Option<u32>,
    /// Flip, instead of a level: the share of the requested flips, above 0 and up to 1, rounded to 1/65536.
    /// Integer flip: the mean change of a counter in a step, as a share of its range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Straight-through only: learning rate in the first epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// Schedule of the rate. Without one, the rate decays exponentially to `final_rate` if that is given, and
    /// otherwise stays constant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleName>,
    /// Rate after the last epoch; 0 by default for `cosine` and `linear`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub final_rate: Option<f64>,
    /// `step` only: factor of the rate, above 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<f64>,
    /// `step` only: number of epochs between multiplications, at least 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<usize>,
    /// `cosine` only: number of epochs in which the rate rises first; 0 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warmup: Option<usize>,
}

/// The name of a [`Schedule`](crate::optimizers::schedule::Schedule).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleName {
    /// Multiplies the rate by a constant factor each epoch, down to `final_rate`.
    Exponential,
    /// Multiplies the rate by `factor` after each `every` epochs.
    Step,
    /// Follows half a cosine to `final_rate`, after a linear `warmup`.
    Cosine,
    /// Decreases linearly to `final_rate`.
    Linear,
}
