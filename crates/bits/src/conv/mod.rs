//! Convolution and pooling: bits, real images, and the gradients.

mod direct;
pub mod forward;
mod input_gradient;
mod number;
mod patches;
pub mod pool;
mod reals;
mod shape;
mod weight_gradient;
mod weights;

pub use forward::{conv_sums, conv_sums_f32, conv_threshold};
pub use input_gradient::{conv_dx_f32, conv_dx_int8};
pub use pool::{Pool, pool_or_and};
pub use reals::{conv_dw_reals, conv_reals};
pub use shape::{Geometry, Images, Pad, Padding};
pub use weight_gradient::{conv_dw_f32, conv_dw_f32_with, conv_dw_int8, conv_dw_int8_with};
pub use weights::{ConvTransposed, ConvWeights};
