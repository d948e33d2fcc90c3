//! Bit tensors and the kernels of binarized networks.
//!
//! Bit 1 is +1 and bit 0 is -1; sgn(0) = +1; padding bits are zero, always, so that no kernel corrects a tail.
//! Letters: `b` batch, `d` depth (thresholds), `i` inputs, `o` outputs, `w` words; `m`, `k`, `n` where a
//! matrix product has no network around it. Columns with a depth are depth-major: `(d, x)` is column `d * X + x`.
//!
//! | module | what it computes |
//! |---|---|
//! | [`pack`] | reals and integers to bits by comparison, and back |
//! | [`mod@conv`] | bits x bits, and real images x bits, under a walking kernel |
//! | [`gemm`] | bits x bits to integers: XNOR and popcount |
//! | [`integer`] | bytes x bits to exact sums |
//! | [`real`] | reals x bits to reals |
//! | [`scaled_ternary`] | gradients of -1, 0 and +1 x bits |
//! | [`quantize`] | gradients to bytes by stochastic rounding |
//! | [`update`] | what a training rule does with a gradient while it is in the cache |
//! | [`mod@votes`] | flip backprop: how many ask a bit to flip, and which bits do |
//! | [`pool`] | the largest or smallest bit of each window |
//! | [`random`] | seeded masks with a given share of ones |
//!
//! Every kernel takes an [`Engine`]: the instruction set ([`Isa`]) and the workers it runs on.
//! Neither ever changes a result.
//!
//! ```
//! use onebit_bits::{BitTensor, Engine, pack_signs, xnor_gemm};
//!
//! let engine = Engine::single();
//! // x: (b = 2, i = 3), weights: (o = 1, i = 3)
//! let x = pack_signs(&engine, 2, 3, &[0.5, -1.0, 0.0, -2.0, -0.1, 3.0])?;
//! let weights = BitTensor::from_fn(1, 3, |_, i| i != 2); // +1 +1 -1
//! let mut y = [0; 2];
//! xnor_gemm(&engine, x.view(), weights.view(), &mut y)?;
//! assert_eq!(y, [-1, -3]); // (+1 -1 +1) and (-1 -1 +1) times (+1 +1 -1)
//! # Ok::<(), onebit_bits::Error>(())
//! ```
//!
//! Feature `std` (default) adds run-time detection of the instruction set and worker threads. Without it the
//! crate is `no_std` with `alloc`, runs on one thread, and uses what the target was compiled for.
//! Feature `bench` adds the list of what is measured, `bench`.
#![no_std]
#![allow(clippy::needless_range_loop, reason = "a lane is an index into several arrays at once")]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(feature = "bench")]
pub mod bench;
mod blocks;
pub mod conv;
mod count;
mod engine;
mod error;
pub mod gemm;
pub mod integer;
mod isa;
mod lookup;
mod memory;
pub mod pack;
mod panels;
mod parts;
pub mod pool;
mod product;
pub mod quantize;
pub mod random;
pub mod random_signs;
pub mod real;
pub mod scaled_ternary;
mod short_sums;
mod simd;
mod tables;
mod tensor;
mod ternary;
mod ternary_panels;
mod transpose;
pub mod update;
pub mod votes;
mod wide;
#[cfg(feature = "std")]
mod workers;

pub use blocks::{real_real_with, real_ternary_with, update_with};
pub use conv::{
    Conv, ConvTransposed, ConvWeights, Images, Pad, Padding, conv_dw_f32, conv_dw_f32_with, conv_dw_int8,
    conv_dw_int8_with, conv_dw_reals, conv_dx_f32, conv_dx_int8, conv_reals, conv_sums, conv_sums_f32,
    conv_threshold,
};
pub use engine::Engine;
pub use error::{Error, Result};
pub use gemm::{
    ternary_gemm, ternary_gemm_bytes, ternary_gemm_packed, xnor_gemm, xnor_gemm_packed, xnor_gemm_reals,
    xnor_scores, xnor_threshold,
};
pub use integer::{
    int8_gemm_packed, int8_gemm_sums, int8_gemm_with, int8_ternary_gemm_packed, int8_ternary_gemm_with,
    u8_gemm_packed,
};
pub use isa::{Isa, Kernel};
pub use memory::Buffer;
pub use pack::{
    Above, Sum, pack_above, pack_above_into, pack_at_least, pack_signs, pack_signs_into, pack_thresholds,
    sign_words, unpack_signs,
};
pub use panels::Panels;
pub use parts::Slices;
pub use pool::{Pool, pool_or_and};
pub use quantize::{Int8, Noise};
pub use random::{Probability, mask, mask_into, random_bits};
pub use random_signs::pack_random_signs_into;
pub use real::{
    bf16_gemm_packed, bf16_gemm_with, real_bits, real_bits_t, real_gemm_packed, real_gemm_with, real_real,
    real_ternary,
};
pub use scaled_ternary::{ScaledTernary, scaled_ternary_gemm, scaled_ternary_gemm_with};
pub use tensor::{BitTensor, BitView, Bits};
pub use ternary::Ternary;
pub use ternary_panels::TernaryPanels;
pub use update::Update;
pub use votes::{votes, votes_to_flips};
