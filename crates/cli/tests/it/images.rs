//! Folders of idx files: small ones made here, and the real MNIST.

use onebit_testing::outside;

use crate::common::{Folder, number, share};

const SIDE: usize = 6;
const TRAIN: [&str; 3] = ["train", "mnist-small", "--json"];
const SMALL: [&str; 6] = ["--set", "network.hidden=[48]", "--epochs", "12", "--batch", "20"];

/// An idx file of bytes with these dimensions.
fn idx(dims: &[usize], bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, dims.len() as u8];
    dims.iter().for_each(|&dim| file.extend((dim as u32).to_be_bytes()));
    file.extend(bytes);
    file
}

/// Images and labels in the folder `digits`: class `c` has three bright pixels of its own, the rest is dim
/// noise. The classes take turns.
fn write_part(folder: &Folder, part: &str, count: usize, classes: usize) -> Vec<u8> {
    let labels: Vec<u8> = (0..count).map(|image| (image % classes) as u8).collect();
    let pixel = |image: usize, at: usize| match at / 3 == usize::from(labels[image]) {
        true => 200 + (image * 13 % 56) as u8,
        false => (image * 31 + at * 17) as u8 % 90,
    };
    let pixels: Vec<u8> = (0..count)
        .flat_map(|image| (0..SIDE * SIDE).map(move |at| (image, at)))
        .map(|(i, a)| pixel(i, a))
        .collect();
    folder.write(&format!("digits/{part}-images-idx3-ubyte"), idx(&[count, SIDE, SIDE], &pixels));
    folder.write(&format!("digits/{part}-labels-idx1-ubyte"), idx(&[count], &labels));
    labels
}

/// A folder with `digits` in it; also the labels of its test part.
fn digits() -> (Folder, Vec<u8>) {
    let folder = Folder::new();
    write_part(&folder, "train", 400, 10);
    let labels = write_part(&folder, "t10k", 90, 10);
    (folder, labels)
}

#[test]
fn a_folder_of_images_is_learned_evaluated_and_predicted() {
    let (folder, labels) = digits();
    let args = [&TRAIN[..], &SMALL, &["--data", "digits/"]].concat();
    let result = folder.onebit(args).ok().json().pop().unwrap();
    let accuracy = share(&result, "test_accuracy");
    assert!(accuracy > 0.8, "every class has pixels of its own: {accuracy}");

    let evaluated =
        &folder.onebit(["eval", "mnist-small.onebit", "--data", "digits/", "--json"]).ok().json()[0];
    assert_eq!(number(evaluated, "accuracy"), accuracy);
    assert_eq!(evaluated["samples"], labels.len());

    let images = "digits/t10k-images-idx3-ubyte";
    let predict = ["predict", "mnist-small.onebit", "--json"];
    let run = folder.onebit([&predict[..], &[images]].concat()).ok();
    let predicted: Vec<String> =
        run.json().iter().map(|line| line["class"].as_str().unwrap().to_string()).collect();
    assert_eq!(predicted.len(), labels.len());
    let right = labels.iter().zip(&predicted).filter(|(label, predicted)| label.to_string() == **predicted);
    assert_eq!(right.count() as f64 / labels.len() as f64, accuracy);
    let piped =
        folder.pipe(predict, folder.read(images)).ok().stdout.replace("\"-\"", &format!("\"{images}\""));
    assert_eq!(piped, run.stdout, "images may come from standard input");
}

/// Each damage to a sound folder is named, and nothing is written.
#[test]
fn damaged_images_are_refused() {
    let sound = idx(&[400, SIDE, SIDE], &[1; 400 * SIDE * SIDE]);
    let mut huge = sound.clone();
    huge[4..8].fill(0xff);
    let images = "train-images-idx3-ubyte";
    let labels = "train-labels-idx1-ubyte";
    let damages: [(&str, &[u8], &[&str]); 9] = [
        (images, &sound[..sound.len() - 1], &[images, "14416", "14415"]),
        (images, &sound[..10], &[images, "16", "10"]),
        (images, &[], &[images]),
        (images, &[&sound[..], b"!"].concat(), &[images, "14416"]),
        (images, &idx(&[400], &[0; 400]), &[images]),
        (images, &huge, &[images, "4294967295"]),
        (images, b"\x1f\x8b\x08 not gzip at all", &[images]),
        (labels, &idx(&[399], &[0; 399]), &["digits", "400", "399"]),
        (labels, &idx(&[400], &[10; 400]), &[labels, "10"]),
    ];
    for (file, bytes, words) in damages {
        let (folder, _) = digits();
        folder.write(&format!("digits/{file}"), bytes);
        let run = folder.onebit([&TRAIN[..], &["--data", "digits"]].concat()).refused(1, words);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
        assert!(folder.names().is_empty(), "{:?}", folder.names());
    }
    let (folder, _) = digits();
    std::fs::remove_file(folder.path("digits/t10k-labels-idx1-ubyte")).unwrap();
    let run = folder.onebit([&TRAIN[..], &["--data", "digits"]].concat());
    run.refused(1, &["digits", "t10k-labels-idx1-ubyte"]);
}

#[test]
fn a_class_without_an_image_is_refused() {
    let folder = Folder::new();
    write_part(&folder, "train", 40, 2);
    write_part(&folder, "t10k", 10, 2);
    folder.onebit([&TRAIN[..], &["--data", "digits"]].concat()).refused(1, &["class `2`"]);
    assert!(folder.names().is_empty());
}

#[test]
fn images_of_another_size_are_refused() {
    let (folder, _) = digits();
    folder.onebit([&TRAIN[..], &SMALL, &["--data", "digits"]].concat()).ok();
    folder.write("other", idx(&[2, 2, 3], &[7; 12]));
    let run = folder.onebit(["predict", "mnist-small.onebit", "other"]);
    let run = run.refused(1, &["other", "36 features", "6 pixels"]);
    assert_eq!(run.stdout, "", "a refused file leaves no header behind");
}

/// One epoch on the real images.
#[test]
fn mnist_is_learned_in_one_epoch() {
    let Some(data) = outside("mnist") else { return };
    let folder = Folder::new();
    let data = data.to_str().expect("the path is UTF-8");
    let args = ["--epochs", "1", "--set", "network.hidden=[24]", "--data", data];
    let result = folder.onebit([&TRAIN[..], &args].concat()).ok().json().pop().unwrap();
    let accuracy = share(&result, "test_accuracy");
    assert!(accuracy > 0.8, "{accuracy}");
    let evaluated = &folder.onebit(["eval", "mnist-small.onebit", "--data", data, "--json"]).ok().json()[0];
    assert_eq!((&evaluated["samples"], number(evaluated, "accuracy")), (&10_000.into(), accuracy));
}
