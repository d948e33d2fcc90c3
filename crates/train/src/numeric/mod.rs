//! Numerics: matrices, sums over batches, small linear algebra, powers of two and seeds.

pub(crate) mod ap2;
pub(crate) mod batch_blocks;
pub(crate) mod batch_sums;
pub(crate) mod jobs;
pub(crate) mod matrix;
pub(crate) mod mix;
pub(crate) mod small_product;
pub(crate) mod sums;
pub(crate) mod svd;

pub use matrix::Matrix;
