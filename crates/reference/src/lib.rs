//! The oracle of the Onebit tests: plain +-1 arithmetic in nested loops, written to be obviously right, not
//! fast.
//!
//! Values are `i8` or `f32` that happen to be -1, 0 or +1. Nothing is packed into bits, and no code is shared
//! with the kernels that it checks. Matrices are slices in row-major order. Letters: `b` batch, `d` depth
//! (number of thresholds), `i` inputs, `o` outputs; `m`, `k`, `n` for a matrix product outside of a network.
//! Functions panic if a length does not fit.
//!
//! | module | contents |
//! |---|---|
//! | [`gemm`] | matrix products and votes |
//! | [`number`] | products of integers, `f32` and bf16 with +-1, in the kernels' order of sums |
//! | [`conv`] | convolution, its gradients, and pooling |
//! | [`flip`] | flip backprop with every product materialized |
#![forbid(unsafe_code)]

pub mod conv;
pub mod flip;
pub mod gemm;
pub mod number;
