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
mod estimator;
mod flatten;
mod flip_product;
mod max_pool;
pub(crate) mod patches;
mod pnb;
mod popcount;
pub(crate) mod scaling;
mod sign;
mod stochastic_sign;
mod straight_through;
mod ternary_sign;
mod xnor_weight;

pub use batch_norm::{BatchNorm, BatchNormGradients, BatchNormStatistics};
pub use binarize::Binarize;
pub use bma::{Bma, Normalize};
pub use bmab::Bmab;
pub use conv::Conv;
pub use dense::Dense;
pub use dropout::Dropout;
pub use estimator::{Estimator, Slope};
pub use flatten::{Flatten, Unflatten};
pub use flip_product::WeightDepth;
pub use max_pool::MaxPool;
pub use pnb::Pnb;
pub use popcount::PopCount;
pub use sign::Sign;
pub use stochastic_sign::StochasticSign;
pub use ternary_sign::TernarySign;
pub use xnor_weight::XnorWeight;
