//! The layers.
//!
//! | for | layers |
//! |---|---|
//! | products with binary weights | [`Dense`], [`Conv`]; with several bits for each weight: [`Abc`] |
//! | products with real weights | [`RealDense`], [`RealConv`] |
//! | images | [`Unflatten`], [`MaxPool`], [`GlobalAveragePool`], [`Flatten`] |
//! | norms | [`BatchNorm`], [`ShiftBatchNorm`], [`Threshold`], [`StandardizeSample`], [`ChannelScale`] |
//! | real numbers to bits | [`Sign`], [`StochasticSign`], [`TernarySign`], [`RSign`], with an [`Estimator`] |
//! | features to bits by thresholds | [`Thermometer`] |
//! | real activations | [`Relu`], [`HardTanh`], [`RPReLU`] |
//! | nets | [`Residual`], [`Dropout`], [`LocalHead`] |
//! | flip backprop | [`Binarize`], [`Bmab`], [`Bma`] |
//! | parts of flip backprop, for study | [`XnorWeight`], [`PopCount`], [`Pnb`] |

pub mod flip;
mod images;
mod nets;
mod norms;
mod products;
mod signs;

pub use flip::{Binarize, Bma, Bmab, Normalize, Pnb, PopCount, WeightDepth, XnorWeight};
pub use images::{Flatten, GlobalAveragePool, MaxPool, Unflatten};
pub use nets::{Dropout, Heads, LocalHead, Residual, Shortcut};
pub use norms::{
    BatchNorm, BatchNormGradients, BatchNormStatistics, ChannelScale, FeatureNorm, ShiftBatchNorm,
    StandardizeSample, Threshold,
};
pub use products::{Abc, Conv, Dense, RealConv, RealDense, RealLayer};
pub use signs::{
    Elementwise, Estimator, HardTanh, RPReLU, RPReLUParameters, RSign, Relu, Sign, Slope, StochasticSign,
    TernarySign, Thermometer,
};
