//! Convolution of real images, the first layer of a network, with bits.
//!
//! A patch is what an output pixel sees, `(kh, kw, c_in / groups)`; pixels around an image are 0, whatever
//! the [`Pad`](crate::Pad) of bits. A sum is the product of a patch with a row of weights, by fours as in
//! [`product`](mod@crate::product#order-of-additions), zeros of the padding included. Patches of some hundred
//! pixels at a time are gathered, so the matrix of all of them never exists.

use alloc::vec;
use core::ops::Range;

use super::{
    operands::{CONV, Over, Patches},
    shape::Walk,
    weights::ConvWeights,
};
use crate::{
    error::{Result, check_len, check_shape},
    machine::{Engine, SharedSlice, scratch},
    numbers_x_bits::{Reals, multiply_reals, tile},
    product::{Columns, Multiply, Place, Put, RealView},
};

/// Most output pixels of a job, and most elements of their patches.
const TALLEST: usize = 128;
const ROOM: usize = 1 << 16;

/// Most parts into which pixels are divided for the gradient of the weights, and least pixels of a part.
const PARTS: usize = 64;
const SHORTEST: usize = 256;

/// x: (b * h * w, c_in), weights [for reals](ConvWeights::pack_for_reals),
/// y: (b * h' * w', c_out).
impl Multiply<Over<'_, ConvWeights>, &mut [f32]> for &[f32] {
    fn multiply(self, engine: &Engine, right: Over<ConvWeights>, y: &mut [f32]) -> Result<()> {
        let Over { weights, images } = right;
        let walk = Walk::new(weights.conv, images)?;
        let (conv, pixels, patch) = (&walk.conv, walk.pixels().1, walk.conv.patch()?);
        check_len(CONV, "x", (walk.pixels().0, conv.c_in), self.len())?;
        check_len(CONV, "out", (pixels, conv.c_out), y.len())?;
        weights.groups.iter().try_for_each(|panels| panels.check_reals(CONV, engine))?;
        let height = (ROOM / patch.max(1)).clamp(8, TALLEST).min(pixels.div_ceil(engine.threads())).max(1);
        let (outputs, y) = (conv.of_group().1, SharedSlice::new(y));
        engine.each_index(pixels.div_ceil(height), |job| {
            let pixels = job * height..pixels.min((job + 1) * height);
            let mut patches = scratch(pixels.len() * patch);
            for (group, panels) in weights.groups.iter().enumerate() {
                gather(&walk, self, group, pixels.clone(), &mut patches);
                let left = Reals::of(CONV, engine, pixels.len(), &patches, panels)
                    .expect("the operands were checked");
                let first = pixels.start * conv.c_out + group * outputs;
                let sink = Channels { first, stride: conv.c_out, y: &y };
                tile(engine.isa(), &left, &[panels], 0..pixels.len(), 0..outputs, &sink);
            }
        });
        Ok(())
    }
}

/// A sink that stores some columns of some rows of y: (pixels, c_out).
struct Channels<'a> {
    /// Index of row 0, column 0.
    first: usize,
    stride: usize,
    y: &'a SharedSlice<'a, f32>,
}

impl Put<f32> for Channels<'_> {
    const RUN: Option<usize> = Some(64);

    #[inline(always)]
    fn put(&self, row: usize, col: usize, run: &[f32]) {
        let first = self.first + row * self.stride + col;
        // SAFETY: y has a place for each pixel and channel, and each comes once.
        unsafe { self.y.part(first..first + run.len()) }.copy_from_slice(run);
    }

    fn place(&self, row: usize, col: usize) -> Option<Place<f32>> {
        Some(Place { first: self.y.at(self.first + row * self.stride + col), stride: self.stride })
    }
}

/// dy: (b * h' * w', c_out), by columns; x: (b * h * w, c_in);
/// dw: (c_out, kh * kw * c_in / groups).
///
/// The output pixels are divided into 64 parts of equal length, at least 256 pixels, of which the last may be
/// shorter. Each part adds its products one after the other, and the sums of the parts are added in their
/// order.
impl Multiply<Patches<&[f32]>, &mut [f32]> for Columns<RealView<'_>> {
    fn multiply(self, engine: &Engine, right: Patches<&[f32]>, dw: &mut [f32]) -> Result<()> {
        let (Columns(RealView { rows, cols, values: dy }), Patches { geometry: conv, images, x }) =
            (self, right);
        let walk = Walk::new(conv, images)?;
        let (pixels, patch, outputs) = (walk.pixels().1, conv.patch()?, conv.of_group().1);
        check_shape(CONV, "dy", (pixels, conv.c_out), (rows, cols))?;
        check_len(CONV, "dy", (pixels, conv.c_out), dy.len())?;
        check_len(CONV, "x", (walk.pixels().0, conv.c_in), x.len())?;
        check_len(CONV, "out", (conv.c_out, patch), dw.len())?;
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
                let engine = Engine::single().with_isa(engine.isa());
                multiply_reals(&engine, &patches_t, &of_group, (pixels.len(), outputs), sums);
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
}

/// Gathers patches: (pixels, kh * kw * c) reals of the channels of `group`.
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

/// Gathers transposed patches: (kh * kw * c, pixels) reals of the channels of `group`.
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
