//! Bit tensors and the kernels of binarized networks.
//!
//! Bit 1 is +1 and bit 0 is -1; sgn(0) = +1; padding bits are zero, always, so that no kernel corrects a tail.
//! Letters: `b` batch, `d` depth (thresholds), `i` inputs, `o` outputs, `w` words; `m`, `k`, `n` where a
//! matrix product has no network around it. Columns with a depth are depth-major: `(d, x)` is column `d * X + x`.
//!
//! | module | what it computes |
//! |---|---|
//! | [`round`] | reals and integers to bits by comparison, and back |
//! | [`mod@conv`] | bits x bits, and real images x bits, under a walking kernel |
//! | [`bits_x_bits`] | bits x bits to integers: XNOR and popcount |
//! | [`numbers_x_bits`] | bytes and reals x bits, and what a training rule does with a gradient while it is in the cache |
//! | [`mod@votes`] | flip backprop: how many ask a bit to flip, and which bits do |
//! | [`tensor`] | bit matrices, seeded masks with a given share of ones |
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
pub mod bits_x_bits;
pub mod conv;
mod error;
mod machine;
pub mod numbers_x_bits;
mod panels;
pub mod round;
mod simd;
pub mod tensor;

pub use bits_x_bits::{
    scaled_ternary_gemm, scaled_ternary_gemm_with, ternary_gemm, ternary_gemm_bytes, ternary_gemm_packed,
    votes, votes_to_flips, xnor_gemm, xnor_gemm_packed, xnor_gemm_reals, xnor_scores, xnor_threshold,
};
pub use conv::{
    ConvTransposed, ConvWeights, Geometry, Images, Pad, Padding, Pool, conv_dw_f32, conv_dw_f32_with,
    conv_dw_int8, conv_dw_int8_with, conv_dw_reals, conv_dx_f32, conv_dx_int8, conv_reals, conv_sums,
    conv_sums_f32, conv_threshold, pool_or_and,
};
pub use error::{Error, Result};
pub use machine::{Buffer, Engine, Isa, Kernel, Slices};
pub use numbers_x_bits::{
    Update, bf16_gemm_packed, bf16_gemm_with, int8_gemm_packed, int8_gemm_sums, int8_gemm_with,
    int8_ternary_gemm_packed, int8_ternary_gemm_with, real_bits, real_bits_t, real_gemm_packed,
    real_gemm_with, real_real, real_real_with, real_ternary, real_ternary_with, u8_gemm_packed, update_with,
};
pub use panels::{Panels, TernaryPanels};
pub use round::{
    Above, Int8, Noise, ScaledTernary, Sum, pack_above, pack_above_into, pack_at_least,
    pack_random_signs_into, pack_signs, pack_signs_into, pack_thresholds, sign_words, unpack_signs,
};
pub use tensor::{BitTensor, BitView, Bits, Probability, Ternary, mask, mask_into, random_bits, transpose};
