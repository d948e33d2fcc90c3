//! The numbers that bytes stand for.

/// The number that a byte stands for, `(byte - mean) * scale`.
///
/// ```
/// use onebit_data::ByteScale;
///
/// let pixels = ByteScale::new(127.5, 1.0 / 127.5); // 0..255 to -1..1
/// assert_eq!(pixels, ByteScale::Centred(1.0 / 127.5));
/// assert_eq!((pixels.mean(), pixels.scale()), (127.5, 1.0 / 127.5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ByteScale {
    /// `(byte - 127.5) * scale`, for pixels. This is `scale / 2` times the integer `2 byte - 255`, so sums
    /// over pixels with binary weights can be computed exactly.
    Centred(f32),
    /// `(byte - mean) * scale` with any other mean.
    Affine {
        /// The number subtracted from the byte.
        mean: f32,
        /// The factor applied afterwards.
        scale: f32,
    },
}

impl ByteScale {
    /// The mean of [`Centred`](Self::Centred) bytes.
    pub const CENTRE: f32 = 127.5;

    /// The scale `(byte - mean) * scale`: centred if the mean is 127.5.
    pub fn new(mean: f32, scale: f32) -> Self {
        if mean == Self::CENTRE { Self::Centred(scale) } else { Self::Affine { mean, scale } }
    }

    /// The number subtracted from the byte.
    pub fn mean(self) -> f32 {
        match self {
            Self::Centred(_) => Self::CENTRE,
            Self::Affine { mean, .. } => mean,
        }
    }

    /// The factor applied afterwards.
    pub fn scale(self) -> f32 {
        match self {
            Self::Centred(scale) | Self::Affine { scale, .. } => scale,
        }
    }
}
