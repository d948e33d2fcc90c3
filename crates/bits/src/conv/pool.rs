//! Pooling of bits: the largest of a window is the OR of its bits, the smallest the AND.
//!
//! `y_bhwc = max_(ky, kx) x_b(h sh + ky)(w sw + kx)c` over +-1. Pixels that no whole window covers are
//! ignored. x: (b * h * w, c) bits, y: (b * h' * w', c) bits.
//!
//! Pooling commutes with thresholds: `max_k [s_k >= t] = [max_k s_k >= t]`, so bits may be pooled instead of
//! sums. A descending threshold reverses the order: `[max_k s_k <= t] = min_k [s_k <= t]`. So if a batch norm
//! with a negative gamma lies between pooling and sign, the bits of its channel are pooled by AND:
//! `descending`.
//!
//! ```
//! use onebit_bits::{BitTensor, Engine, Images, Pool, pool_or_and};
//!
//! // one image of 2 x 2 pixels, two channels of which the second is descending
//! let x = BitTensor::from_fn(4, 2, |pixel, _| pixel == 1);
//! let descending = BitTensor::from_fn(1, 2, |_, c| c == 1);
//! let mut y = BitTensor::zeros(1, 2);
//! let pool = Pool { kernel: (2, 2), stride: (2, 2) };
//! pool_or_and(&Engine::single(), x.view(), Images { b: 1, h: 2, w: 2 }, pool, descending.view(), &mut y)?;
//! assert_eq!((y.get(0, 0), y.get(0, 1)), (true, false));
//! # Ok::<(), onebit_bits::Error>(())
//! ```

use super::shape::{Images, check_not_empty, steps};
use crate::{
    error::{Result, check_shape},
    machine::Engine,
    tensor::{BitTensor, BitView},
};

/// A pooling window and its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Rows and columns of the window.
    pub kernel: (usize, usize),
    /// Steps of the window, down and to the right.
    pub stride: (usize, usize),
}

impl Pool {
    /// The size of the output: `(h - kernel) / stride + 1`, rounded down, and likewise for w.
    ///
    /// # Errors
    /// [`Error::Empty`](crate::Error::Empty) if the window or the stride is empty,
    /// [`Error::Kernel`](crate::Error::Kernel) if the window does not fit into the image,
    /// [`Error::TooLarge`](crate::Error::TooLarge) if a size exceeds `usize`.
    pub fn output(&self, images: Images) -> Result<Images> {
        const OP: &str = "pool";
        check_not_empty(OP, "window", self.kernel)?;
        check_not_empty(OP, "stride", self.stride)?;
        images.pixels(OP)?;
        let (h, w) = steps(OP, (images.h, images.w), self.kernel, self.stride)?;
        Ok(Images { b: images.b, h, w })
    }
}

/// The OR of each window, or the AND where `descending_c` is 1.
///
/// x: (b * h * w, c) bits, descending: (1, c) bits, y: (b * h' * w', c) bits.
///
/// # Errors
/// The errors of [`Pool::output`]; [`Error::Shape`](crate::Error::Shape) unless the operands fit.
pub fn pool_or_and(
    engine: &Engine,
    x: BitView,
    images: Images,
    pool: Pool,
    descending: BitView,
    y: &mut BitTensor,
) -> Result<()> {
    const OP: &str = "pool_or_and";
    let output = pool.output(images)?;
    check_shape(OP, "x", (images.pixels(OP)?, x.cols()), x.shape())?;
    check_shape(OP, "descending", (1, x.cols()), descending.shape())?;
    check_shape(OP, "y", (output.pixels(OP)?, x.cols()), y.shape())?;
    let (channels, window) = (x.words_per_row(), pool.kernel.0 * pool.kernel.1);
    let (x, descending) = (x.words(), descending.words());
    let row_words = channels * output.w;
    let work = y.words().len().saturating_mul(window);
    engine.rows(y.words_mut(), row_words, work, |first, rows| {
        for (row, y) in (first..).zip(rows.chunks_exact_mut(row_words)) {
            let (image, top) = (row / output.h, row % output.h * pool.stride.0);
            for (col, y) in y.chunks_exact_mut(channels).enumerate() {
                let first = (image * images.h + top) * images.w + col * pool.stride.1;
                for (word, (y, descending)) in y.iter_mut().zip(descending).enumerate() {
                    let (mut any, mut all) = (0, !0);
                    for ky in 0..pool.kernel.0 {
                        for kx in 0..pool.kernel.1 {
                            let x = x[(first + ky * images.w + kx) * channels + word];
                            any |= x;
                            all &= x;
                        }
                    }
                    *y = (any & !descending) | (all & descending);
                }
            }
        }
    });
    Ok(())
}
