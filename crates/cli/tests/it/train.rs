//! `onebit train`: what it prints, what it writes, and what its flags do.

use onebit::{Isa, config};

use crate::common::{CONFIG, Folder, fish, number, share};

/// Flip training with layers that are large enough for several threads to share.
const FLIP: [&str; 8] =
    ["iris", "--data", "digits", "--epochs", "1", "--set", "network.hidden=[130]", "--set=phase.0.batch=100"];
const STRAIGHT_THROUGH: [&str; 4] = ["digits", "--epochs=2", "--set=network.hidden=[130,70]", "--batch=100"];

#[test]
fn iris_needs_nothing_else() {
    let folder = Folder::new();
    let run = folder.onebit(["train", "iris"]).ok();
    assert_eq!(folder.names(), ["iris.onebit"]);
    assert!(!run.stdout.contains(['\x1b', '\r']), "a pipe gets plain lines\n{}", run.stdout);

    let lines: Vec<&str> = run.stdout.lines().collect();
    let epochs: usize = config::preset("iris").unwrap().phases.iter().map(|phase| phase.epochs).sum();
    assert_eq!(lines.iter().filter(|line| line.contains("  loss ")).count(), epochs, "one epoch a line");
    let head = lines.iter().position(|line| line.starts_with("layer ")).expect("a table of layers");
    for (line, kind) in lines[head + 1..].iter().zip(["binarize", "bmab", "bma"]) {
        assert!(line.contains(kind), "{line}");
    }
    let result = folder.onebit(["train", "iris", "--json"]).ok().json().pop().unwrap();
    let accuracy = lines.iter().find_map(|line| line.strip_prefix("test accuracy")).expect("a line about it");
    assert_eq!(accuracy.trim(), format!("{:.2} %", 100.0 * share(&result, "test_accuracy")));
}

#[test]
fn json_is_one_object_a_line() {
    let folder = Folder::new();
    let lines = folder.onebit(["train", "iris", "--json", "--epochs", "2"]).ok().json();
    let (result, epochs) = lines.split_last().unwrap();
    for (line, epoch) in epochs.iter().zip(1u64..) {
        assert_eq!(line["event"], "epoch");
        assert_eq!(line["epoch"], epoch);
        assert!(number(line, "loss") > 0.0);
        for key in ["train_accuracy", "test_accuracy"] {
            share(line, key);
        }
        assert_eq!(line["layers"].as_array().unwrap().len(), 3);
    }
    assert_eq!(result["event"], "result");
    assert_eq!(result["epochs"], epochs.len());
    assert_eq!(result["test_accuracy"], epochs.last().unwrap()["test_accuracy"]);
    assert_eq!(result["model_bytes"], folder.read("iris.onebit").len());
    assert_eq!(result["model"], "iris.onebit");
    assert!(number(result, "seconds") > 0.0 && number(result, "samples_per_second") > 0.0);
}

#[test]
fn several_seeds_are_summed_up() {
    let folder = Folder::new();
    let lines = folder.onebit(["train", "iris", "--seeds", "3", "--json"]).ok().json();
    let (summary, runs) = lines.split_last().unwrap();
    assert!(folder.names().is_empty(), "no model is saved");
    assert_eq!(runs.iter().map(|run| run["seed"].clone()).collect::<Vec<_>>(), [0, 1, 2]);

    let tests: Vec<f64> = runs.iter().map(|run| share(run, "test_accuracy")).collect();
    let mean = tests.iter().sum::<f64>() / 3.0;
    let std = (tests.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / 3.0).sqrt();
    let (min, max) = (tests.iter().copied().fold(1.0, f64::min), tests.iter().copied().fold(0.0, f64::max));
    for (what, expected) in [("mean", mean), ("std", std), ("min", min), ("max", max)] {
        let got = share(summary, &format!("test_accuracy_{what}"));
        assert!((got - expected).abs() < 1e-12, "{what}: {got}, expected {expected}");
    }
    assert!(mean > 0.6, "iris is learned: {mean}");

    let alone = folder.onebit(["train", "iris", "--seed", "1", "--json"]).ok().json().pop().unwrap();
    assert_eq!(alone["test_accuracy"], runs[1]["test_accuracy"], "a seed is the same alone and among others");
    let text = folder.onebit(["train", "iris", "--seeds", "3"]).ok().stdout;
    let expected = format!("test: mean {:.2} %", 100.0 * mean);
    assert!(text.lines().any(|line| line.starts_with(&expected)), "{text}");
}

/// Trains with every number of threads and every instruction set of this machine.
fn same_everywhere(args: &[&str]) {
    let folder = Folder::new();
    let expected = folder.model(&[args, &["--threads", "1", "--isa", "portable"]].concat());
    for isa in Isa::available() {
        for threads in ["1", "2", "5"] {
            let model = folder.model(&[args, &["--threads", threads, "--isa", isa.name()]].concat());
            assert!(model == expected, "{} threads of {} change the model", threads, isa.name());
        }
    }
    assert!(folder.model(args) == expected, "the default changes the model");
}

#[test]
fn threads_and_instruction_sets_never_change_flip_training() {
    same_everywhere(&FLIP);
}

#[test]
fn threads_and_instruction_sets_never_change_straight_through_training() {
    same_everywhere(&STRAIGHT_THROUGH);
}

#[test]
fn a_seed_decides_everything() {
    let folder = Folder::new();
    for args in [&FLIP[..], &STRAIGHT_THROUGH] {
        let [first, again, other] =
            ["1", "1", "2"].map(|seed| folder.model(&[args, &["--seed", seed]].concat()));
        assert!(first == again, "the same seed gives another model: {args:?}");
        assert!(first != other, "another seed gives the same model: {args:?}");
    }
}

#[test]
fn flags_do_what_the_settings_of_their_names_do() {
    let folder = Folder::new();
    folder.write("mine.toml", CONFIG).write("fish.csv", fish(120, ","));
    let train = |args: &[&str]| folder.model(&[&["mine.toml", "--data", "fish.csv"], args].concat());
    let plain = train(&[]);
    let pairs: [(&[&str], &[&str]); 4] = [
        (&["--epochs", "1"], &["--set", "phase.0.epochs=1", "--set", "phase.1.epochs=1"]),
        (&["--batch", "5"], &["--set", "phase.0.batch=5"]), // the second phase takes all rows
        (&["--seed", "8"], &["--set", "seed=8"]),
        (&["--set", "network.hidden=[8]", "--set", "network.hidden=[9]"], &["--set", "network.hidden=[9]"]),
    ];
    for (flag, setting) in pairs {
        let model = train(flag);
        assert!(model == train(setting), "{flag:?} is not {setting:?}");
        assert!(model != plain, "{flag:?} changes nothing");
    }
    folder.write("mine.toml", CONFIG.replace("seed = 7", "seed = 8"));
    assert!(train(&["--seed", "7"]) == plain, "a flag is stronger than the file");
}

#[test]
fn a_target_may_come_from_the_file_a_flag_or_a_setting() {
    let folder = Folder::new();
    folder.write("fish.csv", fish(120, ",")).write("kind.toml", CONFIG);
    folder.write("none.toml", CONFIG.replace("target = \"kind\"", ""));
    folder.write("other.toml", CONFIG.replace("\"kind\"", "\"width\""));
    let [from_file, from_flag, over_file, from_setting] = [
        &["kind.toml"][..],
        &["none.toml", "--target", "kind"],
        &["other.toml", "--target=kind"],
        &["none.toml", "--set", "data.target=kind"],
    ]
    .map(|args| folder.model(&[args, &["--data", "fish.csv"]].concat()));
    assert!(from_file == from_flag && from_file == over_file && from_file == from_setting);
}

#[test]
fn data_replaces_the_source_of_a_preset() {
    let folder = Folder::new();
    folder.onebit(["train", "iris", "--data", "digits", "--epochs", "1"]).ok();
    let model = onebit::Model::load(folder.path("iris.onebit")).unwrap();
    assert_eq!((model.inputs(), model.classes()), (64, 10));
}

#[test]
fn a_model_is_named_after_its_configuration_or_by_a_flag() {
    let folder = Folder::new();
    folder.write("sub/mine.v2.toml", CONFIG).write("fish.csv", fish(120, ","));
    folder.onebit(["train", "sub/mine.v2.toml", "--data", "fish.csv"]).ok();
    assert_eq!(folder.names(), ["fish.csv", "mine.v2.onebit"]);
    // Over an older file, and below a folder.
    folder.write("sub/a.model", "old");
    folder.onebit(["train", "sub/mine.v2.toml", "--data", "fish.csv", "--out", "sub/a.model"]).ok();
    assert_eq!(folder.read("sub/a.model"), folder.read("mine.v2.onebit"));
    assert_eq!(folder.names(), ["fish.csv", "mine.v2.onebit"]);
    assert_eq!(std::fs::read_dir(folder.path("sub")).unwrap().count(), 2, "nothing else is left behind");
}

#[test]
fn the_best_network_by_validation_is_kept() {
    let folder = Folder::new();
    let args = ["train", "digits", "--epochs", "5", "--json", "--set", "training.keep=best"];
    let lines = folder.onebit([&args[..], &["--set=data.validation=0.3"]].concat()).ok().json();
    let (result, epochs) = lines.split_last().unwrap();
    let best = epochs.iter().map(|epoch| share(epoch, "validation_accuracy")).fold(0.0, f64::max);
    let first = epochs.iter().find(|epoch| number(epoch, "validation_accuracy") == best).unwrap();
    assert_eq!(result["epoch"], first["epoch"]);
    for key in ["validation_accuracy", "test_accuracy"] {
        assert_eq!(result[key], first[key]);
    }
}

#[test]
fn without_a_test_part_there_is_no_test_accuracy() {
    let folder = Folder::new();
    let lines = folder.onebit(["train", "iris", "--epochs=1", "--json", "--set=data.test=0"]).ok().json();
    assert!(lines.iter().all(|line| line["test_accuracy"].is_null()), "{lines:?}");
    let text = folder.onebit(["train", "iris", "--epochs=1", "--set=data.test=0"]).ok().stdout;
    let accuracy = text.lines().find_map(|line| line.strip_prefix("test accuracy"));
    assert_eq!(accuracy.map(str::trim), Some("-"));
}

#[test]
fn whoever_stops_reading_still_gets_the_model() {
    let folder = Folder::new();
    let expected = folder.model(&["iris"]);
    for extra in [&[][..], &["--json"]] {
        folder.unread([&["train", "iris", "--out", "unread.onebit"], extra].concat()).ok();
        assert!(folder.read("unread.onebit") == expected);
        std::fs::remove_file(folder.path("unread.onebit")).unwrap();
    }
    folder.unread(["train", "iris", "--seeds", "2"]).ok();
}

#[test]
#[cfg(target_os = "linux")]
fn a_report_that_cannot_be_written_is_an_error_but_the_model_is_saved() {
    let folder = Folder::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = folder.command(["train", "iris"]).stdout(full).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.starts_with("error: standard output: ") && stderr.lines().count() == 1, "{stderr}");
    assert_eq!(folder.names(), ["iris.onebit"]);
}
