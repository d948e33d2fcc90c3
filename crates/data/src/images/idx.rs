//! The idx files of MNIST and of sets in its format (Fashion-MNIST, KMNIST), gzipped or not.
//!
//! ```text
//! images: 00 00 08 03 | b h w, u32 big-endian | b*h*w bytes        labels: 00 00 08 01 | b | b bytes
//! ```

use std::{
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

use crate::{
    dataset::Dataset,
    error::{DataError, ImageError},
    files::{Subset, decompressed, find, open, read_at_most},
    image_shape::ImageShape,
    samples::Samples,
};

/// The largest accepted file, after decompression: 1 GiB, 20 times MNIST. It bounds the expansion of a small
/// hostile gzip file.
const LIMIT: u64 = 1 << 30;
/// The largest accepted image; it bounds the number of features.
const ROW_LIMIT: u64 = 1 << 20;

/// Images of equal size, one byte per pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// The number of images, `b`.
    pub count: usize,
    /// The number of rows of pixels, `h`.
    pub height: usize,
    /// The number of pixels per row, `w`.
    pub width: usize,
    /// The pixels, `(b, h, w)`.
    pub pixels: Vec<u8>,
}

/// Reads a file of images.
///
/// # Errors
/// [`DataError::Open`], [`DataError::Read`], [`ImageError::Magic`], [`ImageError::TooLarge`],
/// [`DataError::Truncated`], [`DataError::Trailing`].
pub fn read_idx_images(path: impl AsRef<Path>) -> Result<Images, DataError> {
    let (reader, name) = open(path.as_ref())?;
    read_idx_images_from(reader, &name)
}

/// Reads images; messages call their file `name`.
///
/// ```
/// use onebit_data::read_idx_images_from;
///
/// let file = b"\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x03abcdef"; // two images of 1x3 pixels
/// let images = read_idx_images_from(&file[..], "images")?;
/// assert_eq!((images.count, images.height, images.width), (2, 1, 3));
/// assert_eq!(images.pixels, b"abcdef");
/// # Ok::<(), onebit_data::DataError>(())
/// ```
///
/// # Errors
/// Returns the errors of [`read_idx_images`], except [`DataError::Open`].
pub fn read_idx_images_from(reader: impl Read, name: &str) -> Result<Images, DataError> {
    let ([count, height, width], pixels) = read(reader, name, "idx images")?;
    Ok(Images { count, height, width, pixels })
}

/// Reads a file of labels from 0 to 9.
///
/// # Errors
/// [`ImageError::Digit`] for a label above 9; the errors of [`read_idx_images`].
pub fn read_idx_labels(path: impl AsRef<Path>) -> Result<Vec<u8>, DataError> {
    let (reader, name) = open(path.as_ref())?;
    read_idx_labels_from(reader, &name)
}

/// Reads labels from 0 to 9; messages call their file `name`.
///
/// ```
/// use onebit_data::read_idx_labels_from;
///
/// assert_eq!(read_idx_labels_from(&b"\0\0\x08\x01\0\0\0\x02\x07\x03"[..], "labels")?, [7, 3]);
/// # Ok::<(), onebit_data::DataError>(())
/// ```
///
/// # Errors
/// Returns the errors of [`read_idx_labels`], except [`DataError::Open`].
pub fn read_idx_labels_from(reader: impl Read, name: &str) -> Result<Vec<u8>, DataError> {
    let ([_], labels) = read(reader, name, "idx labels")?;
    match labels.iter().position(|&label| label > 9) {
        Some(index) => Err(ImageError::Digit { file: name.to_string(), index, label: labels[index] }.into()),
        None => Ok(labels),
    }
}

/// Reads a subset of a folder with the published file names, such as `train-images-idx3-ubyte`, with or
/// without `.gz`, also with `.` instead of the `-` before `idx`. The rows are images of one channel; the
/// features are named `pixel_<row>_<column>`.
///
/// # Errors
/// [`DataError::NoFile`], [`ImageError::Count`]; those of [`read_idx_images`] and [`read_idx_labels`];
/// [`DataError::NoRows`] or [`DataError::NoFeatures`] if the files are sound but empty.
pub fn read_idx_folder(dir: impl AsRef<Path>, subset: Subset) -> Result<Dataset, DataError> {
    let dir = dir.as_ref();
    let prefix = match subset {
        Subset::Train => "train",
        Subset::Test => "t10k",
    };
    let images = read_idx_images(find_idx(dir, &format!("{prefix}-images"), "idx3-ubyte")?)?;
    let labels = read_idx_labels(find_idx(dir, &format!("{prefix}-labels"), "idx1-ubyte")?)?;
    if images.count != labels.len() {
        let dir = dir.display().to_string();
        return Err(ImageError::Count { dir, images: images.count, labels: labels.len() }.into());
    }
    let shape = ImageShape { height: images.height, width: images.width, channels: 1 };
    let samples = Samples::Bytes { cols: images.height * images.width, values: images.pixels };
    let labels = labels.into_iter().map(u32::from).collect();
    let label_names = (0..10).map(|digit| digit.to_string()).collect();
    Dataset::new(samples, labels, label_names, shape.feature_names())?.with_image(shape)
}

/// Finds the file under one of the names in use.
fn find_idx(dir: &Path, stem: &str, kind: &str) -> Result<PathBuf, DataError> {
    find(dir, &["-", "."].map(|dot| format!("{stem}{dot}{kind}")))
}

/// Reads an idx file of bytes with `D` dimensions.
fn read<const D: usize>(
    reader: impl Read,
    name: &str,
    what: &'static str,
) -> Result<([usize; D], Vec<u8>), DataError> {
    let file = || name.to_string();
    let failed = |reason| DataError::Read { file: file(), reason };
    let mut reader = BufReader::new(reader);
    let mut reader = decompressed(&mut reader).map_err(failed)?;

    let header_len = 4 + 4 * D as u64;
    let header = read_at_most(&mut reader, header_len).map_err(failed)?;
    let mut words = header.as_chunks::<4>().0.iter().map(|&word| u32::from_be_bytes(word));
    let expected = 0x0800 | D as u32; // 08: bytes
    match words.next() {
        Some(got) if got != expected => {
            return Err(ImageError::Magic { file: file(), what, expected, got }.into());
        }
        _ if header.len() as u64 != header_len => {
            return Err(DataError::Truncated {
                file: file(),
                expected: header_len,
                got: header.len() as u64,
            });
        }
        _ => {}
    }
    let dims: Vec<u32> = words.collect();

    let Some(promised) = promise(&dims) else {
        let dims = dims.iter().map(u32::to_string).collect::<Vec<_>>().join(" x ");
        return Err(ImageError::TooLarge { file: file(), dims, row_limit: ROW_LIMIT, limit: LIMIT }.into());
    };
    // The header alone allocates nothing: the buffer grows with the bytes that exist.
    let bytes = read_at_most(&mut reader, promised + 1).map_err(failed)?;
    let (expected, got) = (header_len + promised, header_len + bytes.len() as u64);
    if got < expected {
        return Err(DataError::Truncated { file: file(), expected, got });
    }
    if got > expected {
        return Err(DataError::Trailing { file: file(), expected });
    }
    Ok((std::array::from_fn(|at| dims[at] as usize), bytes))
}

/// The number of bytes for these dimensions, if it is within the limits.
fn promise(dims: &[u32]) -> Option<u64> {
    let (&count, row) = dims.split_first()?;
    let row = row.iter().try_fold(1u64, |product, &dim| product.checked_mul(u64::from(dim)))?;
    let bytes = row.checked_mul(u64::from(count))?;
    (row <= ROW_LIMIT && bytes <= LIMIT).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::files::gzip;

    const LABELS: &[u8] = b"\0\0\x08\x01\0\0\0\x03\x00\x09\x05";
    const IMAGES: &[u8] = b"\0\0\x08\x03\0\0\0\x03\0\0\0\x02\0\0\0\x01\x00\x01\x02\x03\x04\xff";

    fn message(images: &[u8]) -> String {
        read_idx_images_from(images, "f").unwrap_err().to_string()
    }

    #[test]
    fn gzipped_or_not() {
        let images = Images { count: 3, height: 2, width: 1, pixels: IMAGES[16..].to_vec() };
        let (first, second) = IMAGES.split_at(10);
        for bytes in [IMAGES.to_vec(), gzip(IMAGES), [gzip(first), gzip(second)].concat()] {
            assert_eq!(read_idx_images_from(&bytes[..], "f").unwrap(), images);
        }
        assert_eq!(read_idx_labels_from(&gzip(LABELS)[..], "f").unwrap(), [0, 9, 5]);
    }

    #[test]
    fn hostile_headers() {
        assert_eq!(message(LABELS), "f: expected the magic number 0x00000803 of idx images, got 0x00000801");
        assert_eq!(
            message(b"<html><body>"),
            "f: expected the magic number 0x00000803 of idx images, got 0x3c68746d"
        );
        assert_eq!(message(b""), "f: truncated: expected 16 bytes, got 0");
        assert_eq!(message(b"\x1f"), "f: truncated: expected 16 bytes, got 1");
        assert_eq!(message(&IMAGES[..15]), "f: truncated: expected 16 bytes, got 15");
        for (dims, shown) in [
            ([u32::MAX; 3], "4294967295 x 4294967295 x 4294967295"),
            ([0, u32::MAX, u32::MAX], "0 x 4294967295 x 4294967295"),
            ([1, 1, (1 << 20) + 1], "1 x 1 x 1048577"),
            ([(1 << 10) + 1, 1 << 10, 1 << 10], "1025 x 1024 x 1024"),
        ] {
            let header = [&b"\0\0\x08\x03"[..], dims.map(u32::to_be_bytes).as_flattened()].concat();
            let limits = "expected at most 1048576 bytes a row and 1073741824 in all";
            assert_eq!(message(&header), format!("f: {limits}, the header promises {shown}"));
        }
    }

    #[test]
    fn wrong_lengths() {
        for bytes in [IMAGES.to_vec(), gzip(IMAGES)] {
            assert!(read_idx_images_from(&bytes[..], "f").is_ok());
        }
        assert_eq!(message(&IMAGES[..21]), "f: truncated: expected 22 bytes, got 21");
        assert_eq!(message(&gzip(&IMAGES[..21])), "f: truncated: expected 22 bytes, got 21");
        assert_eq!(message(&[IMAGES, b"\n"].concat()), "f: trailing bytes: expected 22 bytes, got more");
        assert_eq!(
            message(&gzip(&[IMAGES, b"\n"].concat())),
            "f: trailing bytes: expected 22 bytes, got more"
        );
    }

    #[test]
    fn damaged_gzip() {
        let mut bytes = gzip(IMAGES);
        let checksum = bytes.len() - 8;
        bytes[checksum] ^= 1;
        let whole = gzip(IMAGES);
        for damaged in [&bytes[..], &whole[..whole.len() - 3], &[&whole[..], b"garbage"].concat()] {
            assert!(message(damaged).starts_with("cannot read f: "), "{}", message(damaged));
        }
    }

    #[test]
    fn labels_are_digits() {
        let error =
            read_idx_labels_from(&b"\0\0\x08\x01\0\0\0\x02\x09\x0a"[..], "f").unwrap_err().to_string();
        assert_eq!(error, "f: expected labels from 0 to 9, got 10 at index 1");
    }

    #[test]
    fn folders() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
        let read = |part| read_idx_folder(dir.path(), part).map_err(|error| error.to_string());
        let name = dir.path().display();

        let tried = "train-images-idx3-ubyte, train-images-idx3-ubyte.gz, train-images.idx3-ubyte, \
                     train-images.idx3-ubyte.gz";
        assert_eq!(read(Subset::Train), Err(format!("{name}: none of the files {tried}")));
        write("train-images.idx3-ubyte.gz", &gzip(IMAGES));
        assert!(read(Subset::Train).unwrap_err().contains("train-labels-idx1-ubyte"));
        write("train-labels-idx1-ubyte", LABELS);
        let set = read(Subset::Train).unwrap();
        assert_eq!((set.labels(), set.gather(&[2])), (&[0, 9, 5][..], vec![4.0, 255.0]));
        assert_eq!(set.feature_names(), ["pixel_0_0", "pixel_1_0"]);
        assert_eq!(set.image(), Some(ImageShape { height: 2, width: 1, channels: 1 }));
        assert_eq!(set.class_counts(), [1, 0, 0, 0, 0, 1, 0, 0, 0, 1]);

        write("t10k-images.idx3-ubyte", IMAGES);
        write("t10k-labels.idx1-ubyte", b"\0\0\x08\x01\0\0\0\x01\x00");
        let error = format!("{name}: expected as many labels as images, got 1 labels for 3 images");
        assert_eq!(read(Subset::Test), Err(error));
        write("t10k-images.idx3-ubyte", b"\0\0\x08\x03\0\0\0\0\0\0\0\x01\0\0\0\x01");
        write("t10k-labels.idx1-ubyte", b"\0\0\x08\x01\0\0\0\0");
        assert_eq!(read(Subset::Test), Err("data set: expected at least one row, got none".into()));
    }
}
