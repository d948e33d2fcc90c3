//! Layers of flip backprop: bits forward, flips backward.

mod binarize;
mod bma;
mod bmab;
mod flip_product;
mod pnb;
mod popcount;
pub mod signals;
mod xnor_weight;

pub use binarize::Binarize;
pub use bma::{Bma, Normalize};
pub use bmab::Bmab;
pub use flip_product::WeightDepth;
pub use pnb::Pnb;
pub use popcount::PopCount;
pub use xnor_weight::XnorWeight;
