//! A PNG or JPEG image, decoded within limits: the size in the header is checked before anything is
//! allocated.

use std::io::{Cursor, Read};

use image::{DynamicImage, ImageDecoder, ImageReader, Limits};

use crate::{
    error::{DataError, ImageError, shown},
    files::read_at_most,
    image_shape::ImageShape,
};

/// The largest side in pixels.
const SIDE_LIMIT: u32 = 1 << 20;
/// The largest file in bytes: 32 MiB.
const FILE_LIMIT: u64 = 1 << 25;
/// The bytes that a decoder may allocate for an image, 64 MiB: several copies, at up to 8 bytes per pixel.
const DECODER_LIMIT: u64 = 1 << 26;

/// Reads an image to predict from, as a row of `features` numbers from 0 to 255: its pixels `(h, w, c)`, in
/// the order of [`ImageShape`]. Messages call the file `name`; its format is detected from its content.
///
/// With a `shape`, the image must have its height and width, and is converted to its channels: 1 for grey, or
/// 3 for red, green and blue. Without one, the image is grey if it has `features` pixels, and coloured if it
/// has a third of that. Transparent pixels become opaque, and 16-bit channels become 8-bit.
///
/// ```no_run
/// use std::fs::File;
///
/// use onebit_data::read_image;
///
/// let digit = read_image(File::open("seven.png")?, "seven.png", 784, None)?; // 28x28 grey pixels
/// assert_eq!(digit.len(), 784);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`DataError::Read`]; [`DataError::Oversize`] above 32 MiB; [`DataError::Image`] if it cannot be decoded
/// within 64 MiB; [`ImageError::Fit`] if it has another size.
pub fn read_image(
    reader: impl Read,
    name: &str,
    features: usize,
    shape: Option<ImageShape>,
) -> Result<Vec<f32>, DataError> {
    let mut channels = None;
    let image = decode(reader, name, |[width, height]| {
        channels = fitting_channels([width, height], features, shape);
        let expected = || match shape {
            Some(ImageShape { height, width, channels: 1 }) => format!("{width}x{height} pixels"),
            Some(ImageShape { height, width, channels }) => {
                format!("{width}x{height} pixels of {channels} channels")
            }
            None => format!("{features} numbers, one or three a pixel"),
        };
        let got = || format!("{width}x{height} pixels");
        let unfit = || ImageError::Fit { file: name.to_string(), expected: expected(), got: got() }.into();
        channels.map(|_| ()).ok_or_else(unfit)
    })?;
    let pixels = match channels {
        Some(1) => image.into_luma8().into_raw(),
        _ => image.into_rgb8().into_raw(),
    };
    Ok(pixels.into_iter().map(f32::from).collect())
}

/// The number of channels, 1 or 3, for which an image of this width and height has the expected features.
fn fitting_channels(size: [u32; 2], features: usize, shape: Option<ImageShape>) -> Option<usize> {
    let [width, height] = size.map(|side| side as usize);
    [1, 3].into_iter().find(|&channels| {
        let image = ImageShape { height, width, channels };
        image.features() == Some(features) && shape.is_none_or(|shape| shape == image)
    })
}

/// Decodes an image. `fits` checks width and height before anything of that size is allocated.
pub(crate) fn decode(
    reader: impl Read,
    file: &str,
    fits: impl FnOnce([u32; 2]) -> Result<(), DataError>,
) -> Result<DynamicImage, DataError> {
    let read = |reason| DataError::Read { file: file.to_string(), reason };
    let failed = |error: image::ImageError| {
        let reason = shown(&error.to_string());
        ImageError::Decode { file: file.to_string(), reason }.into()
    };
    let mut reader = reader;
    let bytes = read_at_most(&mut reader, FILE_LIMIT + 1).map_err(read)?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(DataError::Oversize { file: file.to_string(), limit: FILE_LIMIT });
    }
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(read)?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_LIMIT);
    limits.max_image_height = Some(SIDE_LIMIT);
    limits.max_alloc = Some(DECODER_LIMIT);
    reader.limits(limits.clone());
    let decoder = reader.into_decoder().map_err(failed)?;
    fits(decoder.dimensions().into())?;
    limits.reserve(decoder.total_bytes()).map_err(failed)?;
    DynamicImage::from_decoder(decoder).map_err(failed)
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, ImageFormat, Luma, Rgb, RgbImage};

    use super::*;

    fn bytes(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        image.into().write_to(&mut file, format).unwrap();
        file.into_inner()
    }

    /// 2x1 pixels: 10 and 20 if grey; otherwise red, green and blue count up from 10 and 20.
    fn grey() -> Vec<u8> {
        bytes(GrayImage::from_fn(2, 1, |x, _| Luma([10 + 10 * x as u8])), ImageFormat::Png)
    }

    fn colour() -> Vec<u8> {
        bytes(RgbImage::from_fn(2, 1, |x, _| Rgb([10 + 10 * x as u8, 30, 40])), ImageFormat::Png)
    }

    fn row(bytes: &[u8], features: usize, shape: Option<ImageShape>) -> Result<Vec<f32>, String> {
        read_image(bytes, "x.png", features, shape).map_err(|error| error.to_string())
    }

    fn shape(height: usize, width: usize, channels: usize) -> Option<ImageShape> {
        Some(ImageShape { height, width, channels })
    }

    #[test]
    fn the_model_says_how_many_channels() {
        let coloured = vec![10.0, 30.0, 40.0, 20.0, 30.0, 40.0];
        for of_two in [None, shape(1, 2, 1)] {
            assert_eq!(row(&grey(), 2, of_two), Ok(vec![10.0, 20.0]));
            assert_eq!(row(&colour(), 2, of_two).unwrap().len(), 2);
        }
        for of_six in [None, shape(1, 2, 3)] {
            assert_eq!(row(&colour(), 6, of_six), Ok(coloured.clone()));
            assert_eq!(row(&grey(), 6, of_six), Ok(vec![10.0, 10.0, 10.0, 20.0, 20.0, 20.0]));
        }
        let jpeg = bytes(GrayImage::from_pixel(8, 8, Luma([90])), ImageFormat::Jpeg);
        assert!(row(&jpeg, 64, None).unwrap().iter().all(|value| (value - 90.0).abs() < 3.0));
    }

    #[test]
    fn images_that_do_not_fit() {
        let refused = |expected: &str| {
            let message =
                format!("x.png: expected an image of {expected}, as the model takes, got 2x1 pixels");
            Err(message)
        };
        assert_eq!(row(&grey(), 2, shape(2, 1, 1)), refused("1x2 pixels"));
        assert_eq!(row(&grey(), 3, shape(1, 1, 3)), refused("1x1 pixels of 3 channels"));
        assert_eq!(row(&grey(), 4, shape(1, 2, 2)), refused("2x1 pixels of 2 channels"));
        assert_eq!(row(&grey(), 4, None), refused("4 numbers, one or three a pixel"));
    }

    #[test]
    fn what_is_no_image() {
        let whole = grey();
        for bytes in [&b""[..], b"GIF89a..........", &whole[..whole.len() - 20], b"\xff\xd8\xff\xe0"] {
            let error = row(bytes, 2, None).unwrap_err();
            assert!(error.starts_with("x.png: cannot decode the image: "), "{error}");
        }
        let endless = std::io::repeat(0x89);
        let error = read_image(endless, "x.png", 2, None).unwrap_err().to_string();
        assert_eq!(error, "x.png: expected at most 33554432 bytes, got more");
    }

    /// The header of a PNG promises 60000x60000 pixels; it is refused for its size, and without one for its
    /// memory.
    #[test]
    fn nothing_large_is_allocated_for_a_header() {
        let mut bytes = grey();
        let side = 60000u32.to_be_bytes();
        bytes[16..24].copy_from_slice(&[side, side].concat());
        let mut crc = flate2::Crc::new();
        crc.update(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&crc.sum().to_be_bytes());
        let error = row(&bytes, 2, None).unwrap_err();
        assert!(error.ends_with("got 60000x60000 pixels"), "{error}");
        let error = decode(&bytes[..], "x.png", |_| Ok(())).unwrap_err().to_string();
        assert!(error.to_lowercase().contains("limit"), "{error}");
    }
}
