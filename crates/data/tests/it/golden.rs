//! Preparing data against NumPy's numbers in `golden/data.json`, and an archive that NumPy wrote; the program
//! that made them is `golden/generate_data.py`.
//!
//! The numbers were computed in f64 and have nine digits; ours are rounded to f32, and the product of
//! whitening is one of f32 with five terms: 1e-6 of the largest term, which is below 40.

use onebit_bits::Engine;
use onebit_data::{Dataset, Gcn, ImageShape, Samples, Subset, Whiten, read_numpy, read_svhn_folder};
use onebit_testing::{
    close::assert_close,
    golden::{numbers, reals},
};
use serde_json::Value as Json;

fn golden() -> Json {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/data.json"));
    serde_json::from_str(text).expect("the file is JSON")
}

fn data(golden: &Json) -> Dataset {
    let values: Vec<f32> = reals(&golden["x"]);
    let labels = vec![0; values.len() / 5];
    Dataset::new(Samples::Real { cols: 5, values }, labels, vec!["a".into()], vec![]).unwrap()
}

fn all(data: &Dataset) -> Vec<f32> {
    data.gather(&(0..data.len()).collect::<Vec<_>>())
}

#[test]
fn contrast() {
    let golden = golden();
    for (case, use_std) in [("gcn_std", true), ("gcn_norm", false)] {
        let case = &golden[case];
        let [scale, bias] = ["scale", "sqrt_bias"].map(|key| numbers(&case[key])[0]);
        let normal = Gcn::new(scale, use_std, bias).unwrap().apply(&data(&golden)).unwrap();
        assert_close("y", &all(&normal), &numbers(&case["y"]), |_, y| 1e-6 * y.abs() + 1e-8);
    }
}

#[test]
fn whitening() {
    let (golden, engine) = (golden(), Engine::single());
    let (data, zca) = (data(&golden), &golden["zca"]);
    let whiten = Whiten::fit(&engine, &data, numbers(&zca["eps"])[0]).unwrap();
    assert_close("mean", whiten.mean(), &numbers(&zca["mean"]), |_, mean| 1e-6 * mean.abs());
    assert_close("matrix", whiten.matrix(), &numbers(&zca["matrix"]), |_, w| 1e-6 * w.abs() + 1e-7);
    let white = whiten.apply(&engine, &data).unwrap();
    assert_close("y", &all(&white), &numbers(&zca["y"]), |_, _| 2e-5);
}

#[test]
fn an_archive_of_numpy() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/arrays.npz");
    let (train, test) = read_numpy(path).unwrap();
    let test = test.expect("it has a test part");
    let shape = ImageShape { height: 2, width: 2, channels: 3 };
    assert_eq!((train.image(), test.image()), (Some(shape), Some(shape)));
    assert_eq!(train.samples(), &Samples::Bytes { cols: 12, values: (0..24).collect() });
    assert_eq!(test.samples(), &Samples::Bytes { cols: 12, values: (6..12).chain(0..6).collect() });
    assert_eq!((train.labels(), test.labels(), train.classes()), (&[1, 2][..], &[0][..], 3));
}

/// The value of every pixel is a formula in `golden/generate_svhn.py`.
#[test]
fn house_numbers_of_scipy() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/svhn");
    let image = |n: usize| {
        let at = move |y: usize, x: usize, c: usize| ((7 * y + 5 * x + 60 * c + 31 * n) % 256) as u8;
        (0..32).flat_map(move |y| (0..32).flat_map(move |x| (0..3).map(move |c| at(y, x, c))))
    };
    let images = |count: usize| Samples::Bytes { cols: 3072, values: (0..count).flat_map(image).collect() };
    let train = read_svhn_folder(path, Subset::Train).unwrap();
    assert_eq!(train.samples(), &images(12));
    assert_eq!(train.labels(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2]);
    let test = read_svhn_folder(path, Subset::Test).unwrap();
    assert_eq!((test.samples(), test.labels()), (&images(2), &[0, 3][..]));
}
