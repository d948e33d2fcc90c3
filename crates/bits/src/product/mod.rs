//! The contract of all products: [`product()`] takes a left operand, a right operand, and a sink for the
//! results.
//!
//! `out_mn = sum_k left_mk right_nk`, where left has m rows of k values and right n rows of k values. Every
//! pair that has a kernel implements [`Left`]; any other does not compile. The kernels live in the rooms
//! above: `bits_x_bits`, `numbers_x_bits` and `conv`.
//!
//! | left | right | the sums are | sinks |
//! |---|---|---|---|
//! | [`BitView`], [`&Ternary`] | [`BitView`], [`&Panels`] for bits | exact, i32 | `&mut [i32]`, `&mut [f32]`, [`Threshold`], [`Scores`] |
//! | [`&Ternary`] | [`&Panels`] for votes, k up to 127 | exact, i8 | `&mut [i8]` |
//! | [`&ScaledTernary`] | [`&Panels`] for bits | exact, times the scale of their row | `&mut [f32]`, [`Updating`] |
//! | [`&Int8`] | [`&Panels`] for reals, [`&TernaryPanels`] | exact, times the scale of their row | `&mut [f32]`, [`Updating`] |
//! | [`&Int8`] | [`&Panels`] for reals | exact, without the scale | `&mut [i32]` |
//! | `&[u8]` | [`&Panels`] for reals | exact, i32 | as for bits |
//! | `&[f32]` | [`BitView`], [`Columns`] of it, [`&Panels`] for reals | [by fours](#order-of-additions) | `&mut [f32]`, [`Updating`] |
//! | [`Bf16`] | [`&Panels`] for reals | by fours, each four rounded to bf16 | `&mut [f32]`, [`Updating`] |
//! | `&[f32]` | [`Columns`] of [`&Ternary`] or of a [`RealView`] | one product after the other | `&mut [f32]`, [`Updating`] |
//!
//! A convolution has right operands of its own: [`conv`](crate::conv).
//!
//! # Order of additions
//! Results are the same, bit for bit, on every instruction set and for any number of threads, so the order in
//! which f32 are added is part of the contract. (Which NaN comes out of several is left open.)
//!
//! - Reals x bits, by fours: k goes up in fours, each four is `(+-a0 +- a1) + (+-a2 +- a3)`, rounded three
//!   times, and is added to the sum of those before it, which starts at 0; beyond k there are zeros.
//! - [`Bf16`]: each sum of four is rounded to bf16, the upper 16 bits of f32: to the nearest, ties to even,
//!   and to 0 below 2^-100. These are added in f32 in the order of the processors that have an instruction
//!   for it: of each 32 values the fours from 16, 0, 20, 4, 24, 8, 28 and 12 on.
//! - Reals x ternaries and x reals: one rounded product after the other, in the order of k, starting at 0,
//!   without fused multiply-add.
//!
//! ```
//! use onebit_bits::{BitTensor, Columns, Engine, product};
//!
//! let w = BitTensor::from_fn(2, 3, |k, n| k == 0 || n == 2); // (+1 +1 +1), (-1 -1 +1)
//! let mut out = [0.0; 3];
//! let a: &[f32] = &[0.5, 2.0]; // (m = 1, k = 2)
//! product(&Engine::single(), a, Columns(w.view()), &mut out[..])?;
//! assert_eq!(out, [-1.5, -1.5, 2.5]);
//! # Ok::<(), onebit_bits::Error>(())
//! ```
//!
//! [`BitView`]: crate::BitView
//! [`&Ternary`]: crate::Ternary
//! [`&ScaledTernary`]: crate::ScaledTernary
//! [`&Int8`]: crate::Int8
//! [`&Panels`]: crate::Panels
//! [`&TernaryPanels`]: crate::TernaryPanels

mod blocks;
mod left;
mod put;
mod scores;
mod sink;
mod store;
mod threshold;
mod update;

pub(crate) use blocks::by_blocks;
pub use blocks::update_with;
pub use left::{Bf16, Columns, Left, RealView, product};
pub(crate) use left::{Multiply, PRODUCT, rows_of};
pub(crate) use put::{Place, Put, in_memory, put_rows};
pub use scores::Scores;
pub(crate) use sink::Open;
pub use sink::Sink;
pub(crate) use store::Store;
pub use threshold::Threshold;
pub use update::{Update, Updating};
