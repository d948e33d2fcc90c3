//! The gradient of a convolution's input.
//!
//! `dx_p = sum dy_q w_tap` over the output pixels q that see input pixel p through a tap. Each row of `dy w`
//! over all taps is added at once to the pixels that its taps meet, so no matrix of columns exists. Threads
//! share the images; the sum of a pixel adds its output pixels in ascending order.

use alloc::vec::Vec;
use core::marker::PhantomData;

use super::{
    number::Number,
    operands::{CONV, Over},
    shape::{Geometry, Images, Walk},
    weights::ConvTransposed,
};
use crate::{
    error::{Result, check_len, check_shape},
    machine::{Engine, Plain, SharedSlice},
    numbers_x_bits::tile,
    product::{Multiply, Put},
    round::Int8,
};

/// dy: (b * h' * w', c_out), dx: (b * h * w, c_in).
impl Multiply<Over<'_, ConvTransposed>, &mut [f32]> for &[f32] {
    fn multiply(self, engine: &Engine, right: Over<ConvTransposed>, dx: &mut [f32]) -> Result<()> {
        let walk = Walk::new(right.weights.conv, right.images)?;
        check_len(CONV, "dy", (walk.pixels().1, walk.conv.c_out), self.len())?;
        scatter(engine, &walk, (self, None), right.weights, dx)
    }
}

/// From a rounded gradient, with a scale for each pixel of the output.
impl Multiply<Over<'_, ConvTransposed>, &mut [f32]> for &Int8 {
    fn multiply(self, engine: &Engine, right: Over<ConvTransposed>, dx: &mut [f32]) -> Result<()> {
        let walk = Walk::new(right.weights.conv, right.images)?;
        check_shape(CONV, "dy", (walk.pixels().1, walk.conv.c_out), self.shape())?;
        scatter(engine, &walk, (self.values(), Some(self.scales())), right.weights, dx)
    }
}

/// (pixels, groups, c) -> (groups, pixels, c); `None` for one group, where both are the same.
fn by_group<T: Plain>(walk: &Walk, values: &[T]) -> Option<Vec<T>> {
    let (Geometry { groups, c_out, .. }, outputs) = (walk.conv, walk.conv.of_group().1);
    let of_group =
        |group| values.chunks_exact(c_out).flat_map(move |pixel| &pixel[group * outputs..][..outputs]);
    (groups > 1).then(|| (0..groups).flat_map(of_group).copied().collect())
}

/// Computes dx. dy: (pixels, c_out), with a scale for each pixel or `None`.
fn scatter<T: Number>(
    engine: &Engine,
    walk: &Walk,
    (dy, scales): (&[T], Option<&[f32]>),
    weights: &ConvTransposed,
    dx: &mut [f32],
) -> Result<()> {
    check_len(CONV, "out", (walk.pixels().0, walk.conv.c_in), dx.len())?;
    dx.fill(0.0);
    let Some(panels) = weights.groups.first() else { return Ok(()) };
    let by_group = by_group(walk, dy);
    let shape = (walk.pixels().1.saturating_mul(walk.conv.groups), walk.conv.of_group().1);
    let left = T::left(CONV, engine, shape, by_group.as_deref().unwrap_or(dy), panels)?;
    let Images { b, h, w } = walk.output;
    let of_image = walk.input.h * walk.input.w * walk.conv.c_in;
    let dx = SharedSlice::new(dx);
    engine.each_index(b, |image| {
        // SAFETY: the image lies within dx, and every image comes once.
        let dx = unsafe { dx.part(image * of_image..(image + 1) * of_image) };
        for (group, panels) in weights.groups.iter().enumerate() {
            let first = group * b * h * w;
            let rows = first + image * h * w..first + (image + 1) * h * w;
            let dx = SharedSlice::new(&mut *dx);
            let sink = Scatter::<T> { walk, group, image, first, scales, dx, of: PhantomData };
            tile(engine.isa(), &left, &[panels], rows, 0..panels.n(), &sink);
        }
    });
    Ok(())
}

/// A sink that adds the rows of one image and one group to the pixels that the taps meet.
struct Scatter<'a, T> {
    walk: &'a Walk,
    group: usize,
    image: usize,
    /// The row of output pixel 0.
    first: usize,
    /// The scale of each output pixel.
    scales: Option<&'a [f32]>,
    /// (h, w, c_in) of the image.
    dx: SharedSlice<'a, f32>,
    of: PhantomData<T>,
}

impl<T: Number> Put<T::Sum> for Scatter<'_, T> {
    #[inline(always)]
    fn put(&self, row: usize, col: usize, run: &[T::Sum]) {
        let (pixel, channels) = (row - self.first, self.walk.conv.of_group().0);
        let scale = self.scales.map_or(1.0, |scales| scales[pixel]);
        let of_image = self.image * self.walk.input.h * self.walk.input.w;
        debug_assert_eq!(col, 0, "a row of all taps is one run");
        self.walk.each_tap(pixel, |tap, from| {
            let Some(from) = from else { return };
            let first = (from - of_image) * self.walk.conv.c_in + self.group * channels;
            // SAFETY: `from` is a pixel of the image, and one thread has the image.
            let dx = unsafe { self.dx.part(first..first + channels) };
            for (dx, sum) in dx.iter_mut().zip(&run[tap * channels..][..channels]) {
                *dx += scale * T::real(*sum);
            }
        });
    }
}
