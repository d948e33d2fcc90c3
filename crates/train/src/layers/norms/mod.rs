//! Norms, learned scales and thresholds.

pub(crate) mod batch_norm;
pub(crate) mod channel_scale;
pub(crate) mod feature_norm;
pub(crate) mod per_channel;
pub(crate) mod shift_batch_norm;
pub(crate) mod standardize_sample;
pub(crate) mod threshold;

pub use batch_norm::BatchNorm;
pub use channel_scale::ChannelScale;
pub use feature_norm::{BatchNormGradients, BatchNormStatistics, FeatureNorm};
pub use shift_batch_norm::ShiftBatchNorm;
pub use standardize_sample::StandardizeSample;
pub use threshold::Threshold;
