//! SVHN, cropped digits of house numbers: colour images of 32x32 pixels in 10 classes.
//!
//! ```text
//! train_32x32.mat, test_32x32.mat (MATLAB): X (32, 32, 3, b) bytes, y (b, 1) labels, where 10 is the digit 0
//! ```
//!
//! In memory the channels are last, `(b, 32, 32, 3)`, and the label is the digit.
//! Source: <http://ufldl.stanford.edu/housenumbers/>, Netzer and others 2011.

use std::{io::Read, path::Path};

use crate::{
    dataset::Dataset,
    error::{DataError, ImageError, listed},
    files::{Subset, open},
    image_shape::ImageShape,
    images::mat::{Array, read_arrays},
    samples::Samples,
};

const SHAPE: ImageShape = ImageShape { height: 32, width: 32, channels: 3 };
const SIDE: usize = 32;
const IMAGE: usize = 3 * SIDE * SIDE;
/// The largest number of images, 1 GiB of them, and of labels.
const LIMIT: u64 = (1 << 30) / IMAGE as u64;

/// Reads a subset of a folder with the published files: `train_32x32.mat` or `test_32x32.mat`.
///
/// ```no_run
/// use onebit_data::{Subset, read_svhn_folder};
///
/// let test = read_svhn_folder("svhn", Subset::Test)?;
/// assert_eq!((test.len(), test.features(), test.classes()), (26_032, 3072, 10));
/// # Ok::<(), onebit_data::DataError>(())
/// ```
///
/// # Errors
/// [`DataError::NoFile`], [`DataError::Open`], [`DataError::Read`]; [`DataError::Array`] for what is wrong in
/// the file, [`DataError::NoArray`] without `X` or `y`; [`ImageError::Count`], [`DataError::NoRows`].
pub fn read_svhn_folder(dir: impl AsRef<Path>, subset: Subset) -> Result<Dataset, DataError> {
    let name = match subset {
        Subset::Train => "train_32x32.mat",
        Subset::Test => "test_32x32.mat",
    };
    let (dir, path) = (dir.as_ref(), dir.as_ref().join(name));
    if !path.is_file() {
        return Err(DataError::NoFile { dir: dir.display().to_string(), tried: name.into() });
    }
    let (reader, file) = open(&path)?;
    read(reader, &file)
}

fn read(reader: impl Read, file: &str) -> Result<Dataset, DataError> {
    let (mut values, mut labels, mut others) = (None, None, Vec::new());
    read_arrays(reader, file, |array, content| {
        let twice =
            |what: &str| DataError::Duplicate { name: file.into(), what: "array", twice: what.into() };
        match array.name.as_str() {
            "X" if values.is_some() => return Err(twice("X")),
            "y" if labels.is_some() => return Err(twice("y")),
            "X" => values = Some(read_images(array, content)?),
            "y" => labels = Some(read_labels(array, content)?),
            other => others.push(other.to_string()),
        }
        Ok(())
    })?;
    let missing = |array: &str| DataError::NoArray {
        file: file.into(),
        array: array.into(),
        arrays: listed(others.iter()),
    };
    let (values, labels) = (values.ok_or_else(|| missing("X"))?, labels.ok_or_else(|| missing("y"))?);
    let images = values.len() / IMAGE;
    if images != labels.len() {
        return Err(ImageError::Count { dir: file.into(), images, labels: labels.len() }.into());
    }
    let digits = (0..10).map(|digit| digit.to_string()).collect();
    let samples = Samples::Bytes { cols: IMAGE, values };
    Dataset::new(samples, labels, digits, SHAPE.feature_names())?.with_image(SHAPE)
}

/// Reads the images one by one, so that memory grows with the bytes that exist.
fn read_images(array: &Array, content: &mut dyn Read) -> Result<Vec<u8>, DataError> {
    const BYTES: u32 = 2;
    if array.kind != BYTES {
        return Err(array.wrong("kind of values", "2, bytes", array.kind));
    }
    let images = match array.dims[..] {
        [32, 32, 3, images @ 0..=LIMIT] => images,
        [32, 32, 3] => 1, // MATLAB omits a last dimension of 1
        _ => {
            let expected = format!("32 x 32 x 3 x at most {LIMIT}");
            return Err(array.wrong("dimensions", expected, shape(&array.dims)));
        }
    };
    array.expect(images, IMAGE as u64)?;
    let mut values = Vec::new();
    let mut image = [0; IMAGE]; // (c, x, y), y fastest
    for _ in 0..images {
        content.read_exact(&mut image).map_err(|reason| array.failed(reason))?;
        let pixels = (0..SIDE * SIDE).map(|pixel| pixel % SIDE * SIDE + pixel / SIDE);
        values.extend(pixels.flat_map(|at| [0, 1, 2].map(|channel| image[channel * SIDE * SIDE + at])));
    }
    Ok(values)
}

/// Reads the labels as digits.
fn read_labels(array: &Array, content: &mut dyn Read) -> Result<Vec<u32>, DataError> {
    let Some((size, number)) = number(array.kind) else {
        return Err(array.wrong("kind of values", "numbers of up to 4 bytes or f64", array.kind));
    };
    let count = match array.dims[..] {
        [count @ 0..=LIMIT, 1] | [1, count @ 0..=LIMIT] => count,
        _ => {
            let expected = format!("at most {LIMIT} x 1");
            return Err(array.wrong("dimensions", expected, shape(&array.dims)));
        }
    };
    array.expect(count, size as u64)?;
    let mut labels = Vec::new();
    let mut bytes = [0; 8];
    for index in 0..count {
        content.read_exact(&mut bytes[..size]).map_err(|reason| array.failed(reason))?;
        let label = number(&bytes);
        if !(1.0..=10.0).contains(&label) || label.fract() != 0.0 {
            return Err(array.wrong(&format!("label {index}"), "1 to 10", label));
        }
        labels.push(label as u32 % 10);
    }
    Ok(labels)
}

/// Reads a number from the first bytes of eight.
type ReadNumber = fn(&[u8; 8]) -> f64;

/// The size of a number of this kind in bytes, and the function that reads it.
fn number(kind: u32) -> Option<(usize, ReadNumber)> {
    Some(match kind {
        1 => (1, |b| f64::from(b[0] as i8)),
        2 => (1, |b| f64::from(b[0])),
        3 => (2, |b| f64::from(i16::from_le_bytes([b[0], b[1]]))),
        4 => (2, |b| f64::from(u16::from_le_bytes([b[0], b[1]]))),
        5 => (4, |b| f64::from(i32::from_le_bytes([b[0], b[1], b[2], b[3]]))),
        6 => (4, |b| f64::from(u32::from_le_bytes([b[0], b[1], b[2], b[3]]))),
        7 => (4, |b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]]))),
        9 => (8, |b| f64::from_le_bytes(*b)),
        _ => return None,
    })
}

fn shape(dims: &[u64]) -> String {
    dims.iter().map(u64::to_string).collect::<Vec<_>>().join(" x ")
}

#[cfg(test)]
mod tests {
    use std::io::{Write, repeat};

    use super::*;

    /// An element, padded.
    fn element(kind: u32, content: &[u8]) -> Vec<u8> {
        let mut bytes = [kind, content.len() as u32].map(u32::to_le_bytes).concat();
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    fn array_of(class: u8, dims: &[u32], name: &str, values: Vec<u8>) -> Vec<u8> {
        let dims: Vec<u8> = dims.iter().flat_map(|dim| dim.to_le_bytes()).collect();
        let flags = element(6, &[class, 0, 0, 0, 0, 0, 0, 0]);
        element(14, &[flags, element(5, &dims), element(1, name.as_bytes()), values].concat())
    }

    fn x(dims: &[u32], bytes: &[u8]) -> Vec<u8> {
        array_of(9, dims, "X", element(2, bytes))
    }

    /// Labels in bytes, up to four of them in a small element.
    fn y(labels: &[u8]) -> Vec<u8> {
        let mut small = ((labels.len() as u32) << 16 | 2).to_le_bytes().to_vec();
        small.extend(labels);
        small.resize(8, 0);
        array_of(9, &[labels.len() as u32, 1], "y", small)
    }

    fn file(arrays: &[Vec<u8>]) -> Vec<u8> {
        let mut header = vec![b' '; 116];
        header.extend([0; 8]);
        header.extend(b"\0\x01IM");
        [header, arrays.concat()].concat()
    }

    fn compressed(array: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(array).unwrap();
        let bytes = encoder.finish().unwrap();
        [&[15, bytes.len() as u32].map(u32::to_le_bytes).concat()[..], &bytes].concat() // not padded
    }

    /// Two images: the value of (y, x, c) is y, x or c.
    fn images() -> Vec<u8> {
        let of = |f: fn(usize, usize, usize) -> usize| {
            (0..IMAGE).map(move |at| f(at % 32, at / 32 % 32, at / 1024) as u8)
        };
        of(|y, _, c| y + 100 * c).chain(of(|_, x, c| x + 100 * c)).collect()
    }

    fn message(bytes: &[u8]) -> String {
        read(bytes, "f").unwrap_err().to_string()
    }

    #[test]
    fn pixels_and_digits() {
        let (images, labels) = (x(&[32, 32, 3, 2], &images()), y(&[10, 3]));
        let note = array_of(4, &[1, 2], "note", element(4, b"hi"));
        let orders = [
            file(&[images.clone(), labels.clone()]),
            file(&[note, compressed(&labels), compressed(&images)]),
        ];
        for bytes in orders {
            let set = read(&bytes[..], "f").unwrap();
            assert_eq!(
                (set.labels(), set.image(), set.label_names().concat()),
                (&[0, 3][..], Some(SHAPE), "0123456789".into())
            );
            let at = |y: usize, x: usize| 3 * (32 * y + x);
            let values = set.gather(&[0, 1]);
            assert_eq!(values[at(5, 7)..][..3], [5.0, 105.0, 205.0]);
            assert_eq!(values[IMAGE + at(5, 7)..][..3], [7.0, 107.0, 207.0]);
        }
    }

    #[test]
    fn labels_of_every_kind() {
        let values: [(u32, Vec<u8>); 8] = [
            (1, vec![10, 3]),
            (2, vec![10, 3]),
            (3, [10i16, 3].map(i16::to_le_bytes).concat()),
            (4, [10u16, 3].map(u16::to_le_bytes).concat()),
            (5, [10i32, 3].map(i32::to_le_bytes).concat()),
            (6, [10u32, 3].map(u32::to_le_bytes).concat()),
            (7, [10f32, 3.0].map(f32::to_le_bytes).concat()),
            (9, [10f64, 3.0].map(f64::to_le_bytes).concat()),
        ];
        for (kind, values) in values {
            let labels = array_of(6, &[1, 2], "y", element(kind, &values));
            let set = read(&file(&[x(&[32, 32, 3, 2], &images()), labels])[..], "f").unwrap();
            assert_eq!(set.labels(), [0, 3], "{kind}");
        }
    }

    #[test]
    fn hostile_files() {
        let (good, two) = (x(&[32, 32, 3, 2], &images()), y(&[1, 2]));
        let with = |array: Vec<u8>| message(&file(&[array, good.clone()]));
        for other in [&b""[..], &[b'x'; 500], &file(&[])[..127]] {
            assert_eq!(
                message(other),
                "f: header: expected a little-endian MAT-file of version 5, got something else"
            );
        }
        assert_eq!(message(&file(&[])), "f: no array `X`; the arrays are ");
        let z = array_of(9, &[1, 1], "z", element(2, &[1]));
        assert_eq!(message(&file(&[good.clone(), z])), "f: no array `y`; the arrays are z");
        assert_eq!(message(&file(&[vec![0; 64]])), "f: kind of element: expected 14 or 15, an array, got 0");
        assert_eq!(message(&file(&[two.clone(), two])), "f: array `y` appears twice");
        assert_eq!(message(&file(&[good.clone(), good.clone()])), "f: array `X` appears twice");
        assert_eq!(
            message(&file(&[good.clone(), y(&[1])])),
            "f: expected as many labels as images, got 1 labels for 2 images"
        );
        assert_eq!(
            message(&file(&[x(&[32, 32, 3, 0], &[]), y(&[])])),
            "data set: expected at least one row, got none"
        );

        assert_eq!(with(y(&[1, 11])), "f: y: label 1: expected 1 to 10, got 11");
        assert_eq!(with(y(&[0])), "f: y: label 0: expected 1 to 10, got 0");
        let half = array_of(6, &[1, 1], "y", element(9, &2.5f64.to_le_bytes()));
        assert_eq!(with(half), "f: y: label 0: expected 1 to 10, got 2.5");
        let nan = array_of(6, &[1, 1], "y", element(9, &f64::NAN.to_le_bytes()));
        assert_eq!(with(nan), "f: y: label 0: expected 1 to 10, got NaN");
        let long = array_of(15, &[1, 1], "y", element(13, &[1; 8]));
        assert_eq!(with(long), "f: y: kind of values: expected numbers of up to 4 bytes or f64, got 13");
        let square = array_of(9, &[2, 2], "y", element(2, &[1; 4]));
        assert_eq!(with(square), "f: y: dimensions: expected at most 349525 x 1, got 2 x 2");

        let f64s = array_of(6, &[32, 32, 3, 1], "X", element(9, &[0; 8]));
        assert_eq!(with(f64s), "f: X: kind of values: expected 2, bytes, got 9");
        assert_eq!(
            with(x(&[28, 28, 1, 2], &[0; 8])),
            "f: X: dimensions: expected 32 x 32 x 3 x at most 349525, got 28 x 28 x 1 x 2"
        );
        for dims in [[32, 32, 3, 349_526], [32, 32, 3, u32::MAX]] {
            assert!(
                with(x(&dims, &[0; 8]))
                    .starts_with("f: X: dimensions: expected 32 x 32 x 3 x at most 349525")
            );
        }
        assert_eq!(
            with(x(&[32, 32, 3, 300_000], &[0; 8])),
            "f: X: values: expected 300000 of 3072 bytes, got 8 bytes"
        );
        let name = array_of(9, &[1, 1], &"y".repeat(257), element(2, &[1]));
        assert_eq!(with(name), "f: name: expected at most 256 bytes, got 257");
        assert_eq!(
            with(array_of(9, &[1; 65], "y", vec![])),
            "f: dimensions: expected at most 256 bytes, got 260"
        );
        let escape = array_of(9, &[1, 1], "\u{1b}[31m", element(2, &[1]));
        assert_eq!(message(&file(&[escape])), "f: no array `X`; the arrays are \\u{1b}[31m");
    }

    #[test]
    fn damaged_files() {
        let whole = file(&[compressed(&x(&[32, 32, 3, 2], &images())), compressed(&y(&[1, 2]))]);
        assert!(read(&whole[..], "f").is_ok());
        for cut in 129..whole.len() {
            let error = message(&whole[..cut]);
            assert!(error.starts_with("cannot read f") || error.starts_with("f: "), "{cut}: {error}");
        }
        // the checksum at the end of the images
        let mut damaged = whole.clone();
        let length = u32::from_le_bytes(whole[132..136].try_into().unwrap()) as usize;
        damaged[136 + length - 1] ^= 1;
        assert!(message(&damaged).starts_with("cannot read f: "), "{}", message(&damaged));
        let plain = file(&[x(&[32, 32, 3, 2], &images())]);
        assert!(message(&plain[..plain.len() - 1]).starts_with("cannot read f: X: "));
        assert!(read(repeat(0x20), "f").is_err());
    }

    proptest::proptest! {
        #[test]
        fn damage_never_panics(at in 0usize..6500, with: u8) {
            let mut bytes = file(&[x(&[32, 32, 3, 2], &images()), y(&[1, 2])]);
            let at = at % bytes.len();
            bytes[at] ^= with;
            let _ = read(&bytes[..], "f");
            let mut packed = file(&[compressed(&x(&[32, 32, 3, 2], &images())), compressed(&y(&[1, 2]))]);
            let at = at % packed.len();
            packed[at] ^= with;
            let _ = read(&packed[..], "f");
        }
    }

    #[test]
    fn a_folder() {
        let dir = tempfile::tempdir().unwrap();
        let error = read_svhn_folder(dir.path(), Subset::Test).unwrap_err().to_string();
        assert_eq!(error, format!("{}: none of the files test_32x32.mat", dir.path().display()));
    }
}
