//! Convolution of real images, the first layer of a network, with bits.
//!
//! A patch is what an output pixel sees, `(kh, kw, c_in / groups)`; what lies around an image is 0, whatever the
//! [`Pad`](crate::Pad) of bits is. A sum is that of a patch with a row of weights in the order of `real`:
//! fours, zeros of the padding among them. Patches of some hundred pixels at a time are gathered, so the matrix of all of
//! them never exists.

use alloc::vec;
use core::ops::Range;

use super::{
    shape::{Geometry, Images, Walk},
    weights::ConvWeights,
};
use crate::{
    error::{Result, check_len},
    machine::{Engine, SharedSlice, scratch},
    numbers_x_bits::{Place, Reals, Sink, real_real, tile},
};

/// Output pixels of a job at most, as many as have room for their patches.
const TALLEST: usize = 128;
const ROOM: usize = 1 << 16;

/// Parts into which pixels are divided for the gradient of the weights at most, and the pixels of a part at least.
const PARTS: usize = 64;
const SHORTEST: usize = 256;

/// The sums. x: (b * h * w, c_in), weights: [for reals](ConvWeights::pack_for_reals), y: (b * h' * w', c_out).
///
/// ```
/// use onebit_bits::{BitTensor, Geometry, ConvWeights, Engine, Images, Padding, conv_reals};
///
/// // one image of one row, one channel; a kernel (+1 +1) with a pixel of padding on the right
/// let (engine, images) = (Engine::single(), Images { b: 1, h: 1, w: 3 });
/// let conv = Geometry { padding: Padding { right: 1, ..Padding::default() }, ..Geometry::new(1, 1, (1, 2)) };
/// let weights = ConvWeights::pack_for_reals(&engine, conv, BitTensor::from_fn(1, 2, |_, _| true).view())?;
/// let mut y = [0.0; 3];
/// conv_reals(&engine, &[0.5, 1.0, 2.0], images, &weights, &mut y)?;
/// assert_eq!(y, [1.5, 3.0, 2.0]);
/// # Ok::<(), onebit_bits::Error>(())
/// ```
///
/// # Errors
/// As [`Geometry::output`]; [`Error::Length`](crate::Error::Length) unless the operands fit;
/// [`Error::Packed`](crate::Error::Packed) if the weights are for another instruction set or for bits.
pub fn conv_reals(
    engine: &Engine,
    x: &[f32],
    images: Images,
    weights: &ConvWeights,
    y: &mut [f32],
) -> Result<()> {
    const OP: &str = "conv_reals";
    let walk = Walk::new(weights.conv, images)?;
    let (conv, pixels, patch) = (&walk.conv, walk.pixels().1, walk.conv.patch()?);
    check_len(OP, "x", (walk.pixels().0, conv.c_in), x.len())?;
    check_len(OP, "y", (pixels, conv.c_out), y.len())?;
    weights.groups.iter().try_for_each(|panels| panels.check_reals(OP, engine))?;
    let height = (ROOM / patch.max(1)).clamp(8, TALLEST).min(pixels.div_ceil(engine.threads())).max(1);
    let (outputs, y) = (conv.of_group().1, SharedSlice::new(y));
    engine.each_index(pixels.div_ceil(height), |job| {
        let pixels = job * height..pixels.min((job + 1) * height);
        let mut patches = scratch(pixels.len() * patch);
        for (group, panels) in weights.groups.iter().enumerate() {
            gather(&walk, x, group, pixels.clone(), &mut patches);
            let left =
                Reals::of(OP, engine, pixels.len(), &patches, panels).expect("it has just been checked");
            let sink =
                Columns { first: pixels.start * conv.c_out + group * outputs, stride: conv.c_out, y: &y };
            tile(engine.isa(), &left, &[panels], 0..pixels.len(), 0..outputs, &sink);
        }
    });
    Ok(())
}

/// Stores some columns of some rows of y: (pixels, c_out).
struct Columns<'a> {
    /// Where row 0, column 0 is.
    first: usize,
    stride: usize,
    y: &'a SharedSlice<'a, f32>,
}

impl Sink<f32> for Columns<'_> {
    const RUN: Option<usize> = Some(64);

    #[inline(always)]
    fn put(&self, row: usize, col: usize, run: &[f32]) {
        let first = self.first + row * self.stride + col;
        // SAFETY: y has a place for each pixel and channel, each of which comes once.
        unsafe { self.y.part(first..first + run.len()) }.copy_from_slice(run);
    }

    fn place(&self, row: usize, col: usize) -> Option<Place<f32>> {
        Some(Place { first: self.y.at(self.first + row * self.stride + col), stride: self.stride })
    }
}

/// The gradient of the weights. dy: (b * h' * w', c_out), x: (b * h * w, c_in), dw: (c_out, kh * kw * c_in / groups).
///
/// The output pixels are divided into 64 parts of the same length, of 256 pixels at least, the last maybe shorter. Each
/// part adds its products one after the other, and the sums of the parts are added up in their order.
///
/// # Errors
/// As [`Geometry::output`]; [`Error::Length`](crate::Error::Length) unless the operands fit.
pub fn conv_dw_reals(
    engine: &Engine,
    conv: Geometry,
    dy: &[f32],
    x: &[f32],
    images: Images,
    dw: &mut [f32],
) -> Result<()> {
    const OP: &str = "conv_dw_reals";
    let walk = Walk::new(conv, images)?;
    let (pixels, patch, outputs) = (walk.pixels().1, conv.patch()?, conv.of_group().1);
    check_len(OP, "dy", (pixels, conv.c_out), dy.len())?;
    check_len(OP, "x", (walk.pixels().0, conv.c_in), x.len())?;
    check_len(OP, "dw", (conv.c_out, patch), dw.len())?;
    if dw.is_empty() {
        return Ok(());
    }
    let length = pixels.div_ceil(PARTS).max(SHORTEST);
    let of_part = patch * outputs;
    let mut parts = vec![0.0; pixels.div_ceil(length).max(1) * of_part]; // (parts, patch, outputs)
    for (group, dw) in dw.chunks_exact_mut(of_part).enumerate() {
        engine.chunks(&mut parts[..], of_part, |first, sums| {
            let first = first / of_part * length;
            let pixels = first..pixels.min(first + length);
            let mut patches_t = scratch(patch * pixels.len());
            gather_transposed(&walk, x, group, pixels.clone(), &mut patches_t);
            let rows = dy[pixels.start * conv.c_out..pixels.end * conv.c_out].chunks_exact(conv.c_out);
            let mut of_group = scratch(pixels.len() * outputs);
            for (to, row) in of_group.chunks_exact_mut(outputs).zip(rows) {
                to.copy_from_slice(&row[group * outputs..][..outputs]);
            }
            let sizes = (patch, pixels.len(), outputs);
            real_real(&Engine::single().with_isa(engine.isa()), sizes, &patches_t, &of_group, sums)
                .expect("as many numbers as these sizes say");
        })?;
        let (sums, others) = parts.split_at_mut(of_part);
        for others in others.chunks_exact(of_part) {
            sums.iter_mut().zip(others).for_each(|(sum, other)| *sum += other);
        }
        for (tap, sums) in sums.chunks_exact(outputs).enumerate() {
            dw.iter_mut().skip(tap).step_by(patch).zip(sums).for_each(|(dw, sum)| *dw = *sum);
        }
    }
    Ok(())
}

/// patches: (pixels, kh * kw * c) reals of the channels of `group`.
fn gather(walk: &Walk, x: &[f32], group: usize, pixels: Range<usize>, patches: &mut [f32]) {
    let (channels, all) = (walk.conv.of_group().0, walk.conv.c_in);
    let ((rows, cols), mut place) = (walk.conv.kernel, walk.place(pixels.start));
    for patch in patches.chunks_exact_mut((rows * cols * channels).max(1)) {
        let (top, left) = (place.y * walk.conv.stride.0, place.x * walk.conv.stride.1);
        for (ky, taps) in patch.chunks_exact_mut(cols * channels).enumerate() {
            let Some(row) = walk.row(top + ky) else {
                taps.fill(0.0);
                continue;
            };
            let first = (place.image * walk.input.h + row) * walk.input.w;
            match (walk.col(left), walk.col(left + cols - 1)) {
                // side by side, as in the image
                (Some(col), Some(_)) if channels == all => {
                    taps.copy_from_slice(&x[(first + col) * all..][..cols * all]);
                }
                _ => {
                    for (kx, tap) in taps.chunks_exact_mut(channels).enumerate() {
                        match walk.col(left + kx) {
                            Some(col) => {
                                let from = (first + col) * all + group * channels;
                                tap.copy_from_slice(&x[from..][..channels]);
                            }
                            None => tap.fill(0.0),
                        }
                    }
                }
            }
        }
        walk.next(&mut place);
    }
}

/// patches_t: (kh * kw * c, pixels) reals of the channels of `group`.
fn gather_transposed(walk: &Walk, x: &[f32], group: usize, pixels: Range<usize>, patches_t: &mut [f32]) {
    let (channels, len) = (walk.conv.of_group().0, pixels.len());
    for (at, pixel) in pixels.enumerate() {
        walk.each_tap(pixel, |tap, from| {
            let to = patches_t[tap * channels * len..].iter_mut().skip(at).step_by(len).take(channels);
            match from {
                Some(from) => {
                    let from = &x[from * walk.conv.c_in + group * channels..];
                    to.zip(from).for_each(|(to, from)| *to = *from);
                }
                None => to.for_each(|to| *to = 0.0),
            }
        });
    }
}
