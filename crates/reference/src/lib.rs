//! The oracle of the Onebit tests: plain +-1 arithmetic in nested loops, to be read and believed, never to be fast.
//!
//! Values are `i8` or `f32` that happen to be -1, 0 or +1; there are no bits here, and no code is shared with what
//! is checked. Matrices are slices in row-major order. Letters: `b` batch, `d` depth (thresholds), `i` inputs,
//! `o` outputs; `m`, `k`, `n` where a matrix product has no network around it. Wrong lengths panic.
#![forbid(unsafe_code)]

pub mod conv;
pub mod flip;
pub mod gemm;
pub mod number;
