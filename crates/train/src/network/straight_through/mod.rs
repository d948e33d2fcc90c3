//! Networks for straight-through training and integer flip backprop.

mod builder;
mod images;
mod options;

pub(crate) use builder::of_each_feature;
pub use options::{Activation, Border, DropoutShares, Norm, RealWeights, StraightThroughOptions};
