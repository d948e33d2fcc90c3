//! Preprocessing of features: standardization, contrast normalization, whitening, thresholds, augmentation.

mod augment;
mod byte_scale;
mod eigen;
mod gcn;
mod quantiles;
mod standardize;
mod whiten;

pub use augment::Augment;
pub use byte_scale::ByteScale;
pub use gcn::Gcn;
pub use quantiles::quantiles;
pub use standardize::Standardize;
pub use whiten::Whiten;
