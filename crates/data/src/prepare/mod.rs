//! What is done to features before a network sees them.

mod augment;
mod byte_scale;
mod gcn;
mod quantiles;
mod standardize;
mod symmetric;
mod whiten;

pub use augment::Augment;
pub use byte_scale::ByteScale;
pub use gcn::Gcn;
pub use quantiles::quantiles;
pub use standardize::Standardize;
pub use whiten::Whiten;
