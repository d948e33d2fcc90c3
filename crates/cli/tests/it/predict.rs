//! `onebit predict` on files, folders and streams of every kind: what it says, and that it waits for nothing.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
};

use image::{GrayImage, Luma, Rgb, RgbImage};
use onebit::{
    Model,
    bits::BitTensor,
    model::{Affine, Dense, Layer, Output, Standardize},
};
use onebit_testing::patience::{PATIENCE, output};
use serde_json::json;

use crate::common::{Folder, Run, number};

/// A model over images of 2x2 pixels: `bright` or `dark`, by the sum of the pixels about their middle.
fn bright(channels: usize) -> Model {
    let features = 4 * channels;
    let weights = BitTensor::from_fn(2, features, |class, _| class == 0);
    let layer = Layer::Dense(Dense { weights, output: Output::Scores(Affine::identity(2)) });
    let standardize = Standardize { mean: vec![127.5; features], scale: vec![1.0; features] };
    let name = |at: usize| match channels {
        1 => format!("pixel_{}_{}", at / 2, at % 2),
        _ => format!("pixel_{}_{}_{}", at / channels / 2, at / channels % 2, at % channels),
    };
    let model = Model::new(features, vec![layer], ["bright", "dark"].map(String::from).to_vec()).unwrap();
    model.with_standardize(standardize).unwrap().with_features((0..features).map(name).collect()).unwrap()
}

/// A folder with `grey.onebit` and `colour.onebit`, which take images of 2x2 pixels.
fn folder() -> Folder {
    let folder = Folder::new();
    bright(1).save(folder.path("grey.onebit")).unwrap();
    bright(3).save(folder.path("colour.onebit")).unwrap();
    folder
}

/// An array of NumPy.
fn npy(descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), bytes].concat()
}

const HEADER: &str = "pixel_0_0,pixel_0_1,pixel_1_0,pixel_1_1\n";

fn labels(run: &Run) -> Vec<String> {
    run.json().iter().map(|line| line["class"].as_str().unwrap().to_string()).collect()
}

#[test]
fn the_same_rows_in_every_form() {
    let folder = folder();
    let rows: Vec<[u8; 4]> = (0..600u32).map(|row| row.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let lines = rows.iter().map(|[a, b, c, d]| format!("{a},{b},{c},{d}\n"));
    let csv = HEADER.to_string() + &lines.collect::<String>();
    folder.write("rows.csv", &csv);
    let expected = folder.onebit(["predict", "grey.onebit", "rows.csv"]).ok().stdout;
    assert_eq!(expected.lines().count(), 601);
    let pixels = rows.concat();
    let of = |number: fn(u8) -> Vec<u8>| pixels.iter().flat_map(|&pixel| number(pixel)).collect::<Vec<u8>>();
    for (descr, bytes) in [
        ("|u1", pixels.clone()),
        ("<i4", of(|pixel| i32::from(pixel).to_le_bytes().to_vec())),
        ("<i8", of(|pixel| i64::from(pixel).to_le_bytes().to_vec())),
        ("<f4", of(|pixel| f32::from(pixel).to_le_bytes().to_vec())),
        ("<f8", of(|pixel| f64::from(pixel).to_le_bytes().to_vec())),
    ] {
        for shape in ["(600, 4)", "(600, 2, 2)", "(600, 2, 2, 1)"] {
            folder.write("rows.npy", npy(descr, shape, &bytes));
            assert_eq!(
                folder.onebit(["predict", "grey.onebit", "rows.npy"]).ok().stdout,
                expected,
                "{descr} {shape}"
            );
        }
    }
    let array = folder.read("rows.npy");
    for args in [&["predict", "grey.onebit"][..], &["predict", "grey.onebit", "-", "--format", "npy"]] {
        assert_eq!(folder.pipe(args, array.clone()).ok().stdout, expected);
    }
    for args in [&["predict", "grey.onebit"][..], &["predict", "grey.onebit", "-", "--format", "csv"]] {
        assert_eq!(folder.pipe(args, csv.clone()).ok().stdout, expected);
    }
    for threads in ["1", "2", "3"] {
        for input in ["rows.csv", "rows.npy"] {
            let run = folder.onebit(["predict", "grey.onebit", input, "--threads", threads]).ok();
            assert_eq!(run.stdout, expected, "{input} with {threads} threads");
        }
    }
}

#[test]
fn images_in_files_folders_and_a_pipe() {
    let folder = folder();
    let path = |name: &str| folder.write(name, "").path(name);
    GrayImage::from_pixel(2, 2, Luma([250])).save(path("set/b.png")).unwrap();
    GrayImage::from_pixel(2, 2, Luma([5])).save(path("set/a.PNG")).unwrap();
    RgbImage::from_pixel(2, 2, Rgb([200, 220, 240])).save(path("set/c.jpg")).unwrap();
    folder.write("set/.hidden", "").write("set/notes.txt", "").write("set/sub/x.png", "");

    let run = folder.onebit(["predict", "grey.onebit", "set"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stderr.starts_with("warning: set: skipped 2 "), "{}", run.stderr);
    assert!(run.stderr.contains("notes.txt") && run.stderr.lines().count() == 1, "{}", run.stderr);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines[0], "input,row,label,score bright,score dark");
    assert_eq!(lines[1].replace('\\', "/"), "set/a.PNG,0,dark,-490,490");
    assert_eq!(lines[2].replace('\\', "/"), "set/b.png,0,bright,490,-490");
    assert_eq!(lines.len(), 4);
    for model in ["grey.onebit", "colour.onebit"] {
        let run = folder.onebit(["predict", model, "set/b.png", "set/a.PNG", "set/c.jpg", "--json"]).ok();
        assert_eq!(labels(&run), ["bright", "dark", "bright"]);
    }
    let image = folder.onebit(["predict", "colour.onebit", "set/b.png"]).ok().stdout;
    assert_eq!(image, "row,label,score bright,score dark\n0,bright,1470,-1470\n");
    for args in [&["predict", "colour.onebit"][..], &["predict", "colour.onebit", "-", "--format", "image"]] {
        assert_eq!(folder.pipe(args, folder.read("set/b.png")).ok().stdout, image);
    }
    // Folders hold tables and arrays as well.
    folder
        .write("all/2.csv", format!("{HEADER}0,0,0,0\n"))
        .write("all/1.npy", npy("|u1", "(1, 4)", &[255; 4]));
    fs::copy(folder.path("set/b.png"), folder.path("all/3.png")).unwrap();
    let run = folder.onebit(["predict", "grey.onebit", "all", "--json"]).ok();
    assert_eq!(labels(&run), ["bright", "dark", "bright"]);
}

#[test]
fn images_that_do_not_fit_are_named() {
    let folder = folder();
    GrayImage::new(3, 2).save(folder.path("wide.png")).unwrap();
    folder
        .write("cut.png", &folder.read("wide.png")[..40])
        .write("empty/notes.txt", "")
        .write("text.png", HEADER);
    let predict = |input: &str| folder.onebit(["predict", "grey.onebit", input, "--format", "image"]);
    let words = ["wide.png", "2x2 pixels", "3x2 pixels"];
    assert_eq!(predict("wide.png").refused(1, &words).stdout, "");
    predict("cut.png").refused(1, &["cut.png", "cannot decode"]);
    predict("text.png").refused(1, &["text.png", "cannot decode"]);
    predict("empty").refused(1, &["empty", "*.png, *.jpg, *.jpeg"]);
    predict("nope.png").refused(1, &["nope.png"]);
}

#[test]
fn arrays_that_do_not_fit_are_named() {
    let folder = folder();
    let predict = |bytes: Vec<u8>| {
        folder.write("x.npy", bytes);
        folder.onebit(["predict", "grey.onebit", "x.npy"])
    };
    let run = predict(npy("|u1", "(2, 3)", &[0; 6])).refused(1, &["x.npy", "(b, 4)", "(2, 3)"]);
    assert_eq!(run.stdout, "", "a refused array leaves no header behind");
    predict(npy("<c8", "(1, 4)", &[0; 32])).refused(1, &["x.npy", "<f4", "<c8"]);
    let huge = npy("|u1", "(18446744073709551615, 4)", &[0; 11]);
    let run = predict(huge).refused(1, &["x.npy", "truncated"]);
    assert_eq!(run.stdout.lines().count(), 3, "a header and two answers\n{}", run.stdout);
    let numbers = [1.0f32, 2.0, 3.0, 4.0, 5.0, f32::NAN, 7.0, 8.0].map(f32::to_le_bytes).concat();
    let run = predict(npy("<f4", "(2, 4)", &numbers)).refused(1, &["x.npy, row 1, feature 1", "NaN"]);
    assert_eq!(run.stdout.lines().count(), 2, "a header and an answer\n{}", run.stdout);
    folder.write("x.csv", HEADER);
    folder.onebit(["predict", "grey.onebit", "x.csv", "--format", "npy"]).refused(1, &["x.csv", "NumPy"]);
}

/// What standardization takes to an infinity is found after reading; it is named all the same.
#[test]
fn rows_that_the_model_cannot_take_are_named() {
    let folder = Folder::new();
    let standardize = Standardize { mean: vec![0.0; 4], scale: vec![10.0; 4] };
    bright(1).with_standardize(standardize).unwrap().save(folder.path("large.onebit")).unwrap();
    let rows = format!("{HEADER}0,1,2,3\n0,1,3e38,3\n0,1,2,3\n");
    let run = folder.pipe(["predict", "large.onebit"], rows);
    let run = run.refused(1, &["standard input, row 1, feature `pixel_1_0`", "finite"]);
    assert_eq!(run.stdout.lines().count(), 2, "a header and an answer\n{}", run.stdout);
    let run = folder.pipe(["predict", "large.onebit"], format!("{HEADER}0,1,3e38,3\n"));
    assert_eq!(run.refused(1, &["standard input, row 0, feature `pixel_1_0`"]).stdout, "");
}

#[test]
fn inputs_are_answered_in_their_order_until_one_is_bad() {
    let folder = folder();
    folder
        .write("1.csv", format!("{HEADER}0,0,0,0\n255,255,255,255\n"))
        .write("2.csv", format!("{HEADER}9,9,9,9\n"));
    let run = folder.onebit(["predict", "grey.onebit", "1.csv", "2.csv", "nope.csv", "1.csv"]);
    assert_eq!(
        run.refused(1, &["nope.csv"]).stdout,
        "input,row,label,score bright,score dark\n\
         1.csv,0,dark,-510,510\n1.csv,1,bright,510,-510\n2.csv,0,dark,-474,474\n"
    );
}

#[test]
fn the_best_classes_with_their_scores() {
    let folder = folder();
    let rows = format!("{HEADER}0,0,0,0\n255,255,255,255\n");
    let of_top = |args: &[&str]| folder.pipe([&["predict", "grey.onebit"], args].concat(), rows.clone()).ok();
    let one = "row,label 1,score 1\n0,dark,510\n1,bright,510\n";
    assert_eq!(of_top(&["--top", "1"]).stdout, one);
    let all = "row,label 1,score 1,label 2,score 2\n0,dark,510,bright,-510\n1,bright,510,dark,-510\n";
    assert_eq!(of_top(&["--top", "5"]).stdout, all);
    let objects = of_top(&["--top", "1", "--json"]).json();
    let dark = json!({"class": "dark", "index": 1, "score": 510.0});
    assert_eq!(objects[0], json!({"input": "-", "row": 0, "class": "dark", "index": 1, "top": [dark]}));
    let scores = json!({"bright": 510.0, "dark": -510.0});
    let bright = json!({"input": "-", "row": 1, "class": "bright", "index": 0, "scores": scores});
    assert_eq!(of_top(&["--json"]).json()[1], bright);
}

/// The command, with both its ends in hand.
struct Stream {
    child: Child,
    input: Option<ChildStdin>,
    answers: Receiver<String>,
}

impl Stream {
    fn new(folder: &Folder, args: &[&str]) -> Self {
        let mut command = folder.command(args);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (sender, answers) = mpsc::channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        thread::spawn(move || lines.for_each(|line| sender.send(line.unwrap()).unwrap()));
        Self { input: child.stdin.take(), child, answers }
    }

    fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.input.as_mut().unwrap().write_all(bytes.as_ref()).unwrap();
    }

    /// The next line. A command that waits for more input is given up.
    fn line(&mut self) -> String {
        self.answers.recv_timeout(PATIENCE).expect("an answer before more input")
    }

    /// Lines behind the end of the input.
    fn end(mut self) -> usize {
        drop(self.input.take());
        assert!(output(self.child).status.success());
        self.answers.iter().count()
    }

    /// The most memory that the command ever had, in kilobytes.
    #[cfg(target_os = "linux")]
    fn peak(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux says it");
        peak.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

#[test]
fn a_row_is_answered_before_the_next_is_written() {
    let folder = folder();
    let mut stream = Stream::new(&folder, &["predict", "grey.onebit"]);
    stream.write(HEADER);
    for row in 0..5 {
        stream.write(format!("{row},0,0,0\n{row},0"));
        if row == 0 {
            assert_eq!(stream.line(), "row,label,score bright,score dark");
        }
        assert!(stream.line().starts_with(&format!("{},dark", 2 * row)));
        stream.write(",0,0\n");
        assert!(stream.line().starts_with(&format!("{},dark", 2 * row + 1)));
    }
    assert_eq!(stream.end(), 0);

    let mut stream = Stream::new(&folder, &["predict", "grey.onebit", "--json"]);
    stream.write(npy("<f4", "(3, 4)", &[0; 4]));
    for row in 0..3u64 {
        stream.write(&[0; 16][if row == 0 { 4.. } else { 0.. }]);
        let line: serde_json::Value = serde_json::from_str(&stream.line()).unwrap();
        assert_eq!((&line["row"], number(&line["scores"], "dark")), (&row.into(), 510.0));
    }
    assert_eq!(stream.end(), 0);
}

/// The peak after the first rows is the peak after all: 400,000 of them would take tens of megabytes.
#[test]
#[cfg(target_os = "linux")]
fn a_long_stream_takes_no_more_memory_than_a_short_one() {
    const FIRST: usize = 20_000;
    const ALL: usize = 400_000;
    let folder = folder();
    let mut stream = Stream::new(&folder, &["predict", "grey.onebit", "--threads", "2"]);
    stream.write(HEADER);
    let mut peaks = [FIRST, ALL - FIRST].map(|rows| {
        for row in 0..rows / 1000 {
            stream.write(format!("{},7,13.25,200\n", row % 256).repeat(1000));
        }
        (0..rows).for_each(|_| drop(stream.line()));
        stream.peak()
    });
    assert_eq!(stream.end(), 1, "rows and a header");
    peaks[0] += 4096;
    assert!(peaks[1] <= peaks[0], "{} kB, after the first rows {} kB", peaks[1], peaks[0] - 4096);
}
