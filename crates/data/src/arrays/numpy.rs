//! Data sets of NumPy arrays: an archive of `numpy.savez`, compressed or not, or a folder of `.npy` files.
//!
//! ```text
//! x and y, or x_train and y_train, with or without x_test and y_test
//! x: (b, i), or images (b, h, w) or (b, h, w, c), channels last     y: (b) or (b, 1), integers from 0
//! ```
//!
//! Bytes (`uint8`) stay bytes; other numbers become `f32`. The classes are named "0", "1" and so on.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, BufReader},
    path::Path,
};

use zip::{ZipArchive, result::ZipError};

use crate::{
    arrays::npy::{Array, Type, dims},
    dataset::Dataset,
    error::{DataError, listed},
    files::{open, wrong_array},
    image_shape::ImageShape,
    samples::Samples,
};

/// The largest number of classes: each has a name in memory.
const MOST_CLASSES: i64 = 1 << 16;
/// The largest number of features: each has a name in memory.
const MOST_FEATURES: usize = 1 << 20;

/// Reads an `.npz` archive, or a folder with `.npy` files, that holds `x` and `y`, or `x_train` and `y_train`
/// and optionally `x_test` and `y_test`. Returns the training set and the test set, if there is one. Other
/// arrays are ignored.
///
/// # Errors
/// [`DataError::Open`], [`DataError::Read`]; [`DataError::NoArray`] if an array is missing;
/// [`DataError::Array`] for a wrong header, shape, type or label; [`DataError::Truncated`],
/// [`DataError::Trailing`], [`DataError::Oversize`]; [`DataError::NotFinite`]; [`DataError::NoRows`],
/// [`DataError::NoFeatures`].
pub fn read_numpy(path: impl AsRef<Path>) -> Result<(Dataset, Option<Dataset>), DataError> {
    let path = path.as_ref();
    let file = path.display().to_string();
    if path.is_dir() {
        let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = entries.map_err(|reason| DataError::Read { file: file.clone(), reason })?;
        let names = entries.iter().filter_map(|entry| array_name(entry.file_name().to_str()?)).collect();
        return data_sets(&file, &names, |array| {
            let (reader, file) = open(&path.join(format!("{array}.npy")))?;
            Array::read(BufReader::new(reader), &file)
        });
    }
    let failed = |error: ZipError| DataError::Read { file: file.clone(), reason: error.into() };
    let mut archive = ZipArchive::new(BufReader::new(open(path)?.0)).map_err(failed)?;
    let names = archive.file_names().filter_map(array_name).collect();
    data_sets(&file, &names, |array| {
        let entry = archive.by_name(&format!("{array}.npy")).map_err(failed)?;
        Array::read(entry, &format!("{file}, {array}"))
    })
}

fn array_name(file: &str) -> Option<String> {
    file.strip_suffix(".npy").map(String::from)
}

/// Reads the training and test sets from the arrays with these names.
fn data_sets(
    file: &str,
    names: &BTreeSet<String>,
    mut read: impl FnMut(&str) -> Result<Array, DataError>,
) -> Result<(Dataset, Option<Dataset>), DataError> {
    let has = |array: &str| names.contains(array);
    let mut subset = |x: &str, y: &str| {
        if let Some(missing) = [x, y].into_iter().find(|array| !has(array)) {
            let arrays = if names.is_empty() { "none".to_string() } else { listed(names.iter()) };
            let (file, array) = (file.to_string(), missing.to_string());
            return Err(DataError::NoArray { file, array, arrays });
        }
        let (x, y) = (read(x)?, read(y)?);
        let labels = labels(&y, *x.shape.first().unwrap_or(&0))?;
        Ok((x, labels))
    };
    let split = has("x_train") || has("y_train");
    let train = if split { subset("x_train", "y_train") } else { subset("x", "y") }?;
    let test = (split && (has("x_test") || has("y_test"))).then(|| subset("x_test", "y_test")).transpose()?;
    if let Some((x, _)) = &test
        && x.shape.get(1..) != train.0.shape.get(1..)
    {
        let expected = format!("rows as in {}", dims(&train.0.shape));
        return Err(wrong_array(&x.name, "shape", expected, dims(&x.shape)));
    }
    let labels = train.1.iter().chain(test.iter().flat_map(|(_, labels)| labels));
    let classes = labels.max().map_or(0, |&label| label + 1).max(2);
    Ok((dataset(train, classes)?, test.map(|test| dataset(test, classes)).transpose()?))
}

fn dataset((x, labels): (Array, Vec<u32>), classes: u32) -> Result<Dataset, DataError> {
    let shape = match x.shape[..] {
        [_, _] => None,
        [_, height, width] => Some(ImageShape { height, width, channels: 1 }),
        [_, height, width, channels] => Some(ImageShape { height, width, channels }),
        _ => return Err(wrong_array(&x.name, "shape", "(b, i), (b, h, w) or (b, h, w, c)", dims(&x.shape))),
    };
    let cols = x.shape[1..].iter().try_fold(1usize, |product, &dim| product.checked_mul(dim));
    let Some(cols) = cols.filter(|&cols| cols <= MOST_FEATURES) else {
        let expected = format!("at most {MOST_FEATURES} numbers in a row");
        return Err(wrong_array(&x.name, "shape", expected, dims(&x.shape)));
    };
    let samples = match x.kind {
        _ if cols == 0 => return Err(DataError::NoFeatures { name: x.name }),
        _ if labels.is_empty() => return Err(DataError::NoRows { name: x.name }),
        Type::Byte => Samples::Bytes { cols, values: x.bytes },
        _ => Samples::Real { cols, values: x.kind.reals(&x.bytes) },
    };
    if let Samples::Real { values, .. } = &samples
        && let Some(at) = values.iter().position(|value| !value.is_finite())
    {
        let place = format!("{}, row {}, feature {}", x.name, at / cols, at % cols);
        return Err(DataError::NotFinite { place, value: values[at].to_string() });
    }
    let label_names = (0..classes).map(|class| class.to_string()).collect();
    match shape {
        None => Dataset::new(samples, labels, label_names, vec![]),
        Some(shape) => Dataset::new(samples, labels, label_names, shape.feature_names())?.with_image(shape),
    }
}

/// The labels of `rows` rows.
fn labels(y: &Array, rows: usize) -> Result<Vec<u32>, DataError> {
    if !matches!(y.shape[..], [b] | [b, 1] if b == rows) {
        let expected = format!("({rows},) or ({rows}, 1), as many rows as x");
        return Err(wrong_array(&y.name, "shape", expected, dims(&y.shape)));
    }
    let Some(integers) = y.integers() else {
        return Err(wrong_array(&y.name, "type", "integers: |u1, |b1, <i4 or <i8", "reals"));
    };
    let label = |(row, &label): (usize, &i64)| match label {
        0..MOST_CLASSES => Ok(label as u32),
        _ => {
            let expected = format!("from 0 to {}", MOST_CLASSES - 1);
            Err(wrong_array(&y.name, &format!("label of row {row}"), expected, label.to_string()))
        }
    };
    integers.iter().enumerate().map(label).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

    use super::{super::npy::npy, *};

    type Arrays<'a> = &'a [(&'a str, &'a str, &'a str, &'a [u8])];

    fn archive(path: &Path, arrays: Arrays, method: CompressionMethod) {
        let mut zip = ZipWriter::new(fs::File::create(path).unwrap());
        for (name, kind, shape, bytes) in arrays {
            // NumPy, too, uses the ZIP64 form of sizes.
            let options = SimpleFileOptions::default().compression_method(method).large_file(true);
            zip.start_file(format!("{name}.npy"), options).unwrap();
            zip.write_all(&npy(kind, shape, bytes)).unwrap();
        }
        zip.finish().unwrap();
    }

    /// Reads arrays from a folder, and checks that archives, compressed or not, give the same.
    fn read(arrays: Arrays) -> Result<(Dataset, Option<Dataset>), String> {
        let dir = tempfile::tempdir().unwrap();
        for (name, kind, shape, bytes) in arrays {
            fs::write(dir.path().join(format!("{name}.npy")), npy(kind, shape, bytes)).unwrap();
        }
        let place = dir.path().display().to_string();
        let message = |error: DataError| error.to_string().replace(&place, "DIR");
        let folder = read_numpy(dir.path()).map_err(message);
        let path = dir.path().join("set.npz");
        for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
            archive(&path, arrays, method);
            let as_of_folder =
                |error| message(error).replace("DIR/set.npz, ", "DIR/").replace("DIR/set.npz:", "DIR:");
            let set = read_numpy(&path).map_err(as_of_folder);
            assert_eq!(set, folder.clone().map_err(|error| error.replace(".npy", "")));
        }
        folder
    }

    fn message(x: (&str, &str, &[u8]), y: (&str, &str, &[u8])) -> String {
        read(&[("x", x.0, x.1, x.2), ("y", y.0, y.1, y.2)]).unwrap_err()
    }

    #[test]
    fn one_part() {
        let x: Vec<u8> = [1.5f64, -2.0, 0.0, 3.0].map(f64::to_le_bytes).concat();
        let (set, test) = read(&[("x", "<f8", "(2, 2)", &x), ("y", "|b1", "(2,)", &[1, 0])]).unwrap();
        assert_eq!((set.image(), test), (None, None));
        assert_eq!((set.gather(&[0, 1]), set.labels()), (vec![1.5, -2.0, 0.0, 3.0], &[1, 0][..]));
        assert_eq!(set.label_names(), ["0", "1"]);
    }

    #[test]
    fn two_parts_of_images() {
        let train = [("x_train", "|u1", "(2, 1, 2)", &b"abcd"[..]), ("y_train", "|u1", "(2, 1)", &[0, 1])];
        let label = 3i64.to_le_bytes();
        let test = [("x_test", "|u1", "(1, 1, 2)", &b"ef"[..]), ("y_test", "<i8", "(1,)", &label)];
        let (set, none) = read(&train).unwrap();
        assert_eq!((set.classes(), none), (2, None));
        let (set, test) = read(&[train, test].concat()).unwrap();
        let test = test.unwrap();
        assert_eq!((set.classes(), test.classes(), test.labels()), (4, 4, &[3][..]));
        let shape = ImageShape { height: 1, width: 2, channels: 1 };
        assert_eq!((set.image(), test.image()), (Some(shape), Some(shape)));
        assert_eq!(test.samples(), &Samples::Bytes { cols: 2, values: b"ef".to_vec() });

        let colour = read(&[("x", "|u1", "(1, 1, 2, 3)", b"abcdef"), ("y", "|u1", "(1,)", &[0])]).unwrap().0;
        assert_eq!(colour.image(), Some(ImageShape { channels: 3, ..shape }));
    }

    #[test]
    fn arrays_that_are_missing() {
        let x = ("x", "|u1", "(1, 1)", &b"a"[..]);
        assert_eq!(read(&[]).unwrap_err(), "DIR: no array `x`; the arrays are none");
        assert_eq!(read(&[x]).unwrap_err(), "DIR: no array `y`; the arrays are x");
        let train = [("x_train", x.1, x.2, x.3), ("y_train", x.1, "(1,)", &[0])];
        let missing = |name, needed: &str| {
            let error = read(&[&train[..], &[(name, x.1, x.2, x.3)]].concat()).unwrap_err();
            assert_eq!(error, format!("DIR: no array `{needed}`; the arrays are {name}, x_train, y_train"));
        };
        missing("x_test", "y_test");
        assert_eq!(read(&train[1..]).unwrap_err(), "DIR: no array `x_train`; the arrays are y_train");
    }

    #[test]
    fn arrays_that_do_not_fit() {
        let x = ("|u1", "(2, 1)", &b"ab"[..]);
        let y = ("|u1", "(2,)", &b"\0\x01"[..]);
        let rows = "DIR/y.npy: shape: expected (2,) or (2, 1), as many rows as x, got";
        assert_eq!(message(x, ("|u1", "(1,)", b"\0")), format!("{rows} (1,)"));
        assert_eq!(message(x, ("|u1", "(2, 2)", b"\0\0\0\0")), format!("{rows} (2, 2)"));
        assert_eq!(
            message(x, ("<f4", "(2,)", &[0; 8])),
            "DIR/y.npy: type: expected integers: |u1, |b1, <i4 or <i8, got reals"
        );
        let labels = |label: i64| [0, label].map(i64::to_le_bytes).concat();
        for label in [-1, 65536, i64::MAX] {
            let error = format!("DIR/y.npy: label of row 1: expected from 0 to 65535, got {label}");
            assert_eq!(message(x, ("<i8", "(2,)", &labels(label))), error);
        }
        let shapes = "DIR/x.npy: shape: expected (b, i), (b, h, w) or (b, h, w, c), got";
        assert_eq!(message(("|u1", "(2,)", b"ab"), y), format!("{shapes} (2,)"));
        assert_eq!(message(("|u1", "(2, 1, 1, 1, 1)", b"ab"), y), format!("{shapes} (2, 1, 1, 1, 1)"));
        let wide = vec![0; 2 * ((1 << 20) + 1)];
        assert_eq!(
            message(("|u1", "(2, 1048577)", &wide), y),
            "DIR/x.npy: shape: expected at most 1048576 numbers in a row, got (2, 1048577)"
        );
        assert_eq!(
            message(("|u1", "(2, 0)", b""), y),
            "DIR/x.npy: expected at least one feature column, got none"
        );
        let none = ("|u1", "(0,)", &b""[..]);
        assert_eq!(message(("|u1", "(0, 2)", b""), none), "DIR/x.npy: expected at least one row, got none");
        let large = [0.0, 1e300].map(f64::to_le_bytes).concat();
        assert_eq!(
            message(("<f8", "(2, 1)", &large), y),
            "DIR/x.npy, row 1, feature 0: expected a finite number, got `inf`"
        );
        assert_eq!(message(("|u1", "(2, 2)", b"abc"), y).split(':').nth(1), Some(" truncated"));
        let parts = [("x_train", "(1, 2, 2)"), ("x_test", "(1, 4)")]
            .map(|(x, shape)| (x, "|u1", shape, &b"abcd"[..]));
        let labels = ["y_train", "y_test"].map(|y| (y, "|u1", "(1,)", &[0][..]));
        assert_eq!(
            read(&[parts, labels].concat()).unwrap_err(),
            "DIR/x_test.npy: shape: expected rows as in (1, 2, 2), got (1, 4)"
        );
    }

    #[test]
    fn damaged_archives() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("set.npz");
        let refused = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            let error = read_numpy(&path).unwrap_err();
            assert!(matches!(error, DataError::Read { .. }), "{error}");
        };
        refused(b"");
        refused(b"x,y\n1,2\n");
        archive(
            &path,
            &[("x", "|u1", "(1, 1)", b"a"), ("y", "|u1", "(1,)", &[0])],
            CompressionMethod::Stored,
        );
        let mut bytes = fs::read(&path).unwrap();
        refused(&bytes[..bytes.len() / 2]);
        let pixel = bytes.windows(3).position(|bytes| bytes == b"}\na").unwrap() + 2;
        bytes[pixel] = b'b';
        refused(&bytes); // the checksum differs
        let missing = read_numpy(dir.path().join("no.npz")).unwrap_err().to_string();
        assert!(missing.starts_with("cannot open "), "{missing}");
    }
}
