//! The search for settings.

use serde_json::Value;

use crate::common::{Folder, fish};

const SEARCH: [&str; 9] = ["tune", "iris", "--seeds", "2", "--epochs", "3", "--threads", "1", "--json"];

fn search(folder: &Folder, trials: &str, dir: &str) -> Vec<Value> {
    folder.onebit([&SEARCH[..], &["--trials", trials, "--out", dir]].concat()).ok().json()
}

/// Without what depends on time.
fn timeless(lines: &[Value]) -> Vec<Value> {
    let mut lines = lines.to_vec();
    lines.iter_mut().for_each(|line| {
        line.as_object_mut()
            .unwrap()
            .retain(|key, _| !["seconds", "config", "ranking"].contains(&key.as_str()));
    });
    lines
}

#[test]
fn a_search_goes_on_where_it_ended() {
    let folder = Folder::new();
    let whole = search(&folder, "6", "whole");
    assert_eq!(whole.len(), 7);
    let first = search(&folder, "2", "parts");
    // half a line, as a killed search leaves it
    let mut text = folder.read("parts/trials.jsonl");
    text.extend(b"{\"trial\": 9");
    folder.write("parts/trials.jsonl", text);
    let rest = search(&folder, "6", "parts");
    assert_eq!((first.len(), rest.len()), (3, 5));
    let parts = [&first[..2], &rest].concat();
    assert_eq!(timeless(&parts), timeless(&whole));
    let best = whole.last().unwrap();
    let accuracies = whole[..6].iter().map(|line| line["validation_accuracy"].as_f64().unwrap());
    assert_eq!(best["validation_accuracy"].as_f64(), accuracies.reduce(f64::max));
    assert_eq!(whole[0]["settings"], serde_json::json!([]));
}

#[test]
fn the_best_settings_can_be_trained() {
    let folder = Folder::new();
    let args = [
        "tune",
        "iris",
        "--seeds",
        "1",
        "--epochs",
        "2",
        "--trials",
        "4",
        "--vary",
        "network.hidden=[16]|[32]",
    ];
    let text = folder.onebit(args).ok().stdout;
    assert!(text.contains("onebit train tune/iris/best.toml"), "{text}");
    let ranking = String::from_utf8(folder.read("tune/iris/ranking.txt")).unwrap();
    assert_eq!(ranking.lines().count(), 5, "{ranking}");
    assert!(ranking.contains("unchanged") && ranking.contains("network.hidden="), "{ranking}");
    folder.onebit(["train", "tune/iris/best.toml", "--no-run"]).ok();
}

#[test]
fn a_table_is_tuned_as_it_is_trained() {
    let folder = Folder::new();
    folder.write("fish.csv", fish(120, ";"));
    let args = ["tune", "fish.csv", "--target", "kind", "--seeds", "1", "--epochs", "1", "--trials", "2"];
    let text = folder.onebit(args).ok().stdout;
    assert!(text.contains("onebit train tune/fish/best.toml"), "{text}");
    folder.onebit(["train", "tune/fish/best.toml", "--no-run"]).ok();
}

#[test]
fn bad_searches_are_refused() {
    let folder = Folder::new();
    search(&folder, "1", "d");
    let refused: &[(&[&str], i32, &[&str])] = &[
        (&["tune", "nope"], 1, &["nope", "iris"]),
        (&["tune", "iris", "--trials", "0"], 2, &["--trials"]),
        (&["tune", "iris", "--vary", "network.hiden=1|2"], 2, &["--vary", "hiden"]),
        (&["tune", "iris", "--vary", "phase.0.batch"], 2, &["KEY=LOW..HIGH"]),
        (&["tune", "iris", "--vary", "phase.0.batch=\"a\"|\"b\""], 2, &["--vary", "batch"]),
        (&["tune", "iris", "--set", "network.hiden=1"], 2, &["--set", "hiden"]),
        (&["tune", "iris", "--out", "d"], 2, &["--out d", "another"]),
        (&["tune", "mnist"], 1, &["onebit data get mnist"]),
        (&["tune", "fish.csv", "--data", "other.csv"], 2, &["--data: expected no other data", "fish.csv"]),
    ];
    for (args, code, words) in refused {
        folder.onebit(*args).refused(*code, words);
    }
    folder.write("d/trials.jsonl", "nonsense\n");
    folder
        .onebit([&SEARCH[..], &["--trials", "1", "--out", "d"]].concat())
        .refused(1, &["d/trials.jsonl", "line 1"]);
    folder.write("d/search.json", "{}");
    folder.onebit([&SEARCH[..], &["--trials", "1", "--out", "d"]].concat()).refused(1, &["d/search.json"]);
}

#[test]
fn trials_that_fail_rank_last() {
    let folder = Folder::new();
    let vary = "network.hidden=[16]|[65536,65536]";
    let args = ["tune", "digits-flip", "--seeds", "1", "--epochs", "1", "--trials", "8", "--vary", vary];
    folder.onebit(args).ok();
    let ranking = String::from_utf8(folder.read("tune/digits-flip/ranking.txt")).unwrap();
    let first = ranking.lines().position(|line| line.contains("failed: network.hidden")).expect(&ranking);
    assert!((2..9).contains(&first), "{ranking}");
    assert!(ranking.lines().skip(first).all(|line| line.contains("failed:")), "{ranking}");
}
