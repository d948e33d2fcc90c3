//! The operands of convolutions, and the entry to them.

use super::shape::{Geometry, Images};
use crate::{
    error::Result,
    machine::Engine,
    product::{Left, product},
};

/// The operation that errors of convolutions name.
pub(super) const CONV: &str = "conv";

/// Convolves `images` with packed weights, or their gradient with the transposed ones, and hands the results
/// to `sink`: see [`conv`](crate::conv) for the pairs that have a kernel.
///
/// left: a row for each pixel; the sink takes a row for each pixel of the output, or of the input for
/// gradients.
///
/// # Errors
/// The errors of [`product()`](crate::product()) and of [`Geometry::output`].
pub fn convolve<'w, L, W, K>(engine: &Engine, left: L, images: Images, weights: &'w W, sink: K) -> Result<()>
where
    L: Left<Over<'w, W>, K>,
{
    product(engine, left, Over { weights, images }, sink)
}

/// A right operand: the packed weights of a convolution, over images of one size.
#[derive(Debug)]
pub struct Over<'w, W> {
    /// [`ConvWeights`](crate::ConvWeights), or [`ConvTransposed`](crate::ConvTransposed) for the gradient of
    /// the input.
    pub weights: &'w W,
    /// The images of the input.
    pub images: Images,
}

impl<W> Clone for Over<'_, W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<W> Copy for Over<'_, W> {}

/// A right operand by columns: the patches of `x` that the kernels meet, (b * h' * w', kh * kw * c_in /
/// groups). So a product with the gradient of the output is the gradient of the weights.
#[derive(Clone, Copy, Debug)]
pub struct Patches<X> {
    /// The convolution.
    pub geometry: Geometry,
    /// The images of the input.
    pub images: Images,
    /// Bits or reals: (b * h * w, c_in).
    pub x: X,
}
