//! The geometry of a convolution, and the input pixel that each tap of its kernel meets.

use crate::error::{Error, Result};

/// The geometry of a convolution: its channels, its kernel, and how that walks over an image.
///
/// ```
/// use onebit_bits::{Geometry, Images, Padding};
///
/// let conv = Geometry { padding: Padding::around(1), ..Geometry::new(64, 128, (3, 3)) };
/// let out = conv.output(Images { b: 1, h: 14, w: 14 })?;
/// assert_eq!((out.h, out.w), (14, 14));
/// # Ok::<(), onebit_bits::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Channels of the input.
    pub c_in: usize,
    /// Channels of the output.
    pub c_out: usize,
    /// Rows and columns of the kernel.
    pub kernel: (usize, usize),
    /// Steps of the kernel, down and to the right.
    pub stride: (usize, usize),
    /// Pixels added around an image.
    pub padding: Padding,
    /// The value of these pixels.
    pub pad: Pad,
    /// Groups of equal size: the output channels of a group see only the input channels of the same group.
    pub groups: usize,
}

/// Pixels added around an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Padding {
    /// Rows above.
    pub top: usize,
    /// Columns on the left.
    pub left: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns on the right.
    pub right: usize,
}

impl Padding {
    /// The same padding on all sides.
    #[must_use]
    pub const fn around(pixels: usize) -> Self {
        Self { top: pixels, left: pixels, bottom: pixels, right: pixels }
    }
}

/// The value of taps that lie in the padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pad {
    /// Every channel is +1.
    Plus,
    /// Every channel is -1.
    Minus,
    /// These taps do not count: the sum is over the taps within the image.
    Zero,
}

/// The number of images and their size. Their matrix is (b * h * w, channels), a row for each pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Images {
    /// Number of images.
    pub b: usize,
    /// Rows of an image.
    pub h: usize,
    /// Pixels of a row.
    pub w: usize,
}

impl Images {
    /// The number of pixels, `b * h * w`.
    pub(crate) fn pixels(self, op: &'static str) -> Result<usize> {
        let rows = self.b.checked_mul(self.h).ok_or(Error::TooLarge { op, rows: self.b, cols: self.h })?;
        rows.checked_mul(self.w).ok_or(Error::TooLarge { op, rows, cols: self.w })
    }
}

impl Geometry {
    /// A convolution with stride 1, without padding, with one group. Padding added later does not count
    /// unless `pad` says so.
    #[must_use]
    pub const fn new(c_in: usize, c_out: usize, kernel: (usize, usize)) -> Self {
        let (stride, padding) = ((1, 1), Padding::around(0));
        Self { c_in, c_out, kernel, stride, padding, pad: Pad::Zero, groups: 1 }
    }

    /// The size of the output: `(h + top + bottom - kernel) / stride + 1`, rounded down, and likewise for w.
    ///
    /// # Errors
    /// [`Error::Empty`] if the kernel or the stride is empty, [`Error::Groups`] unless the groups divide the
    /// channels, [`Error::Kernel`] if the kernel does not fit into the image, [`Error::TooLarge`] if a size
    /// exceeds `usize`.
    pub fn output(&self, images: Images) -> Result<Images> {
        const OP: &str = "conv";
        self.patch()?;
        let (h, w, Padding { top, left, bottom, right }) = (images.h, images.w, self.padding);
        let too_large = Error::TooLarge { op: OP, rows: h, cols: w };
        let sum = |a: usize, b: usize, c: usize| a.checked_add(b)?.checked_add(c);
        let padded = (sum(h, top, bottom).ok_or(too_large.clone())?, sum(w, left, right).ok_or(too_large)?);
        let (h, w) = steps(OP, padded, self.kernel, self.stride)?;
        let output = Images { b: images.b, h, w };
        images.pixels(OP)?;
        output.pixels(OP)?;
        Ok(output)
    }

    /// Bits of a patch, `kernel rows * kernel columns * c_in / groups`: the inputs of an output channel.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::Groups`] as for [`output`](Self::output); [`Error::TooLarge`] if the bits
    /// exceed `i32`.
    pub fn patch(&self) -> Result<usize> {
        const OP: &str = "conv";
        let (rows, cols) = self.kernel;
        check_not_empty(OP, "kernel", self.kernel)?;
        check_not_empty(OP, "stride", self.stride)?;
        let &Self { groups, c_in, c_out, .. } = self;
        if groups == 0 || groups > c_out.max(1) || c_in % groups != 0 || c_out % groups != 0 {
            return Err(Error::Groups { groups, c_in, c_out });
        }
        let taps = rows.checked_mul(cols).and_then(|taps| taps.checked_mul(c_in / groups));
        taps.filter(|&bits| i32::try_from(bits).is_ok()).ok_or(Error::TooLarge { op: OP, rows, cols })
    }

    /// Input and output channels of a group.
    pub(crate) fn of_group(&self) -> (usize, usize) {
        (self.c_in / self.groups, self.c_out / self.groups)
    }
}

/// The number of positions of a kernel or window.
pub(crate) fn steps(
    op: &'static str,
    image: (usize, usize),
    kernel: (usize, usize),
    stride: (usize, usize),
) -> Result<(usize, usize)> {
    match (image.0.checked_sub(kernel.0), image.1.checked_sub(kernel.1)) {
        (Some(h), Some(w)) => Ok((h / stride.0 + 1, w / stride.1 + 1)),
        _ => Err(Error::Kernel { op, kernel, image }),
    }
}

pub(crate) fn check_not_empty(op: &'static str, operand: &'static str, got: (usize, usize)) -> Result<()> {
    if got.0 > 0 && got.1 > 0 { Ok(()) } else { Err(Error::Empty { op, operand, got }) }
}

/// The place of an output pixel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) image: usize,
    pub(crate) y: usize,
    pub(crate) x: usize,
}

/// A convolution over images of one size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    pub(crate) conv: Geometry,
    pub(crate) input: Images,
    pub(crate) output: Images,
}

impl Walk {
    pub(crate) fn new(conv: Geometry, input: Images) -> Result<Self> {
        Ok(Self { conv, input, output: conv.output(input)? })
    }

    /// Pixels of the input, and of the output.
    pub(crate) fn pixels(&self) -> (usize, usize) {
        let count = |images: Images| images.b * images.h * images.w;
        (count(self.input), count(self.output))
    }

    /// The place of output pixel `pixel`.
    #[inline(always)]
    pub(crate) fn place(&self, pixel: usize) -> Place {
        let (image_row, x) = (pixel / self.output.w, pixel % self.output.w);
        Place { image: image_row / self.output.h, y: image_row % self.output.h, x }
    }

    /// Moves to the next output pixel.
    #[inline(always)]
    pub(crate) fn next(&self, place: &mut Place) {
        place.x += 1;
        if place.x == self.output.w {
            (place.x, place.y) = (0, place.y + 1);
        }
        if place.y == self.output.h {
            (place.y, place.image) = (0, place.image + 1);
        }
    }

    /// The row of the image at row `row` of the padded image; `None` in the padding.
    #[inline(always)]
    pub(crate) fn row(&self, row: usize) -> Option<usize> {
        row.checked_sub(self.conv.padding.top).filter(|&row| row < self.input.h)
    }

    /// The column of the image at column `col` of the padded image; `None` in the padding.
    #[inline(always)]
    pub(crate) fn col(&self, col: usize) -> Option<usize> {
        col.checked_sub(self.conv.padding.left).filter(|&col| col < self.input.w)
    }

    /// The number of taps of output pixel (y, x) that lie within the image.
    pub(crate) fn taps_inside(&self, y: usize, x: usize) -> usize {
        let (kernel, stride) = (self.conv.kernel, self.conv.stride);
        let rows = (0..kernel.0).filter(|ky| self.row(y * stride.0 + ky).is_some()).count();
        rows * (0..kernel.1).filter(|kx| self.col(x * stride.1 + kx).is_some()).count()
    }

    /// Calls `visit(tap, input pixel)` for each tap of output pixel `pixel`; the input pixel is `None` in the
    /// padding.
    #[inline(always)]
    pub(crate) fn each_tap(&self, pixel: usize, mut visit: impl FnMut(usize, Option<usize>)) {
        let (rows, cols) = self.conv.kernel;
        let Place { image, y, x } = self.place(pixel);
        for ky in 0..rows {
            let row = self.row(y * self.conv.stride.0 + ky);
            for kx in 0..cols {
                let col = self.col(x * self.conv.stride.1 + kx);
                let from = match (row, col) {
                    (Some(row), Some(col)) => Some((image * self.input.h + row) * self.input.w + col),
                    _ => None,
                };
                visit(ky * cols + kx, from);
            }
        }
    }
}
