//! The gradients of a convolution: dy, dx and dw are real, x and the weights are bits.
//!
//! - `dx_p = sum dy_q w_tap` over the output pixels q that see input pixel p through a tap. Each row of `dy w` over
//!   all taps is added to the pixels that they meet as soon as it is there, so no matrix of columns exists.
//!   Threads share the images; the sum of a pixel adds its output pixels in ascending order.
//! - `dw = dy^T patches(x)`, as for a dense layer. The patches of all pixels do exist, for the sum is over pixels, but as
//!   bits: a 32nd of what they would be in f32.
//!
//! Taps that are not counted ([`Pad::Zero`]) are -1 in the patches; what they added to dw is taken back in the end.

use alloc::{vec, vec::Vec};
use core::ops::Range;

use super::{
    number::Number,
    patches::{gather, view},
    shape::{Geometry, Images, Pad, Walk},
};
use crate::{
    error::{Result, check_len, check_shape},
    machine::{Ahead, Engine, Slices, scratch},
    numbers_x_bits::{Sink, Store, Update, Updating, product},
    panels::Panels,
    round::Int8,
    tensor::{BitTensor, BitView},
};

/// The gradient of the weights. dy_t: (c_out, b * h' * w'), the gradient turned round, x: (b * h * w, c_in) bits,
/// dw: (c_out, kh * kw * c_in / groups).
///
/// # Errors
/// As [`Geometry::output`]; [`Error::Shape`](crate::Error::Shape), [`Error::Length`](crate::Error::Length) unless the
/// operands fit.
pub fn conv_dw_f32(
    engine: &Engine,
    conv: Geometry,
    dy_t: &[f32],
    x: BitView,
    images: Images,
    dw: &mut [f32],
) -> Result<()> {
    const OP: &str = "conv_dw_f32";
    let walk = Walk::new(conv, images)?;
    check_len(OP, "dy_t", (conv.c_out, walk.pixels().1), dy_t.len())?;
    check_len(OP, "dw", (conv.c_out, conv.patch()?), dw.len())?;
    by_patches(OP, engine, &walk, (dy_t, None), x, &Store::new(conv.patch()?, dw))
}

/// [`conv_dw_f32`], whose results go to an [`Update`] instead of memory.
///
/// states: slices of c_out * kh * kw * c_in / groups elements, weights: (c_out, kh * kw * c_in / groups).
///
/// # Errors
/// As [`conv_dw_f32`].
pub fn conv_dw_f32_with<S: Slices, U: Update<S>>(
    engine: &Engine,
    (conv, images): (Geometry, Images),
    dy_t: &[f32],
    x: BitView,
    states: S,
    weights: &mut BitTensor,
    update: &U,
) -> Result<()> {
    const OP: &str = "conv_dw_f32_with";
    let walk = Walk::new(conv, images)?;
    check_len(OP, "dy_t", (conv.c_out, walk.pixels().1), dy_t.len())?;
    let sink = Updating::new(OP, (conv.c_out, conv.patch()?), states, weights, update)?;
    by_patches(OP, engine, &walk, (dy_t, None), x, &sink)
}

/// The gradient of the weights from a rounded one. dy_t: (c_out, b * h' * w'), as [`Int8::round_transposed`] makes it,
/// x: (b * h * w, c_in) bits, dw: (c_out, kh * kw * c_in / groups): exact sums, times their channel's scale.
///
/// # Errors
/// As [`conv_dw_f32`]; [`Error::TooLarge`](crate::Error::TooLarge) if sums might exceed `i32`.
pub fn conv_dw_int8(
    engine: &Engine,
    conv: Geometry,
    dy_t: &Int8,
    x: BitView,
    images: Images,
    dw: &mut [f32],
) -> Result<()> {
    const OP: &str = "conv_dw_int8";
    let walk = Walk::new(conv, images)?;
    check_shape(OP, "dy_t", (conv.c_out, walk.pixels().1), dy_t.shape())?;
    check_len(OP, "dw", (conv.c_out, conv.patch()?), dw.len())?;
    by_patches(OP, engine, &walk, (dy_t.values(), Some(dy_t.scales())), x, &Store::new(conv.patch()?, dw))
}

/// [`conv_dw_int8`], whose results go to an [`Update`] instead of memory.
///
/// states: slices of c_out * kh * kw * c_in / groups elements, weights: (c_out, kh * kw * c_in / groups).
///
/// # Errors
/// As [`conv_dw_int8`].
pub fn conv_dw_int8_with<S: Slices, U: Update<S>>(
    engine: &Engine,
    (conv, images): (Geometry, Images),
    dy_t: &Int8,
    x: BitView,
    states: S,
    weights: &mut BitTensor,
    update: &U,
) -> Result<()> {
    const OP: &str = "conv_dw_int8_with";
    let walk = Walk::new(conv, images)?;
    check_shape(OP, "dy_t", (conv.c_out, walk.pixels().1), dy_t.shape())?;
    let sink = Updating::new(OP, (conv.c_out, conv.patch()?), states, weights, update)?;
    by_patches(OP, engine, &walk, (dy_t.values(), Some(dy_t.scales())), x, &sink)
}

/// dy_t: (c_out, pixels) and a scale for each channel; what goes `to` is (c_out, patch).
fn by_patches<T: Number>(
    op: &'static str,
    engine: &Engine,
    walk: &Walk,
    (dy_t, scales): (&[T], Option<&[f32]>),
    x: BitView,
    to: &impl Sink<f32>,
) -> Result<()> {
    let (conv, pixels, patch) = (&walk.conv, walk.pixels().1, walk.conv.patch()?);
    check_shape(op, "x", (walk.pixels().0, conv.c_in), x.shape())?;
    if conv.c_out == 0 || patch == 0 {
        return Ok(());
    }
    let (outputs, words) = (conv.of_group().1, patch.div_ceil(64));
    let outside = outside(walk, dy_t);
    let taps = conv.kernel.0 * conv.kernel.1;
    for group in 0..conv.groups {
        let mut patches = scratch(pixels * words);
        engine.rows(&mut patches, words, pixels * words, |first, rows| {
            gather(walk, x, group, first..first + rows.len() / words, conv.pad == Pad::Plus, rows);
        });
        let panels = Panels::of_columns_for_reals(engine, view(patch, pixels, &patches));
        let dy_t = &dy_t[group * outputs * pixels..][..outputs * pixels];
        let left = T::left(op, engine, (outputs, pixels), dy_t, &panels)?;
        let sink = Inside::<T, _> {
            first: group * outputs,
            taps,
            channels: patch / taps,
            outside: &outside[group * outputs * taps..],
            scales: scales.map(|scales| &scales[group * outputs..]),
            to,
        };
        product(engine, &left, &[&panels], &sink);
    }
    Ok(())
}

/// For each tap what the gradients of the pixels sum up to for which it lies outside and is not counted:
/// (c_out, taps). Pixels in ascending order.
fn outside<T: Number>(walk: &Walk, dy_t: &[T]) -> Vec<T::Sum> {
    let (pixels, taps) = (walk.pixels().1, walk.conv.kernel.0 * walk.conv.kernel.1);
    let mut sums = vec![T::Sum::default(); walk.conv.c_out * taps];
    if walk.conv.pad == Pad::Zero && pixels > 0 {
        for pixel in 0..pixels {
            walk.each_tap(pixel, |tap, from| {
                if from.is_none() {
                    for (sums, dy) in sums.chunks_exact_mut(taps).zip(dy_t.chunks_exact(pixels)) {
                        sums[tap] += dy[pixel].into();
                    }
                }
            });
        }
    }
    sums
}

/// Takes back what taps added that are not counted: (outputs, patch) of a group.
struct Inside<'a, T: Number, K> {
    /// The row of the group's first output.
    first: usize,
    taps: usize,
    channels: usize,
    /// (outputs, taps)
    outside: &'a [T::Sum],
    scales: Option<&'a [f32]>,
    to: &'a K,
}

/// Elements that go on at once: whole words of weights.
const PIECE: usize = 256;

impl<T: Number, K: Sink<f32>> Sink<T::Sum> for Inside<'_, T, K> {
    fn ahead(&self, row: usize, cols: Range<usize>, ahead: &mut Ahead) {
        self.to.ahead(self.first + row, cols, ahead);
    }

    #[inline(always)]
    fn put(&self, row: usize, col: usize, run: &[T::Sum]) {
        let outside = &self.outside[row * self.taps..][..self.taps];
        let scale = self.scales.map_or(1.0, |scales| scales[row]);
        let mut piece = [0.0; PIECE];
        for (index, sums) in run.chunks(PIECE).enumerate() {
            let (first, mut done) = (col + index * PIECE, 0);
            while done < sums.len() {
                let at = first + done;
                let end = sums.len().min(done + self.channels - at % self.channels);
                for (dw, sum) in piece[done..end].iter_mut().zip(&sums[done..end]) {
                    let mut sum = *sum;
                    sum += outside[at / self.channels];
                    *dw = scale * T::real(sum);
                }
                done = end;
            }
            self.to.put(self.first + row, first, &piece[..sums.len()]);
        }
    }
}
