//! CIFAR-10 in its binary version: 60000 colour images of 32x32 pixels in 10 classes.
//!
//! ```text
//! data_batch_1.bin .. data_batch_5.bin, test_batch.bin: 10000 images each, gzipped or not
//! image: label, one byte | red (32, 32) | green (32, 32) | blue (32, 32)      3073 bytes
//! ```
//!
//! In memory the channels are last: `(b, 32, 32, 3)`.
//! Source: <https://www.cs.toronto.edu/~kriz/cifar.html>.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use crate::{
    dataset::Dataset,
    error::{DataError, ImageError},
    files::{Subset, find, open, read_whole},
    image_shape::ImageShape,
    samples::Samples,
};

const SHAPE: ImageShape = ImageShape { height: 32, width: 32, channels: 3 };
const PLANE: usize = 32 * 32;
const RECORD: usize = 1 + 3 * PLANE;
/// The largest accepted file, after decompression: 256 MiB, 8 times a published one.
const LIMIT: u64 = 1 << 28;
/// The largest accepted file of class names.
const NAMES_LIMIT: u64 = 1 << 16;
const NAMES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// Reads a subset of CIFAR-10 from a folder with the published files, or from the folder that contains
/// `cifar-10-batches-bin`: all five `data_batch_<n>.bin`, or `test_batch.bin`. The class names are those in
/// `batches.meta.txt`; without that file, the published ones.
///
/// ```no_run
/// use onebit_data::{Subset, read_cifar10_folder};
///
/// let test = read_cifar10_folder("cifar10", Subset::Test)?;
/// assert_eq!((test.len(), test.features(), test.classes()), (10_000, 3072, 10));
/// # Ok::<(), onebit_data::DataError>(())
/// ```
///
/// # Errors
/// [`DataError::NoFile`], [`DataError::Open`], [`DataError::Read`], [`DataError::Oversize`];
/// [`DataError::NoRows`], [`ImageError::Records`] and [`ImageError::Digit`] for a file of images;
/// [`ImageError::Names`], [`DataError::NotText`] and [`DataError::Duplicate`] for the names.
pub fn read_cifar10_folder(dir: impl AsRef<Path>, subset: Subset) -> Result<Dataset, DataError> {
    let dir = folder(dir.as_ref());
    let files = match subset {
        Subset::Train => (1..=5).map(|batch| format!("data_batch_{batch}.bin")).collect(),
        Subset::Test => vec!["test_batch.bin".to_string()],
    };
    let (mut labels, mut values) = (Vec::new(), Vec::new());
    for file in files {
        let (reader, name) = open(&find(&dir, &[file])?)?;
        read_batch(reader, &name, &mut labels, &mut values)?;
    }
    let samples = Samples::Bytes { cols: 3 * PLANE, values };
    Dataset::new(samples, labels, label_names(&dir)?, SHAPE.feature_names())?.with_image(SHAPE)
}

/// The folder that holds the files.
fn folder(dir: &Path) -> PathBuf {
    let inner = dir.join("cifar-10-batches-bin");
    if inner.is_dir() { inner } else { dir.to_path_buf() }
}

/// Appends the images of a file, channels last.
fn read_batch(
    reader: impl Read,
    name: &str,
    labels: &mut Vec<u32>,
    values: &mut Vec<u8>,
) -> Result<(), DataError> {
    let file = || name.to_string();
    let bytes = read_whole(reader, name, LIMIT)?;
    if bytes.is_empty() {
        return Err(DataError::NoRows { name: file() });
    }
    let (records, rest) = bytes.as_chunks::<RECORD>();
    if !rest.is_empty() {
        return Err(ImageError::Records { file: file(), record: RECORD, got: bytes.len() }.into());
    }
    values.reserve(records.len() * 3 * PLANE);
    for (index, [label, planes @ ..]) in records.iter().enumerate() {
        if *label > 9 {
            return Err(ImageError::Digit { file: file(), index, label: *label }.into());
        }
        labels.push(u32::from(*label));
        let (red, rest) = planes.split_at(PLANE);
        let (green, blue) = rest.split_at(PLANE);
        let pixels = red.iter().zip(green).zip(blue);
        values.extend(pixels.flat_map(|((&red, &green), &blue)| [red, green, blue]));
    }
    Ok(())
}

fn label_names(dir: &Path) -> Result<Vec<String>, DataError> {
    let path = dir.join("batches.meta.txt");
    if !path.is_file() {
        return Ok(NAMES.map(String::from).to_vec());
    }
    let (reader, file) = open(&path)?;
    let bytes = read_whole(reader, &file, NAMES_LIMIT)?;
    let text = match str::from_utf8(&bytes) {
        Ok(text) => text,
        Err(error) => {
            let before = &bytes[..error.valid_up_to()];
            let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count() as u64;
            return Err(DataError::NotText { file, line, field: 1 });
        }
    };
    let names: Vec<String> =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(String::from).collect();
    match names.len() {
        10 => Ok(names),
        got => Err(ImageError::Names { file, expected: 10, got }.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::files::gzip;

    /// An image with the colours `label`, `label + 50` and `label + 100`, except for the red of the second pixel.
    fn record(label: u8) -> Vec<u8> {
        let mut record = vec![label];
        [0, 50, 100].iter().for_each(|plus| record.extend([label + plus; PLANE]));
        record[2] = 255;
        record
    }

    fn message(bytes: &[u8]) -> String {
        read_batch(bytes, "f", &mut vec![], &mut vec![]).unwrap_err().to_string()
    }

    #[test]
    fn a_folder_or_the_one_around_it() {
        let outer = tempfile::tempdir().unwrap();
        let dir = outer.path().join("cifar-10-batches-bin");
        fs::create_dir(&dir).unwrap();
        for batch in 1..=4 {
            fs::write(dir.join(format!("data_batch_{batch}.bin")), record(batch)).unwrap();
        }
        let missing = read_cifar10_folder(&dir, Subset::Train).unwrap_err().to_string();
        let tried = "data_batch_5.bin, data_batch_5.bin.gz";
        assert_eq!(missing, format!("{}: none of the files {tried}", dir.display()));
        fs::write(dir.join("data_batch_5.bin.gz"), gzip(&[record(9), record(0)].concat())).unwrap();
        fs::write(dir.join("test_batch.bin"), record(7)).unwrap();

        let train = read_cifar10_folder(&dir, Subset::Train).unwrap();
        assert_eq!(train, read_cifar10_folder(outer.path(), Subset::Train).unwrap());
        assert_eq!(train.labels(), [1, 2, 3, 4, 9, 0]);
        assert_eq!((train.image(), train.features()), (Some(SHAPE), 3072));
        assert_eq!(train.gather(&[1])[..9], [2.0, 52.0, 102.0, 255.0, 52.0, 102.0, 2.0, 52.0, 102.0]);
        assert_eq!(train.feature_names()[3..5], ["pixel_0_1_0", "pixel_0_1_1"]);
        assert_eq!(train.label_names(), NAMES);
        assert_eq!(read_cifar10_folder(&dir, Subset::Test).unwrap().labels(), [7]);
    }

    #[test]
    fn hostile_batches() {
        assert_eq!(message(b""), "f: expected at least one row, got none");
        let whole = record(1);
        assert_eq!(message(&whole[1..]), "f: expected whole images of 3073 bytes, got 3072 bytes");
        let longer = [&whole[..], b"\n"].concat();
        assert_eq!(message(&longer), "f: expected whole images of 3073 bytes, got 3074 bytes");
        assert_eq!(
            message(&[whole, record(10)].concat()),
            "f: expected labels from 0 to 9, got 10 at index 1"
        );
        let error = read_batch(std::io::repeat(0), "f", &mut vec![], &mut vec![]).unwrap_err().to_string();
        assert_eq!(error, "f: expected at most 268435456 bytes, got more");
    }

    #[test]
    fn classes_have_the_names_in_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("batches.meta.txt");
        let file = path.display().to_string();
        fs::write(dir.path().join("test_batch.bin"), record(0)).unwrap();
        let read = |names: &[u8]| {
            fs::write(&path, names).unwrap();
            read_cifar10_folder(dir.path(), Subset::Test).map_err(|error| error.to_string())
        };
        let set = read(b"a\r\nb\nc\nd\n\ne\nf\ng\nh\ni\nj\n\n").unwrap();
        assert_eq!(set.label_names().concat(), "abcdefghij");
        assert_eq!(read(b"a\nb\n"), Err(format!("{file}: expected 10 label names, one a line, got 2")));
        assert_eq!(read(b"a\nb\xff\n"), Err(format!("{file}, line 2, field 1: expected UTF-8 text")));
        assert_eq!(read(b"a\nb\nc\nd\ne\nf\ng\nh\ni\na\n"), Err("data set: class `a` appears twice".into()));
        assert_eq!(read(&[b'\n'; 65537]), Err(format!("{file}: expected at most 65536 bytes, got more")));
    }
}
