//! The options of a straight-through network.

use onebit_data::ImageShape;
use serde::{Deserialize, Serialize};

use crate::{
    contract::rounding::Precision,
    layers::{Estimator, Heads},
    network::stages::Architecture,
    numeric::matrix::Matrix,
    optimizers::OptimizerConfig,
    rules::RuleConfig,
};

/// Shares of inputs and hidden bits that dropout zeroes; 0 by default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DropoutShares {
    /// Share of the features, in `[0, 1)`.
    pub input: f64,
    /// Share of the bits after each hidden layer, in `[0, 1)`.
    pub hidden: f64,
}

/// Padding of convolutions at the border of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Border {
    /// The output is as large as the input, divided by the stride. Positions outside an image of bits count
    /// 0.
    Zero,
    /// Like `Zero`, but positions outside count +1. The accuracy is the same and the network runs faster.
    #[default]
    Plus,
    /// Like `Zero`, but positions outside count -1.
    Minus,
    /// No padding: kernels of size `k` leave `k - 1` fewer rows and columns.
    Valid,
}

/// Normalization between a product and its activation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Norm {
    /// [`BatchNorm`](crate::layers::BatchNorm).
    #[default]
    Batch,
    /// [`ShiftBatchNorm`](crate::layers::ShiftBatchNorm).
    ShiftBased,
    /// [`Threshold`](crate::layers::Threshold), with integers instead of real parameters.
    Threshold,
}

/// Activation that turns normalized sums into bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// [`Sign`](crate::layers::Sign).
    #[default]
    Sign,
    /// [`StochasticSign`](crate::layers::StochasticSign).
    StochasticSign,
    /// [`TernarySign`](crate::layers::TernarySign), with bits and zeros.
    TernarySign,
    /// [`RSign`](crate::layers::RSign), a sign with a learned threshold for each channel.
    #[serde(rename = "rsign")]
    RSign,
}

/// The options of a straight-through network.
///
/// By default: no convolutions, batch norm and sign after each product, latent weights under Adam.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StraightThroughOptions {
    /// Convolutional stages before the dense layers; none by default.
    pub convolutions: Architecture,
    /// Shape of the images that the features are; required for convolutional stages.
    pub image: Option<ImageShape>,
    /// Whether the network takes the signs of the features.
    pub binary_input: bool,
    /// Thresholds `(d, x)` of a [`Thermometer`](crate::layers::Thermometer) on the input, for each feature
    /// or, before convolutions, for each channel.
    pub thermometer: Option<Matrix>,
    /// Padding of the convolutions.
    pub border: Border,
    /// Dropout shares of inputs and hidden bits.
    pub dropout: DropoutShares,
    /// Normalization after each product.
    pub norm: Norm,
    /// Activation after each norm but the last.
    pub activation: Activation,
    /// Surrogate derivative of the activation; `None` selects the activation's default.
    pub estimator: Option<Estimator>,
    /// Precision that gradients are rounded to before they are multiplied by bits.
    pub gradient: Precision,
    /// Rule that decides which weights flip.
    pub rule: RuleConfig,
    /// Optimizer of the rule's real weights.
    pub optimizer: OptimizerConfig,
    /// Optimizer of all other real parameters.
    pub real_optimizer: OptimizerConfig,
    /// Products with real weights.
    pub real: RealWeights,
    /// Local classifiers with the integer softmax, after every hidden layer but the last.
    pub heads: Option<Heads>,
}

/// The products whose weights are real numbers instead of bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RealWeights {
    /// The first product.
    pub first: bool,
    /// The last product, which returns the scores.
    pub last: bool,
    /// All products, with rectified sums instead of bits between them: the float twin of the network.
    pub all: bool,
}
