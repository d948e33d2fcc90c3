//! Data sets from the outside: laws, hostile files, and the real MNIST.

use std::{
    fs,
    io::{Read, Write},
    path::PathBuf,
};

use flate2::{Compression, write::GzEncoder};
use onebit_data::{
    BUILTIN, DataError, Dataset, FeatureRows, Samples, Subset, builtin, permutation, read_cifar10_folder,
    read_features, read_idx_folder, read_idx_images_from, read_idx_labels_from, read_image_folder,
    read_numpy, read_table, read_table_from, read_table_with_labels,
};
use onebit_model::Columns;
use onebit_testing::outside;
use proptest::{collection::vec, prelude::*, sample::Index};

/// Rows of two finite features and a class; two classes or more.
fn tables() -> impl Strategy<Value = Vec<(f32, f32, u32)>> {
    use proptest::num::f32::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    let number = POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO;
    vec((number, number, 0..4u32), 2..20).prop_map(|mut rows| {
        (rows[0].2, rows[1].2) = (0, 1);
        rows
    })
}

fn csv(rows: &[(f32, f32, u32)], separator: &str, line_end: &str) -> Vec<u8> {
    let mut text = ["x", "kind", "y"].join(separator) + line_end;
    for (x, y, label) in rows {
        text += &[x.to_string(), format!("class {label}"), y.to_string()].join(separator);
        text += line_end;
    }
    text.into_bytes()
}

/// An idx file, sound if there are as many bytes as the dimensions say.
fn idx(dims: &[u32], bytes: &[u8]) -> Vec<u8> {
    let dims = dims.iter().map(|dim| dim.to_be_bytes());
    let header = [[0, 0, 8, dims.len() as u8]].into_iter().chain(dims).flatten();
    header.chain(bytes.iter().copied()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Changes some bytes, and cuts the rest off.
fn mutate(mut bytes: Vec<u8>, changes: &[(Index, u8)], cut: Option<Index>) -> Vec<u8> {
    for (at, byte) in changes {
        let at = at.index(bytes.len());
        bytes[at] = *byte;
    }
    if let Some(cut) = cut {
        bytes.truncate(cut.index(bytes.len()));
    }
    bytes
}

fn mutations() -> impl Strategy<Value = (Vec<(Index, u8)>, Option<Index>)> {
    // Bytes with a meaning for one reader or the other, and any.
    let byte =
        prop_oneof![prop::sample::select(b"\0\x01\x08\"\n\r,;\t .-e9N\x1f\x8b\xff".to_vec()), any::<u8>()];
    (vec((any::<Index>(), byte), 0..4), proptest::option::of(any::<Index>()))
}

/// Gives bytes to every reader: what is accepted must be sound, and a refusal must fit on one line.
fn read_all(bytes: &[u8]) {
    fn sound<T>(result: Result<T, DataError>) -> Option<T> {
        result.inspect_err(|error| assert!(!error.to_string().contains(['\n', '\u{1b}']), "{error}")).ok()
    }
    if let Some(set) = sound(read_table_from(bytes, "f", "kind")) {
        assert!(set.classes() >= 2 && set.class_counts().iter().all(|&count| count > 0));
        assert_eq!(set.feature_names().len(), set.features());
        assert!(set.gather(&permutation(set.len(), 0)).iter().all(|x| x.is_finite()));
    }
    if let Some(rows) = sound(FeatureRows::new(bytes, "f", &["y", "x"].map(String::from))) {
        for row in rows.filter_map(sound) {
            assert!(row.len() == 2 && row.iter().all(|x| x.is_finite()));
        }
    }
    if let Some(images) = sound(read_idx_images_from(bytes, "f")) {
        assert_eq!(images.pixels.len(), images.count * images.height * images.width);
    }
    if let Some(labels) = sound(read_idx_labels_from(bytes, "f")) {
        assert!(labels.iter().all(|&label| label <= 9));
    }
}

/// A refusal fits on one line, what is accepted is sound.
fn check_images(result: Result<(Dataset, Option<Dataset>), DataError>) {
    match result {
        Err(error) => assert!(!error.to_string().contains(['\n', '\u{1b}']), "{error}"),
        Ok((set, test)) => {
            for set in [Some(set), test].into_iter().flatten() {
                assert_eq!(set.image().and_then(|image| image.features()), Some(set.features()));
                assert!(set.labels().iter().all(|&label| (label as usize) < set.classes()));
                assert!(set.gather(&permutation(set.len(), 0)).iter().all(|x| x.is_finite()));
            }
        }
    }
}

proptest! {
    #[test]
    fn mutated_folders_and_archives_never_panic((changes, cut) in mutations()) {
        let archive = include_bytes!("../../../../golden/arrays.npz");
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, mutate(bytes.to_vec(), &changes, cut)).unwrap();
            path
        };
        check_images(read_numpy(write("arrays.npz", archive)));

        // Behind the archive's checksum.
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(archive)).unwrap();
        for (from, to) in [("x_train", "npy/x"), ("y_train", "npy/y")] {
            let mut array = Vec::new();
            archive.by_name(&format!("{from}.npy")).unwrap().read_to_end(&mut array).unwrap();
            write(&format!("{to}.npy"), &array);
        }
        check_images(read_numpy(dir.path().join("npy")));

        for (name, format) in [("png", image::ImageFormat::Png), ("jpg", image::ImageFormat::Jpeg)] {
            let mut bytes = std::io::Cursor::new(Vec::new());
            image::RgbImage::from_fn(5, 4, |x, y| image::Rgb([x as u8, y as u8, 99])).write_to(&mut bytes, format).unwrap();
            for class in ["a", "b"] {
                write(&format!("{name}/{class}/1.{name}"), bytes.get_ref());
            }
            check_images(read_image_folder(dir.path().join(name)));
        }

        write("test_batch.bin", &[3; 2 * 3073]);
        check_images(read_cifar10_folder(dir.path(), Subset::Test).map(|set| (set, None)));
    }

    #[test]
    fn random_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        read_all(&bytes);
        read_all(&gzip(&bytes));
        read_all(&[&b"x,y,kind\n"[..], &bytes].concat());
        read_all(&[&b"\x1f\x8b\x08\0"[..], &bytes].concat());
        read_all(&[&b"\0\0\x08\x03"[..], &bytes].concat());
    }

    #[test]
    fn random_texts_never_panic(text in "(x,y,kind\n)?[\"\n\r,;\t 0-9.ekindxya-c\u{feff}]{0,80}") {
        read_all(text.as_bytes());
    }

    #[test]
    fn mutated_tables_never_panic(rows in tables(), (changes, cut) in mutations()) {
        read_all(&mutate(csv(&rows, ",", "\r\n"), &changes, cut));
    }

    #[test]
    fn mutated_images_never_panic(count in 0..5u32, (changes, cut) in mutations()) {
        let images = idx(&[count, 2, 3], &vec![7; 6 * count as usize]);
        let labels = idx(&[count], &vec![3; count as usize]);
        for bytes in [images, labels] {
            read_all(&mutate(gzip(&bytes), &changes, cut));
            let mutated = mutate(bytes, &changes, cut);
            read_all(&mutated);
            read_all(&gzip(&mutated));
        }
    }

    #[test]
    fn reading_a_written_table_gives_it_back(rows in tables(), separator in 0..3usize, crlf: bool) {
        let bytes = csv(&rows, [",", ";", "\t"][separator], if crlf { "\r\n" } else { "\n" });
        let set = read_table_from(&bytes[..], "f", "kind").unwrap();
        let expected: Vec<f32> = rows.iter().flat_map(|&(x, y, _)| [x, y]).collect();
        prop_assert_eq!(set.samples(), &Samples::Real { cols: 2, values: expected });
        for (row, &label) in rows.iter().zip(set.labels()) {
            prop_assert_eq!(&set.label_names()[label as usize], &format!("class {}", row.2));
        }
        let wanted = ["y", "x"].map(String::from);
        let features = FeatureRows::new(&bytes[..], "f", &wanted).unwrap();
        for (row, features) in rows.iter().zip(features) {
            prop_assert_eq!(features.unwrap(), [row.1, row.0]);
        }
    }

    #[test]
    fn reading_written_images_gives_them_back(pixels in vec(any::<[u8; 6]>(), 0..9), zipped: bool) {
        let plain = idx(&[pixels.len() as u32, 2, 3], pixels.as_flattened());
        let bytes = if zipped { gzip(&plain) } else { plain };
        let images = read_idx_images_from(&bytes[..], "f").unwrap();
        prop_assert_eq!((images.count, images.height, images.width), (pixels.len(), 2, 3));
        prop_assert_eq!(&images.pixels[..], pixels.as_flattened());
    }

    #[test]
    fn a_permutation_holds_every_number_once(count in 0..300usize, seed: u64) {
        let mut sorted = permutation(count, seed);
        sorted.sort();
        prop_assert_eq!(sorted, (0..count).collect::<Vec<_>>());
    }

    #[test]
    fn the_parts_of_a_split_make_the_whole(share in 0.0..1.0f64, seed: u64) {
        let iris = builtin("iris").unwrap();
        let held_out = (share * 150.0).round() as usize;
        match iris.split(share, seed) {
            Ok((rest, last)) => {
                prop_assert_eq!((rest.len(), last.len()), (150 - held_out, held_out));
                let counts = rest.class_counts().into_iter().zip(last.class_counts()).map(|(a, b)| a + b);
                prop_assert_eq!(counts.collect::<Vec<_>>(), iris.class_counts());
            }
            Err(_) => prop_assert!(held_out == 0 || held_out == 150),
        }
    }
}

/// The same file to learn from, to evaluate on and to predict from.
#[test]
fn the_three_ways_to_read_a_table_agree() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/iris.csv");
    let iris = builtin("iris").unwrap();
    let columns = Columns::numbers(iris.feature_names().iter().cloned()).unwrap();
    assert_eq!(read_table(&path, "species").unwrap(), iris);
    assert_eq!(read_table_with_labels(&path, "species", iris.label_names(), &columns).unwrap().0, iris);
    let table = read_features(&path, iris.feature_names()).unwrap();
    assert_eq!(iris.samples(), &Samples::Real { cols: table.cols, values: table.values });
}

#[test]
fn every_builtin_set_has_rows_of_every_class() {
    for (name, make) in BUILTIN {
        assert!(make().class_counts().iter().all(|&count| count > 100 / 3), "{name}");
    }
}

#[test]
fn mnist() {
    let Some(dir) = outside("mnist") else { return };
    let check = |set: &Dataset, rows: usize, first: [u32; 5]| {
        assert_eq!((set.len(), set.features(), set.classes()), (rows, 784, 10));
        assert_eq!(set.labels()[..5], first);
    };
    let train = read_idx_folder(&dir, Subset::Train).unwrap();
    check(&train, 60000, [5, 0, 4, 1, 9]);
    assert_eq!(train.class_counts(), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    // The mean and deviation in common use, 0.1307 and 0.3081, times 255.
    let Samples::Bytes { values, .. } = train.samples() else { panic!("images are bytes") };
    let mean =
        |f: &dyn Fn(f64) -> f64| values.iter().map(|&x| f(x.into())).sum::<f64>() / values.len() as f64;
    let average = mean(&|x| x);
    let deviation = mean(&|x| (x - average).powi(2)).sqrt();
    assert!((average / 255.0 - 0.1307).abs() < 5e-5 && (deviation / 255.0 - 0.3081).abs() < 5e-5);

    let (rest, last) = train.split_last(10000).unwrap();
    assert_eq!((rest.len(), last.len()), (50000, 10000));
    assert_eq!(last.labels(), &train.labels()[50000..]);
    assert_eq!(last.gather(&[0, 9999]), train.gather(&[50000, 59999]));
    check(&read_idx_folder(&dir, Subset::Test).unwrap(), 10000, [7, 2, 1, 0, 4]);
}
