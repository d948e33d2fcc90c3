//! The gradient of a convolution's weights, `dw = dy^T patches(x)`, as for a dense layer.
//!
//! The patches of all pixels do exist in memory, because the sum is over pixels, but as bits: a 32nd of their
//! size in f32. Taps that do not count ([`Pad::Zero`]) are -1 in the patches; their part of dw is subtracted
//! in the end.

use alloc::{vec, vec::Vec};
use core::ops::Range;

use super::{
    number::Number,
    operands::{CONV, Patches},
    patches::{gather, view},
    shape::{Pad, Walk},
};
use crate::{
    error::{Result, check_len, check_shape},
    machine::{Ahead, Engine, scratch},
    numbers_x_bits::multiply,
    panels::Panels,
    product::{Multiply, Put, Sink},
    round::Int8,
    tensor::BitView,
};

/// dy_t: (c_out, b * h' * w'), the transposed gradient; x: (b * h * w, c_in) bits;
/// the sink takes (c_out, kh * kw * c_in / groups).
impl<K: Sink<f32>> Multiply<Patches<BitView<'_>>, K> for &[f32] {
    fn multiply(self, engine: &Engine, right: Patches<BitView<'_>>, sink: K) -> Result<()> {
        let walk = Walk::new(right.geometry, right.images)?;
        check_len(CONV, "dy_t", (walk.conv.c_out, walk.pixels().1), self.len())?;
        let sink = sink.open(CONV, (walk.conv.c_out, walk.conv.patch()?))?;
        by_patches(engine, &walk, (self, None), right.x, &sink)
    }
}

/// From a rounded gradient, as [`Int8::round_transposed`] makes it: exact sums, times the scale of their
/// channel.
impl<K: Sink<f32>> Multiply<Patches<BitView<'_>>, K> for &Int8 {
    fn multiply(self, engine: &Engine, right: Patches<BitView<'_>>, sink: K) -> Result<()> {
        let walk = Walk::new(right.geometry, right.images)?;
        check_shape(CONV, "dy_t", (walk.conv.c_out, walk.pixels().1), self.shape())?;
        let sink = sink.open(CONV, (walk.conv.c_out, walk.conv.patch()?))?;
        by_patches(engine, &walk, (self.values(), Some(self.scales())), right.x, &sink)
    }
}

/// Computes dw, (c_out, patch), for the sink `to`. dy_t: (c_out, pixels), with a scale for each channel or
/// `None`.
fn by_patches<T: Number>(
    engine: &Engine,
    walk: &Walk,
    (dy_t, scales): (&[T], Option<&[f32]>),
    x: BitView,
    to: &impl Put<f32>,
) -> Result<()> {
    let (conv, pixels, patch) = (&walk.conv, walk.pixels().1, walk.conv.patch()?);
    check_shape(CONV, "x", (walk.pixels().0, conv.c_in), x.shape())?;
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
        let left = T::left(CONV, engine, (outputs, pixels), dy_t, &panels)?;
        let sink = Inside::<T, _> {
            first: group * outputs,
            taps,
            channels: patch / taps,
            outside: &outside[group * outputs * taps..],
            scales: scales.map(|scales| &scales[group * outputs..]),
            to,
        };
        multiply(engine, &left, &[&panels], &sink);
    }
    Ok(())
}

/// For each tap the sum of the gradients of those pixels for which it lies outside of the image and does not
/// count: (c_out, taps). Pixels come in ascending order.
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

/// A sink that subtracts the part of taps that do not count: (outputs, patch) of a group.
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

/// Elements that go to the next sink at once: whole words of weights.
const PIECE: usize = 256;

impl<T: Number, K: Put<f32>> Put<T::Sum> for Inside<'_, T, K> {
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
