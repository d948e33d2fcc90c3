//! The patches of real images as a matrix, so that a convolution becomes a product: im2col and its transpose.
//!
//! Each row is the patch of one output pixel, `(kh, kw, c_in)`; images are padded with 0.

use onebit_bits::{Geometry, Images, Padding};

use crate::{contract::context::Context, error::Result, numeric::matrix::Matrix};

/// Copies the patches of x: (b h w, c) to (b h' w', kh kw c).
pub(crate) fn gather(cx: &Context, conv: &Geometry, images: Images, x: &Matrix) -> Result<Matrix> {
    let out = conv.output(images)?;
    let patch = conv.kernel.0 * conv.kernel.1 * conv.c_in;
    let channels = conv.c_in;
    let mut patches = cx.matrix(out.b * out.h * out.w, patch);
    let row_len = out.w * patch;
    cx.engine.chunks(patches.values_mut(), row_len, |first, row| {
        let (image, y) = (first / row_len / out.h, first / row_len % out.h);
        let mut taps = row.chunks_exact_mut(channels);
        for col in 0..out.w {
            for (ky, kx) in each_tap(conv) {
                let to = taps.next().expect("one place for each tap");
                match pixel(conv, images, (image, y, col), (ky, kx)) {
                    // loops, because so few values are not worth a call
                    Some(from) => {
                        let from = &x.values()[from * channels..][..channels];
                        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
                    }
                    None => to.iter_mut().for_each(|to| *to = 0.0),
                }
            }
        }
    })?;
    Ok(patches)
}

/// The transpose of [`gather`]: dx_p is the sum over all patches that contain pixel p, in ascending order.
pub(crate) fn scatter(
    cx: &Context,
    conv: &Geometry,
    images: Images,
    patches: &Matrix,
    dx: &mut Matrix,
) -> Result<()> {
    let out = conv.output(images)?;
    let channels = conv.c_in;
    let patch = patches.cols();
    let image_len = images.h * images.w * channels;
    cx.engine.chunks(dx.values_mut(), image_len, |first, dx| {
        dx.fill(0.0);
        let image = first / image_len;
        for (y, col) in (0..out.h).flat_map(|y| (0..out.w).map(move |col| (y, col))) {
            let row = &patches.values()[((image * out.h + y) * out.w + col) * patch..][..patch];
            for ((ky, kx), from) in each_tap(conv).zip(row.chunks_exact(channels)) {
                if let Some(to) = pixel(conv, images, (0, y, col), (ky, kx)) {
                    dx[to * channels..][..channels].iter_mut().zip(from).for_each(|(dx, from)| *dx += from);
                }
            }
        }
    })?;
    Ok(())
}

fn each_tap(conv: &Geometry) -> impl Iterator<Item = (usize, usize)> + use<> {
    let (rows, cols) = conv.kernel;
    (0..rows).flat_map(move |ky| (0..cols).map(move |kx| (ky, kx)))
}

/// The input pixel under a tap, unless it lies in the padding.
#[inline]
fn pixel(
    conv: &Geometry,
    images: Images,
    (image, y, col): (usize, usize, usize),
    (ky, kx): (usize, usize),
) -> Option<usize> {
    let Padding { top, left, .. } = conv.padding;
    let row = (y * conv.stride.0 + ky).checked_sub(top).filter(|row| *row < images.h)?;
    let col = (col * conv.stride.1 + kx).checked_sub(left).filter(|col| *col < images.w)?;
    Some((image * images.h + row) * images.w + col)
}
