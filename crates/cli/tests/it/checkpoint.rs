//! `onebit train --checkpoint` and `--resume`: a run that is killed leaves nothing to be desired.

use std::{fs, process::Stdio, thread::sleep, time::Duration};

use onebit_testing::patience::until;

use crate::common::{CONFIG, Folder, fish};

const RUN: [&str; 8] = [
    "digits",
    "--epochs=20",
    "--set=network.hidden=[70]",
    "--set=network.dropout_hidden=0.2",
    "--set=data.validation=0.2",
    "--set=training.keep=best",
    "--threads=1",
    "--checkpoint=run",
];

#[test]
fn killed_and_resumed_it_ends_as_if_it_had_not_been() {
    let folder = Folder::new();
    folder.onebit([&["train"], &RUN[..]].concat()).ok();
    let [model, checkpoint] = ["digits.onebit", "run"].map(|name| folder.read(name));

    let folder = Folder::new();
    let mut args = [&["train"], &RUN[..], &["--checkpoint-every=0"]].concat();
    for round in 0..4 {
        // Until it has saved: later each time.
        let before = fs::read(folder.path("run")).ok();
        let mut child = folder
            .command(&args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command starts");
        until("checkpoint", || fs::read(folder.path("run")).ok() != before);
        sleep(Duration::from_millis(7 * round));
        child.kill().unwrap(); // SIGKILL: it cannot be caught
        child.wait().unwrap();
        assert!(!folder.path("digits.onebit").exists(), "it was over before it was killed");
        args = vec!["train", "--resume=run", "--checkpoint-every=0"];
    }
    folder.onebit(["train", "--resume=run"]).ok();
    assert!(folder.read("digits.onebit") == model, "another model");
    assert!(folder.read("run") == checkpoint, "another checkpoint");
    assert_eq!(folder.names(), ["digits.onebit", "run", "run.previous"]);
}

#[test]
fn a_run_that_is_over_gives_its_model_again() {
    let folder = Folder::new();
    let args = ["train", "iris", "--epochs=2", "--seed=3", "--checkpoint=run", "--json"];
    let first = folder.onebit(args).ok().json();
    let again = folder.onebit(["train", "--resume=run", "--out=again.onebit", "--json"]).ok().json();
    assert_eq!((first.len(), again.len()), (5, 1), "no epoch is left to report");
    for key in ["seed", "epoch", "epochs", "train_accuracy", "test_accuracy", "model_bytes"] {
        assert_eq!(first[4][key], again[0][key], "{key}");
    }
    assert!(folder.read("again.onebit") == folder.read("iris.onebit"));
}

#[test]
fn data_are_found_again_or_given_anew() {
    let folder = Folder::new();
    folder
        .write("mine.toml", CONFIG)
        .write("fish.csv", fish(120, ","))
        .write("sub/other.csv", fish(120, ","));
    folder.onebit(["train", "mine.toml", "--data=fish.csv", "--checkpoint=run"]).ok();
    let elsewhere =
        folder.command(["train", "--resume=../run"]).current_dir(folder.path("sub")).output().unwrap();
    assert!(elsewhere.status.success());
    assert!(fs::read(folder.path("sub/mine.onebit")).unwrap() == folder.read("mine.onebit"));

    fs::remove_file(folder.path("fish.csv")).unwrap();
    folder.onebit(["train", "--resume=run"]).refused(1, &["fish.csv"]);
    folder.onebit(["train", "--resume=run", "--data=sub/other.csv"]).ok();
    folder.write("less.csv", fish(90, ","));
    let words = ["data.test.", "the checkpoint has", "this run has"];
    folder.onebit(["train", "--resume=run", "--data=less.csv"]).refused(1, &words);
}

#[test]
fn flags_that_do_not_go_together_are_refused() {
    let folder = Folder::new();
    folder.onebit(["train", "iris", "--epochs=1", "--checkpoint=run"]).ok();
    for flag in [
        "iris",
        "--seed=1",
        "--seeds=2",
        "--epochs=2",
        "--batch=5",
        "--set=seed=1",
        "--target=x",
        "--checkpoint=b",
    ] {
        folder.onebit(["train", "--resume=run", flag]).refused(2, &["--resume", "cannot be used with"]);
    }
    folder
        .onebit(["train", "iris", "--seeds=2", "--checkpoint=b"])
        .refused(2, &["--seeds", "cannot be used with"]);
    folder.onebit(["train"]).refused(2, &["CONFIG.toml"]);
    folder
        .onebit(["train", "iris", "--no-run", "--checkpoint-every=5"])
        .refused(2, &["--checkpoint-every", "--checkpoint"]);
    let words = ["--checkpoint run", "--resume run"];
    folder.onebit(["train", "iris", "--checkpoint=run"]).refused(2, &words);
    fs::rename(folder.path("run"), folder.path("run.previous")).unwrap();
    folder.onebit(["train", "iris", "--checkpoint=run"]).refused(2, &words);
    folder.onebit(["train", "iris", "--checkpoint=missing/run"]).refused(1, &["missing: no such folder"]);
}

#[test]
fn any_seed_can_be_resumed() {
    let folder = Folder::new();
    let seed = format!("--seed={}", u64::MAX);
    folder.onebit(["train", "iris", "--epochs=1", "--checkpoint=run", &seed]).ok();
    folder.onebit(["train", "--resume=run", "--out=again.onebit"]).ok();
    assert!(folder.read("again.onebit") == folder.read("iris.onebit"));
}

#[test]
fn what_is_wrong_with_a_checkpoint_is_said() {
    let folder = Folder::new();
    folder.onebit(["train", "--resume=run"]).refused(1, &["run: No such file"]);
    folder.write("run", "a text");
    folder.onebit(["train", "--resume=run"]).refused(1, &["run: length: expected 8 bytes, got 6"]);
    fs::remove_file(folder.path("run")).unwrap();

    folder.onebit(["train", "iris", "--epochs=2", "--checkpoint=run"]).ok();
    let (whole, model) = (folder.read("run"), folder.read("iris.onebit"));
    folder.write("run", &whole[..whole.len() / 2]);
    let run = folder.onebit(["train", "--resume=run"]);
    assert_eq!(run.code, Some(0));
    assert!(run.stderr.starts_with("warning: run: length: expected"), "{}", run.stderr);
    assert!(run.stderr.ends_with("; resuming from run.previous\n"), "{}", run.stderr);
    assert!(folder.read("iris.onebit") == model && folder.read("run") == whole);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_costs_a_warning() {
    let folder = Folder::new();
    std::os::unix::fs::symlink("/dev/full", folder.path("run.tmp")).unwrap();
    let run = folder.onebit(["train", "iris", "--epochs=1", "--checkpoint=run"]);
    assert_eq!(run.code, Some(0));
    assert!(run.stderr.starts_with("warning: run was not saved: No space left"), "{}", run.stderr);
    assert_eq!(run.stderr.lines().count(), 1, "the second save went well");
    assert_eq!(folder.names(), ["iris.onebit", "run"]);
}
