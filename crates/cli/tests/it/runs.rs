//! The folder of a run: what is in it, how it goes on, and what is drawn of it.

use std::{
    fs,
    process::{Command, Stdio},
};

use onebit_testing::patience::{output, until};
use serde_json::Value;

use crate::common::{Folder, Run};

/// A run of iris in the folder `r`.
fn iris(folder: &Folder) -> Run {
    folder.onebit(["train", "iris", "--run", "r", "--json"]).ok()
}

fn json(folder: &Folder, name: &str) -> Value {
    serde_json::from_slice(&folder.read(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn metrics(folder: &Folder, run: &str) -> Vec<Value> {
    let text = String::from_utf8(folder.read(&format!("{run}/metrics.jsonl"))).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of_event<'a>(lines: &'a [Value], event: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["event"] == event).collect()
}

#[test]
fn a_run_is_written_down() {
    let folder = Folder::new();
    let result = iris(&folder).json().pop().unwrap();
    assert_eq!((result["run"].as_str(), result["report"].as_str()), (Some("r"), Some("r/report.html")));

    let info = json(&folder, "r/run.json");
    assert_eq!(info["name"], "iris");
    assert_eq!(info["layers"], serde_json::json!(["0 binarize", "1 bmab", "2 bma"]));
    assert_eq!(info["data"]["parts"][0]["part"], "train");
    assert_eq!(info["environment"]["command"][1], "train");

    let lines = metrics(&folder, "r");
    let (steps, epochs) = (of_event(&lines, "step"), of_event(&lines, "epoch"));
    // the report's settings: 10 epochs of 3 batches, 10 of one
    assert_eq!((steps.len(), epochs.len()), (40, 20));
    let bmab = &steps[39]["layers"][1];
    assert_eq!(
        (bmab["layer"].as_str(), bmab["bits"]["features"].as_array().unwrap().len()),
        (Some("1 bmab"), 64)
    );
    assert_eq!(bmab["inertia"]["name"], "votes");
    assert_eq!(epochs[19]["test_accuracy"], result["test_accuracy"]);
    assert!(epochs[19]["test_loss"].as_f64().unwrap() > 0.0);

    let end = json(&folder, "r/result.json");
    assert_eq!((end["status"].as_str(), &end["test_accuracy"]), (Some("finished"), &result["test_accuracy"]));
    let counts = end["examination"]["confusion"]["counts"].as_array().unwrap();
    let all: u64 = counts.iter().flat_map(|row| row.as_array().unwrap()).map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(all, 30);

    // the settings repeat the run, and nobody learns differently for being watched
    folder.onebit(["train", "r/config.toml", "--no-run", "--out", "again.onebit"]).ok();
    assert_eq!(folder.read("again.onebit"), folder.read("r/model.onebit"));
    assert_eq!(folder.read("iris.onebit"), folder.read("r/model.onebit"));
}

#[test]
fn by_default_runs_lie_in_runs() {
    let folder = Folder::new();
    for _ in 0..2 {
        folder.onebit(["train", "iris"]).ok();
    }
    let names: Vec<_> = fs::read_dir(folder.path("runs")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names.iter().all(|name| name.to_str().unwrap().starts_with("iris-20")), "{names:?}");
    let table = folder.onebit(["runs"]).ok().stdout;
    assert_eq!(table.matches("finished").count(), 2, "{table}");

    let folder = Folder::new();
    folder.onebit(["train", "iris", "--no-run"]).ok();
    assert!(!folder.path("runs").exists());
}

#[test]
fn ctrl_c_stops_after_a_batch_and_the_run_goes_on() {
    let folder = Folder::new();
    let args = ["train", "digits", "--epochs", "60", "--threads", "1"];
    let mut command = folder.command(args.into_iter().chain(["--run", "r"]));
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let begun =
        || fs::read_to_string(folder.path("r/metrics.jsonl")).is_ok_and(|text| text.contains("\"epoch\""));
    until("epoch", begun);
    let unfinished = folder.onebit(["runs", ".", "--json"]).ok().json().remove(0);
    assert!(["unfinished", "finished"].contains(&unfinished["status"].as_str().unwrap()));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = output(child);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("stopped in epoch") && stderr.contains("--resume r"), "{stderr}");
    assert_eq!(json(&folder, "r/result.json")["status"], "stopped");
    folder.onebit(["report", "r"]).ok();

    folder.onebit(["train", "--resume", "r", "--threads", "2"]).ok();
    folder.onebit(args.into_iter().chain(["--no-run", "--out", "whole.onebit"])).ok();
    assert_eq!(folder.read("r/model.onebit"), folder.read("whole.onebit"));
    let lines = metrics(&folder, "r");
    let step = |line: &Value| line["step"].as_u64().unwrap();
    assert!(of_event(&lines, "step").windows(2).all(|pair| step(pair[0]) < step(pair[1])));
    assert_eq!(of_event(&lines, "epoch").len(), 60);
    assert_eq!(json(&folder, "r/run.json")["resumed"].as_array().unwrap().len(), 1);
    assert_eq!(json(&folder, "r/result.json")["status"], "finished");
}

#[test]
fn what_was_written_after_the_checkpoint_is_forgotten() {
    let folder = Folder::new();
    let args = ["train", "iris", "--run", "r", "--checkpoint-every", "0"];
    folder.onebit(args).ok();
    let lines = metrics(&folder, "r");
    // a line of a step that the checkpoint does not have, and half of another
    let mut later = lines.iter().find(|line| line["event"] == "step").unwrap().clone();
    later["step"] = 1_000_000.into();
    let mut text = folder.read("r/metrics.jsonl");
    text.extend(format!("{later}\n{{\"event\":\"st").into_bytes());
    folder.write("r/metrics.jsonl", text);
    folder.onebit(["train", "--resume", "r"]).ok();
    assert_eq!(metrics(&folder, "r"), lines);
}

#[test]
fn a_run_that_fails_says_why() {
    let folder = Folder::new();
    let run = folder.onebit(["train", "iris-flip", "--run", "r", "--set", "training.teacher=nope.onebit"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let end = json(&folder, "r/result.json");
    assert_eq!(end["status"], "failed");
    assert!(end["reason"].as_str().unwrap().contains("nope.onebit"), "{end}");
    let table = folder.onebit(["runs", "."]).ok().stdout;
    assert!(table.contains("failed"), "{table}");
}

#[test]
fn a_report_has_every_panel_and_needs_nothing() {
    let folder = Folder::new();
    iris(&folder);
    let html = String::from_utf8(folder.read("r/report.html")).unwrap();
    for panel in [
        "Accuracy",
        "Loss",
        "Rate",
        "Samples per second",
        "Confusion matrix",
        "Most confident mistakes",
        "flip_ratio",
        "update_ratio",
        "mean_of_bits",
        "Layer 0 binarize",
        "Layer 1 bmab",
        "Layer 2 bma",
        "Gradient received",
        "Standardized popcount at step 1",
        "Standardized popcount at step 40",
        "Votes",
        "Weights",
        "Layers with parameters",
        "Data",
        "Settings",
    ] {
        assert!(html.contains(&format!(">{panel}<")), "{panel}");
    }
    for foreign in ["<script", "http:", "https:", "<link rel=\"stylesheet", "NaN"] {
        assert!(!html.contains(foreign), "{foreign}");
    }
    // what is read again is drawn again
    folder.onebit(["report", "r", "--out", "again.html"]).ok();
    assert_eq!(folder.read("again.html"), folder.read("r/report.html"));
}

#[test]
fn names_from_files_stay_text() {
    let folder = Folder::new();
    iris(&folder);
    let hostile = "<script>alert(1)</script>";
    for (file, from) in
        [("r/run.json", "\"setosa\""), ("r/run.json", "\"iris\""), ("r/result.json", "\"versicolor\"")]
    {
        let text = String::from_utf8(folder.read(file)).unwrap().replace(from, &format!("\"{hostile}\""));
        folder.write(file, text);
    }
    folder.onebit(["report", "r"]).ok();
    assert!(!String::from_utf8(folder.read("r/report.html")).unwrap().contains("<script"));
}

#[test]
fn runs_are_compared() {
    let folder = Folder::new();
    iris(&folder);
    folder.onebit(["train", "iris", "--run", "s", "--set", "network.hidden=[32]", "--seed", "5"]).ok();
    let text = folder.onebit(["compare", "r", "s", "--out", "both.html"]).ok().stdout;
    for word in ["network.hidden", "[64]", "[32]", "seed", "finished", "both.html"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(!text.contains("data.source"), "{text}");
    let html = String::from_utf8(folder.read("both.html")).unwrap();
    assert!(html.contains(">Test accuracy<") && html.contains(">Settings that differ<"));
    let lines = folder.onebit(["compare", "r", "s", "--json"]).ok().json();
    assert_eq!((lines.len(), lines[1]["run"].as_str()), (2, Some("s")));
}

#[test]
fn tensorboard_gets_its_file() {
    let folder = Folder::new();
    folder.onebit(["train", "iris", "--run", "r", "--tensorboard"]).ok();
    let names: Vec<_> = fs::read_dir(folder.path("r")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(names.iter().any(|name| name.to_str().unwrap().starts_with("events.out.tfevents.")), "{names:?}");
}

#[test]
fn bad_folders_are_refused_by_name() {
    let folder = Folder::new();
    iris(&folder);
    folder.write("file", "x");
    let refused: &[(&[&str], i32, &[&str])] = &[
        (&["train", "iris", "--run", "r"], 2, &["--run r", "new or empty", "--resume r"]),
        (&["train", "iris", "--run", "file"], 1, &["file"]),
        (&["train", "iris", "--run", "file/below"], 1, &["file/below"]),
        (&["train", "iris", "--run", "x", "--no-run"], 2, &["--run", "--no-run"]),
        (&["train", "iris", "--run", "x", "--seeds", "2"], 2, &["--run", "--seeds"]),
        (&["train", "iris", "--tensorboard", "--no-run"], 2, &["--tensorboard", "--no-run"]),
        (&["train", "iris", "--tui"], 2, &["--tui", "terminal"]),
        (
            &["train", "iris", "--no-run", "--checkpoint-every", "1"],
            2,
            &["--checkpoint-every", "--checkpoint"],
        ),
        // it finished before its first checkpoint
        (&["train", "--resume", "r"], 1, &["r/checkpoint"]),
        (&["train", "--resume", "."], 1, &["run.json"]),
        (&["report", "nope"], 1, &["nope", "run.json"]),
        (&["report", "r", "--out", "nowhere/x.html"], 1, &["nowhere/x.html"]),
        (&["compare", "r"], 2, &["2"]),
        (&["compare", "r", "nope"], 1, &["nope"]),
        (&["runs", "nope"], 1, &["nope"]),
    ];
    for (args, code, words) in refused {
        folder.onebit(*args).refused(*code, words);
    }
    assert!(!folder.path("x").exists() && !folder.path("runs").exists());
}

#[test]
fn damaged_runs_are_refused_by_name() {
    let folder = Folder::new();
    iris(&folder);
    let sound: Vec<(String, Vec<u8>)> = ["r/run.json", "r/metrics.jsonl", "r/result.json"]
        .map(|name| (name.to_string(), folder.read(name)))
        .into();
    for (name, bytes) in &sound {
        for damaged in
            [&b"{}\n"[..], b"\xff\xfe\n", b"[1, 2]\n", &[&bytes[..bytes.len() / 2], b"\n"].concat()]
        {
            // an empty result is one of an unfinished run
            if name == "r/result.json" && damaged == b"{}\n" {
                continue;
            }
            folder.write(name, damaged);
            folder.onebit(["report", "r"]).refused(1, &[name]);
        }
        folder.write(name, bytes);
    }
    let of_tomorrow = String::from_utf8(sound[0].1.clone()).unwrap().replace("onebit run 1", "onebit run 9");
    folder.write("r/run.json", of_tomorrow);
    folder.onebit(["report", "r"]).refused(1, &["r/run.json", "onebit run 1", "onebit run 9"]);
    // the others are listed all the same
    folder.onebit(["train", "iris", "--run", "s"]).ok();
    let list = folder.onebit(["runs", "."]);
    assert_eq!(list.code, Some(0));
    assert!(
        list.stdout.contains("./s") && list.stderr.contains("onebit run 9"),
        "{} {}",
        list.stdout,
        list.stderr
    );
}
