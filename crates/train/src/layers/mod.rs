//! The layers.
//!
//! | for | layers |
//! |---|---|
//! | products with binary weights | [`Dense`], [`Conv`]; several bits a weight: [`Abc`] |
//! | products with real weights | [`RealDense`], [`RealConv`] |
//! | images | [`Unflatten`], [`MaxPool`], [`GlobalAveragePool`], [`Flatten`] |
//! | norms | [`BatchNorm`], [`ShiftBatchNorm`], [`Threshold`], [`StandardizeSample`], [`ChannelScale`] |
//! | real numbers to bits | [`Sign`], [`StochasticSign`], [`TernarySign`], [`RSign`], by an [`Estimator`] on the way back |
//! | features to bits by a table of thresholds | [`Thermometer`] |
//! | real activations | [`Relu`], [`HardTanh`], [`RPReLU`] |
//! | nets | [`Residual`], [`Dropout`], [`LocalHead`] |
//! | flip backprop | [`Binarize`], [`Bmab`], [`Bma`], and for study their parts [`XnorWeight`], [`PopCount`], [`Pnb`] |

mod abc;
mod asking;
mod batch_norm;
mod binarize;
mod bma;
mod bmab;
mod channel_scale;
mod conv;
mod dense;
mod dropout;
mod estimator;
mod flatten;
mod flip_product;
mod global_average_pool;
mod hard_tanh;
mod local_head;
mod max_pool;
mod norm;
pub(crate) mod patches;
mod per_channel;
mod pnb;
mod popcount;
mod real_conv;
mod real_dense;
mod real_weights;
mod reals;
mod relu;
mod residual;
mod rprelu;
mod rsign;
pub(crate) mod scaling;
mod shift_batch_norm;
mod sign;
mod standardize_sample;
mod stochastic_sign;
mod straight_through;
mod subsample;
mod ternary_sign;
mod thermometer;
mod threshold;
mod xnor_weight;

pub use abc::Abc;
pub use batch_norm::BatchNorm;
pub use binarize::Binarize;
pub use bma::{Bma, Normalize};
pub use bmab::Bmab;
pub use channel_scale::ChannelScale;
pub use conv::Conv;
pub use dense::Dense;
pub use dropout::Dropout;
pub use estimator::{Estimator, Slope};
pub use flatten::{Flatten, Unflatten};
pub use flip_product::WeightDepth;
pub use global_average_pool::GlobalAveragePool;
pub use hard_tanh::HardTanh;
pub use local_head::{Heads, LocalHead};
pub use max_pool::MaxPool;
pub use norm::{BatchNormGradients, BatchNormStatistics};
pub use pnb::Pnb;
pub use popcount::PopCount;
pub use real_conv::RealConv;
pub use real_dense::RealDense;
pub use relu::Relu;
pub use residual::{Residual, Shortcut};
pub use rprelu::{RPReLU, RPReLUParameters};
pub use rsign::RSign;
pub use shift_batch_norm::ShiftBatchNorm;
pub use sign::Sign;
pub use standardize_sample::StandardizeSample;
pub use stochastic_sign::StochasticSign;
pub use ternary_sign::TernarySign;
pub use thermometer::Thermometer;
pub use threshold::Threshold;
pub use xnor_weight::XnorWeight;
