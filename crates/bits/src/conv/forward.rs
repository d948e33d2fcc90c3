//! Convolution of bits with bits, and of [real images](crate::conv_reals) with bits.
//!
//! `y_bhwo = sum_(ky, kx, i) x_b(h sh + ky - top)(w sw + kx - left)i w_o(ky)(kx)i` over +-1: as in
//! `gemm`, a product is -1 where the bits differ. x: (b * h * w, c_in) bits, a row for each pixel, so
//! that the channels of a pixel begin a word; weights: (c_out, kh * kw * c_in / groups) bits; y: (b * h' * w', c_out).
//! What lies around an image is +1, -1, or not counted: [`Pad`](crate::Pad).
//!
//! ```
//! use onebit_bits::{BitTensor, Geometry, ConvWeights, Engine, Images, Pad, Padding, conv_sums};
//!
//! // one image of one row (+1 -1 +1), one channel; a kernel (+1 +1) with a pixel that counts -1 on the right
//! let (engine, images) = (Engine::single(), Images { b: 1, h: 1, w: 3 });
//! let x = BitTensor::from_fn(3, 1, |pixel, _| pixel != 1);
//! let padding = Padding { right: 1, ..Padding::default() };
//! let conv = Geometry { padding, pad: Pad::Minus, ..Geometry::new(1, 1, (1, 2)) };
//! let weights = ConvWeights::pack(&engine, conv, BitTensor::from_fn(1, 2, |_, _| true).view())?;
//! let mut y = [0; 3];
//! conv_sums(&engine, x.view(), images, &weights, &mut y)?;
//! assert_eq!(y, [0, 0, 0]);
//! # Ok::<(), onebit_bits::Error>(())
//! ```

use super::{
    direct,
    patches::conv_by_patches,
    shape::{Images, Walk},
    weights::ConvWeights,
};
use crate::{
    bits_x_bits::{Compare, Sink, Store, StoreReal},
    error::{Result, check_len, check_shape},
    machine::Engine,
    tensor::{BitTensor, BitView},
};

/// The sums. x: (b * h * w, c_in) bits, y: (b * h' * w', c_out).
///
/// # Errors
/// As [`Geometry::output`](crate::Geometry::output); [`Error::Shape`](crate::Error::Shape), [`Error::Length`](crate::Error::Length) unless the
/// operands fit; [`Error::Packed`](crate::Error::Packed) if the weights are for another instruction set.
pub fn conv_sums(
    engine: &Engine,
    x: BitView,
    images: Images,
    weights: &ConvWeights,
    y: &mut [i32],
) -> Result<()> {
    const OP: &str = "conv_sums";
    let walk = check(OP, engine, x, images, weights)?;
    check_len(OP, "y", (walk.pixels().1, walk.conv.c_out), y.len())?;
    forward(engine, &walk, x, weights, &Store::new(walk.conv.c_out, y));
    Ok(())
}

/// [`conv_sums`] as f32, which has all integers up to `2^24`. y: (b * h' * w', c_out).
///
/// # Errors
/// As [`conv_sums`].
pub fn conv_sums_f32(
    engine: &Engine,
    x: BitView,
    images: Images,
    weights: &ConvWeights,
    y: &mut [f32],
) -> Result<()> {
    const OP: &str = "conv_sums_f32";
    let walk = check(OP, engine, x, images, weights)?;
    check_len(OP, "y", (walk.pixels().1, walk.conv.c_out), y.len())?;
    forward(engine, &walk, x, weights, &StoreReal::new(walk.conv.c_out, y));
    Ok(())
}

/// The bits of the next layer: `[sum >= t_o]`, and `[sum <= t_o]` where `descending_o` is 1, where the sums are those
/// of [`conv_sums`], which are never stored.
///
/// x: (b * h * w, c_in) bits, thresholds: (c_out), descending: (1, c_out) bits, y: (b * h' * w', c_out) bits.
///
/// # Errors
/// As [`conv_sums`].
pub fn conv_threshold(
    engine: &Engine,
    x: BitView,
    images: Images,
    weights: &ConvWeights,
    thresholds: &[i32],
    descending: BitView,
    y: &mut BitTensor,
) -> Result<()> {
    const OP: &str = "conv_threshold";
    let walk = check(OP, engine, x, images, weights)?;
    let outputs = walk.conv.c_out;
    check_len(OP, "thresholds", (1, outputs), thresholds.len())?;
    check_shape(OP, "descending", (1, outputs), descending.shape())?;
    check_shape(OP, "y", (walk.pixels().1, outputs), y.shape())?;
    y.words_mut().fill(0);
    forward(engine, &walk, x, weights, &Compare::new(thresholds, descending, y.words_mut()));
    Ok(())
}

/// The operands fit each other and the engine.
fn check(
    op: &'static str,
    engine: &Engine,
    x: BitView,
    images: Images,
    weights: &ConvWeights,
) -> Result<Walk> {
    let walk = Walk::new(weights.conv, images)?;
    check_shape(op, "x", (walk.pixels().0, walk.conv.c_in), x.shape())?;
    weights.groups.iter().try_for_each(|panels| panels.check_bits(op, engine))?;
    Ok(walk)
}

/// Multiplications by which another thread pays.
const WORK_PER_JOB: usize = 1 << 23;

fn forward<K: Sink>(engine: &Engine, walk: &Walk, x: BitView, weights: &ConvWeights, sink: &K) {
    let Some(panels) = weights.groups.first().filter(|panels| panels.n() > 0) else { return };
    if walk.pixels().1 == 0 {
        return;
    }
    let work = walk.pixels().1.saturating_mul(walk.conv.c_out).saturating_mul(panels.k());
    let jobs = engine.threads().min(work / WORK_PER_JOB).max(1);
    if direct::pays(&walk.conv, panels) {
        direct::conv_direct(engine, walk, x, weights, jobs, sink);
    } else {
        conv_by_patches(engine, walk, x, weights, jobs, sink);
    }
}
