//! The layout of images in a row of a data set: pixels row by row, channels last (HWC).
//!
//! ```text
//! value of row y, column x, channel c of an image: values[(y * width + x) * channels + c]
//! ```

use std::fmt;

/// The shape of images, `(h, w, c)`.
///
/// ```
/// use onebit_data::ImageShape;
///
/// let shape = ImageShape { height: 1, width: 2, channels: 1 };
/// assert_eq!((shape.features(), shape.to_string()), (Some(2), "1x2x1".into()));
/// let names = ["pixel_0_0", "pixel_0_1"].map(String::from);
/// assert_eq!(ImageShape::of_feature_names(&names), Some(shape));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ImageShape {
    /// The number of rows of pixels, `h`.
    pub height: usize,
    /// The number of pixels per row, `w`.
    pub width: usize,
    /// The numbers per pixel, `c`: 1 for grey, 3 for red, green and blue.
    pub channels: usize,
}

impl ImageShape {
    /// The numbers per image, `h * w * c`; `None` if the product overflows.
    pub fn features(&self) -> Option<usize> {
        self.height.checked_mul(self.width)?.checked_mul(self.channels)
    }

    /// The shape of the images whose features have these names, if they are an image's names.
    pub fn of_feature_names(names: &[String]) -> Option<Self> {
        let last: Option<Vec<usize>> =
            names.last()?.strip_prefix("pixel_")?.split('_').map(|number| number.parse().ok()).collect();
        let shape = match last?[..] {
            [y, x] => [y, x, 0],
            [y, x, channel] => [y, x, channel],
            _ => return None,
        };
        let [height, width, channels] = shape.map(|last: usize| last.saturating_add(1));
        let shape = Self { height, width, channels };
        (shape.features() == Some(names.len()) && shape.feature_names() == names).then_some(shape)
    }

    /// A name for each feature: `pixel_<row>_<column>`, or `pixel_<row>_<column>_<channel>` for several
    /// channels.
    pub(crate) fn feature_names(&self) -> Vec<String> {
        let pixels = (0..self.height).flat_map(|row| (0..self.width).map(move |column| (row, column)));
        let names = pixels.flat_map(|(row, column)| {
            (0..self.channels).map(move |channel| match self.channels {
                1 => format!("pixel_{row}_{column}"),
                _ => format!("pixel_{row}_{column}_{channel}"),
            })
        });
        names.collect()
    }
}

/// `32x32x3`: height, width, channels.
impl fmt::Display for ImageShape {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}x{}x{}", self.height, self.width, self.channels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_of_the_numbers() {
        let shape = |channels| ImageShape { height: 2, width: 1, channels };
        assert_eq!(shape(1).feature_names(), ["pixel_0_0", "pixel_1_0"]);
        let names = ["pixel_0_0_0", "pixel_0_0_1", "pixel_1_0_0", "pixel_1_0_1"];
        assert_eq!(shape(2).feature_names(), names);
        assert_eq!(shape(2).features(), Some(4));
        assert_eq!(ImageShape { height: usize::MAX, width: 2, channels: 1 }.features(), None);
        assert_eq!(shape(3).to_string(), "2x1x3");
    }

    #[test]
    fn names_tell_the_shape() {
        let shape = |height, width, channels| ImageShape { height, width, channels };
        for shape in [shape(1, 1, 1), shape(28, 28, 1), shape(3, 2, 3), shape(2, 3, 4)] {
            assert_eq!(ImageShape::of_feature_names(&shape.feature_names()), Some(shape));
        }
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        for other in [
            &[][..],
            &["width"],
            &["pixel_0"],
            &["pixel_1_0", "pixel_0_0"],
            &["pixel_0_1"],
            &["pixel_18446744073709551615_0"],
            &["pixel_0_0", "pixel_0_1", "pixel_1_0", "pixel_1_2"],
        ] {
            assert_eq!(ImageShape::of_feature_names(&names(other)), None, "{other:?}");
        }
    }
}
