//! The layers. Straight-through training uses [`Dense`], [`BatchNorm`], [`Sign`] and [`Dropout`]; flip
//! backprop uses [`Binarize`], [`Bmab`] and [`Bma`], and for study their parts [`XnorWeight`],
//! [`PopCount`] and [`Pnb`].

mod batch_norm;
mod binarize;
mod bma;
mod bmab;
mod conv;
mod dense;
mod dropout;
mod flatten;
mod flip_product;
mod global_average_pool;
mod max_pool;
pub(crate) mod patches;
mod pnb;
mod popcount;
mod real_conv;
mod real_dense;
mod real_weights;
mod reals;
mod residual;
pub(crate) mod scaling;
mod sign;
mod subsample;
mod xnor_weight;

pub use batch_norm::{BatchNorm, BatchNormGradients, BatchNormStatistics};
pub use binarize::Binarize;
pub use bma::{Bma, Normalize};
pub use bmab::Bmab;
pub use conv::Conv;
pub use dense::Dense;
pub use dropout::Dropout;
pub use flatten::{Flatten, Unflatten};
pub use flip_product::WeightDepth;
pub use global_average_pool::GlobalAveragePool;
pub use max_pool::MaxPool;
pub use pnb::Pnb;
pub use popcount::PopCount;
pub use real_conv::RealConv;
pub use real_dense::RealDense;
pub use residual::{Residual, Shortcut};
pub use sign::Sign;
pub use xnor_weight::XnorWeight;
