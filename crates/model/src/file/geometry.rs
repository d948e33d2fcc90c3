//! The geometry of a convolution as the integers of one tensor.

use onebit_bits::{Geometry, Pad, Padding, Pool};

use crate::layer::Conv;

/// Integers in a geometry tensor.
pub(crate) const GEOMETRY: usize = 17;

/// What a padding pixel counts, as a number in the file.
const PADS: [(i32, Pad); 3] = [(-1, Pad::Minus), (0, Pad::Zero), (1, Pad::Plus)];

/// Image `h, w`; input channels; kernel and stride, down then right; padding top, left, bottom, right and
/// what it counts; groups; pooling window and its stride, zeros without pooling.
pub(super) fn to_numbers<W>(conv: &Conv<W>) -> [i32; GEOMETRY] {
    let Geometry { c_in, kernel, stride, padding: Padding { top, left, bottom, right }, pad, groups, .. } =
        conv.geometry;
    let pad = PADS.iter().find(|(_, is)| *is == pad).map_or(0, |(number, _)| *number);
    let Pool { kernel: window, stride: steps } = conv.pool.unwrap_or(Pool { kernel: (0, 0), stride: (0, 0) });
    // construction has checked the sizes: they are below 2^31
    let n = |size: usize| size as i32;
    [
        n(conv.image.0),
        n(conv.image.1),
        n(c_in),
        n(kernel.0),
        n(kernel.1),
        n(stride.0),
        n(stride.1),
        n(top),
        n(left),
        n(bottom),
        n(right),
        pad,
        n(groups),
        n(window.0),
        n(window.1),
        n(steps.0),
        n(steps.1),
    ]
}

/// Geometry, image `(h, w)` and pooling window.
type Parts = (Geometry, (usize, usize), Option<Pool>);

/// The inverse of [`to_numbers`], for a layer of `inputs` values and `c_out` output channels. The error is
/// the problem.
pub(super) fn from_numbers(numbers: &[i32], (inputs, c_out): (usize, usize)) -> Result<Parts, &'static str> {
    let &[h, w, c_in, kh, kw, sh, sw, top, left, bottom, right, pad, groups, ph, pw, psh, psw] = numbers
    else {
        return Err("the geometry does not have 17 numbers");
    };
    let Some((_, pad)) = PADS.into_iter().find(|(number, _)| *number == pad) else {
        return Err("the padding value is not -1, 0 or 1");
    };
    let n = |number: i32| usize::try_from(number).map_err(|_| "the geometry has a negative size");
    let pool = match [ph, pw, psh, psw] {
        [0, 0, 0, 0] => None,
        _ => Some(Pool { kernel: (n(ph)?, n(pw)?), stride: (n(psh)?, n(psw)?) }),
    };
    let geometry = Geometry {
        c_in: n(c_in)?,
        c_out,
        kernel: (n(kh)?, n(kw)?),
        stride: (n(sh)?, n(sw)?),
        padding: Padding { top: n(top)?, left: n(left)?, bottom: n(bottom)?, right: n(right)? },
        pad,
        groups: n(groups)?,
    };
    let image = (n(h)?, n(w)?);
    let columns = image.0.checked_mul(image.1).and_then(|pixels| pixels.checked_mul(geometry.c_in));
    if columns != Some(inputs) {
        return Err("the size of its images differs from its number of inputs");
    }
    Ok((geometry, image, pool))
}
