//! Numbers: matrices, sums over batches, and small linear algebra.

pub(crate) mod ap2;
pub(crate) mod batch_parts;
pub(crate) mod batch_sums;
pub(crate) mod jobs;
pub(crate) mod matrix;
pub(crate) mod small_product;
pub(crate) mod sums;
pub(crate) mod svd;

pub use matrix::Matrix;
