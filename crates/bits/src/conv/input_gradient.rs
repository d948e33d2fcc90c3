//! The gradient of the input.

use alloc::vec::Vec;
use core::marker::PhantomData;

use super::{
    number::Number,
    shape::{Geometry, Images, Walk},
    weights::ConvTransposed,
};
use crate::{
    error::{Result, check_len, check_shape},
    machine::{Engine, Plain, SharedSlice},
    numbers_x_bits::{Sink, tile},
    round::Int8,
};

/// The gradient of the input. dy: (b * h' * w', c_out), dx: (b * h * w, c_in).
///
/// # Errors
/// As [`Geometry::output`]; [`Error::Length`](crate::Error::Length) unless the operands fit;
/// [`Error::Packed`](crate::Error::Packed) if the weights are for another instruction set.
pub fn conv_dx_f32(
    engine: &Engine,
    dy: &[f32],
    images: Images,
    weights: &ConvTransposed,
    dx: &mut [f32],
) -> Result<()> {
    const OP: &str = "conv_dx_f32";
    let walk = Walk::new(weights.conv, images)?;
    check_len(OP, "dy", (walk.pixels().1, walk.conv.c_out), dy.len())?;
    scatter(OP, engine, &walk, (dy, None), weights, dx)
}

/// The gradient of the input from a rounded one. dy: (b * h' * w', c_out), a scale for each pixel,
/// dx: (b * h * w, c_in).
///
/// # Errors
/// As [`conv_dx_f32`]; [`Error::Shape`](crate::Error::Shape) unless dy fits.
pub fn conv_dx_int8(
    engine: &Engine,
    dy: &Int8,
    images: Images,
    weights: &ConvTransposed,
    dx: &mut [f32],
) -> Result<()> {
    const OP: &str = "conv_dx_int8";
    let walk = Walk::new(weights.conv, images)?;
    check_shape(OP, "dy", (walk.pixels().1, walk.conv.c_out), dy.shape())?;
    scatter(OP, engine, &walk, (dy.values(), Some(dy.scales())), weights, dx)
}

/// (pixels, groups, c) -> (groups, pixels, c); nothing for one group, where they are the same.
fn by_group<T: Plain>(walk: &Walk, values: &[T]) -> Option<Vec<T>> {
    let (Geometry { groups, c_out, .. }, outputs) = (walk.conv, walk.conv.of_group().1);
    let of_group =
        |group| values.chunks_exact(c_out).flat_map(move |pixel| &pixel[group * outputs..][..outputs]);
    (groups > 1).then(|| (0..groups).flat_map(of_group).copied().collect())
}

/// dy: (pixels, c_out) and a scale for each pixel.
fn scatter<T: Number>(
    op: &'static str,
    engine: &Engine,
    walk: &Walk,
    (dy, scales): (&[T], Option<&[f32]>),
    weights: &ConvTransposed,
    dx: &mut [f32],
) -> Result<()> {
    check_len(op, "dx", (walk.pixels().0, walk.conv.c_in), dx.len())?;
    dx.fill(0.0);
    let Some(panels) = weights.groups.first() else { return Ok(()) };
    let by_group = by_group(walk, dy);
    let shape = (walk.pixels().1.saturating_mul(walk.conv.groups), walk.conv.of_group().1);
    let left = T::left(op, engine, shape, by_group.as_deref().unwrap_or(dy), panels)?;
    let Images { b, h, w } = walk.output;
    let of_image = walk.input.h * walk.input.w * walk.conv.c_in;
    let dx = SharedSlice::new(dx);
    engine.each_index(b, |image| {
        // SAFETY: every image comes once.
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

/// Adds the rows of one image and one group to the pixels that the taps meet.
struct Scatter<'a, T> {
    walk: &'a Walk,
    group: usize,
    image: usize,
    /// The row of output pixel 0.
    first: usize,
    /// Of each output pixel.
    scales: Option<&'a [f32]>,
    /// (h, w, c_in) of the image.
    dx: SharedSlice<'a, f32>,
    of: PhantomData<T>,
}

impl<T: Number> Sink<T::Sum> for Scatter<'_, T> {
    #[inline(always)]
    fn put(&self, row: usize, col: usize, run: &[T::Sum]) {
        let (pixel, channels) = (row - self.first, self.walk.conv.of_group().0);
        let scale = self.scales.map_or(1.0, |scales| scales[pixel]);
        let of_image = self.image * self.walk.input.h * self.walk.input.w;
        debug_assert_eq!(col, 0, "a row of all taps is one run");
        self.walk.each_tap(pixel, |tap, from| {
            let Some(from) = from else { return };
            let first = (from - of_image) * self.walk.conv.c_in + self.group * channels;
            // SAFETY: within the image, for `from` is one of its pixels, and one thread has the image.
            let dx = unsafe { self.dx.part(first..first + channels) };
            for (dx, sum) in dx.iter_mut().zip(&run[tap * channels..][..channels]) {
                *dx += scale * T::real(*sum);
            }
        });
    }
}
