//! Layers for images: reshaping and pooling.

pub(crate) mod flatten;
pub(crate) mod global_average_pool;
pub(crate) mod max_pool;
pub(crate) mod subsample;

pub use flatten::{Flatten, Unflatten};
pub use global_average_pool::GlobalAveragePool;
pub use max_pool::MaxPool;
