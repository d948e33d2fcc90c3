//! Convolution of bits and of real images with bits, the gradients, and pooling.
//!
//! `y_bhwo = sum_(ky, kx, i) x_b(h sh + ky - top)(w sw + kx - left)i w_o(ky)(kx)i` over +-1. x: (b * h * w,
//! c_in), a row for each pixel, so that the channels of a pixel begin a word; weights: (c_out, kh * kw * c_in
//! / groups) bits; y: (b * h' * w', c_out). The pixels around an image of bits count +1, -1, or nothing
//! ([`Pad`]); those around a real image are 0.
//!
//! Convolutions are [products](crate::product()) with right operands of their own; [`convolve`] is the
//! shorthand for [`Over`].
//!
//! | left | right | out | sinks |
//! |---|---|---|---|
//! | x: bits | [`Over`] [`ConvWeights`] for bits | y, exact sums | `&mut [i32]`, `&mut [f32]`, [`Threshold`](crate::Threshold), [`Scores`](crate::Scores) |
//! | x: `&[f32]` | [`Over`] [`ConvWeights`] for reals | y, sums by fours | `&mut [f32]` |
//! | dy: `&[f32]` or [`&Int8`](crate::Int8), (b * h' * w', c_out) | [`Over`] [`ConvTransposed`] | dx, (b * h * w, c_in) | `&mut [f32]` |
//! | dy_t: `&[f32]` or [`&Int8`](crate::Int8), (c_out, b * h' * w') | [`Patches`] of bits | dw, as the weights | `&mut [f32]`, [`Updating`](crate::Updating) |
//! | [`Columns`](crate::Columns) of dy, real | [`Patches`] of reals | dw, as the weights | `&mut [f32]` |
//!
//! ```
//! use onebit_bits::{BitTensor, ConvWeights, Engine, Geometry, Images, Pad, Padding, convolve};
//!
//! // one image of one row (+1 -1 +1), one channel; a kernel (+1 +1) with a pixel that counts -1 on the right
//! let (engine, images) = (Engine::single(), Images { b: 1, h: 1, w: 3 });
//! let x = BitTensor::from_fn(3, 1, |pixel, _| pixel != 1);
//! let padding = Padding { right: 1, ..Padding::default() };
//! let geometry = Geometry { padding, pad: Pad::Minus, ..Geometry::new(1, 1, (1, 2)) };
//! let ones = BitTensor::from_fn(1, 2, |_, _| true);
//! let weights = ConvWeights::pack(&engine, geometry, ones.view())?;
//! let mut y = [0; 3];
//! convolve(&engine, x.view(), images, &weights, &mut y[..])?;
//! assert_eq!(y, [0, 0, 0]);
//! // a real image, around which pixels are 0
//! let weights = ConvWeights::pack_for_reals(&engine, geometry, ones.view())?;
//! let (x, mut y): (&[f32], _) = (&[0.5, 1.0, 2.0], [0.0; 3]);
//! convolve(&engine, x, images, &weights, &mut y[..])?;
//! assert_eq!(y, [1.5, 3.0, 2.0]);
//! # Ok::<(), onebit_bits::Error>(())
//! ```

mod direct;
mod forward;
mod input_gradient;
mod number;
mod operands;
mod patches;
mod pool;
mod reals;
mod shape;
mod weight_gradient;
mod weights;

pub use operands::{Over, Patches, convolve};
pub use pool::{Pool, pool_or_and};
pub use shape::{Geometry, Images, Pad, Padding};
pub use weights::{ConvTransposed, ConvWeights};
