//! Bit tensors and the kernels of binarized networks.
//!
//! Bit 1 is +1 and bit 0 is -1; sgn(0) = +1; padding bits are zero, always, so that no kernel corrects a
//! tail. Letters: `b` batch, `d` depth (thresholds), `i` inputs, `o` outputs, `w` words; `m`, `k`, `n` for
//! matrix products outside of a network. Columns with a depth are depth-major: `(d, x)` is column
//! `d * X + x`.
//!
//! | module | contents |
//! |---|---|
//! | [`product`](mod@product) | the matrix product: one entry for all operands and sinks |
//! | [`conv`] | convolutions and pooling |
//! | [`tensor`] | matrices of bits and of -1, 0 and +1; seeded random masks |
//! | [`round`] | numbers to bits by comparison, gradients to bytes and ternaries by stochastic rounding |
//!
//! [`votes()`] and [`votes_to_flips`] are flip backprop: the number of votes for each bit to flip, and the
//! bits that flip.
//!
//! Every kernel takes an [`Engine`]: an instruction set ([`Isa`]) and worker threads. Neither ever changes a
//! result.
//!
//! ```
//! use onebit_bits::{BitTensor, Engine, pack_signs, product};
//!
//! let engine = Engine::single();
//! // x: (b = 2, i = 3), weights: (o = 1, i = 3)
//! let x = pack_signs(&engine, 2, 3, &[0.5, -1.0, 0.0, -2.0, -0.1, 3.0])?;
//! let weights = BitTensor::from_fn(1, 3, |_, i| i != 2); // +1 +1 -1
//! let mut y = [0; 2];
//! product(&engine, x.view(), weights.view(), &mut y[..])?;
//! assert_eq!(y, [-1, -3]); // (+1 -1 +1) and (-1 -1 +1) times (+1 +1 -1)
//! # Ok::<(), onebit_bits::Error>(())
//! ```
//!
//! Feature `std` (default) adds run-time detection of the instruction set and worker threads. Without it the
//! crate is `no_std` with `alloc`, runs on one thread, and uses what the target was compiled for.
//! Feature `bench` adds the module `bench`, the list of measured kernels.
#![no_std]
#![allow(clippy::needless_range_loop, reason = "a lane is an index into several arrays at once")]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(feature = "bench")]
pub mod bench;
mod bits_x_bits;
pub mod conv;
mod error;
mod machine;
mod numbers_x_bits;
mod panels;
pub mod product;
pub mod round;
mod simd;
pub mod tensor;

pub use bits_x_bits::{votes, votes_to_flips};
pub use conv::{
    ConvTransposed, ConvWeights, Geometry, Images, Over, Pad, Padding, Patches, Pool, convolve, pool_or_and,
};
pub use error::{Error, Result};
pub use machine::{Buffer, Engine, Isa, Kernel, Slices};
pub use panels::{Panels, TernaryPanels};
pub use product::{
    Bf16, Columns, Left, RealView, Scores, Sink, Threshold, Update, Updating, product, update_with,
};
pub use round::{
    Above, Int8, Noise, ScaledTernary, Sum, pack_above, pack_above_into, pack_at_least,
    pack_random_signs_into, pack_signs, pack_signs_into, pack_thresholds, sign_words, unpack_signs,
};
pub use tensor::{BitTensor, BitView, Bits, Probability, Ternary, mask, mask_into, random_bits, transpose};
