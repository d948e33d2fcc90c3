//! Whatever is wrong with the input: one line that names it, exit code 1 (2 for a flag), and no file changed.

use crate::common::{CONFIG, Folder, Run, fish};

/// Runs a command that must fail with one line, and leave every file as it is.
#[track_caller]
fn refuse(folder: &Folder, args: &[&str], words: &[&str]) -> Run {
    let before = folder.files();
    let run = folder.onebit(args).refused(1, words);
    assert_eq!(run.stderr.lines().count(), 1, "{}\n{}", run.command, run.stderr);
    assert!(folder.files() == before, "{} changed files: {:?}", run.command, folder.names());
    run
}

/// Runs a command that must fail for its flags before it does anything.
#[track_caller]
fn refuse_flags(folder: &Folder, args: &[&str], words: &[&str]) {
    let before = folder.files();
    let run = folder.onebit(args).refused(2, words);
    assert_eq!(run.stdout, "", "{}", run.command);
    assert!(folder.files() == before, "{} changed files: {:?}", run.command, folder.names());
}

/// A folder with a sound configuration and table, and an older model that must survive.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("mine.toml", CONFIG).write("fish.csv", fish(120, ",")).write("mine.onebit", "precious");
    folder
}

#[test]
fn wrong_flags_exit_with_2() {
    let folder = folder();
    for (flags, words) in [
        (&["--frob"][..], &["--frob"][..]),
        (&["--batch", "0"], &["--batch", "at least 1"]),
        (&["--epochs", "0"], &["--epochs", "at least 1"]),
        (&["--epochs", "1", "--epochs", "2"], &["--epochs"]),
        (&["--epochs", "1.5"], &["--epochs", "1.5", "at least 1"]),
        (&["--threads", "0"], &["--threads", "at least 1"]),
        (&["--threads", "1000000"], &["--threads", "1000000", "1024"]),
        (&["--seeds", "0"], &["--seeds", "at least 1"]),
        (&["--seeds", "2", "--out", "x.onebit"], &["--seeds", "--out"]),
        (&["--seeds", "2", "--seed", "1"], &["--seeds", "--seed"]),
        (&["--seed", "many"], &["--seed", "many"]),
        (&["--isa", "nope"], &["--isa", "nope", "portable"]),
        (&["--data"], &["--data"]),
        (&["--missing", "median"], &["--missing", "median", "refuse or mean"]),
        (&["--set", "data.missing=median"], &["--set", "median", "`refuse`", "`mean`"]),
        (&["--set", "novalue"], &["--set", "novalue", "KEY=VALUE"]),
        (&["--set", "=1"], &["--set", "=1", "KEY=VALUE"]),
        (&["--set", "typo=1"], &["--set", "typo"]),
        (&["--set", "network.typo=1"], &["--set", "network.typo=1"]),
        (&["--set", "network.hidden=many"], &["--set", "network.hidden=many"]),
        (&["--set", "network.hidden=[0]"], &["--set", "network.hidden", "1 to 65536"]),
        (&["--set", "phase.9.epochs=1"], &["--set", "phase.9.epochs=1", "index below 2"]),
        (&["--set", "phase.0.batch=some"], &["--set", "phase.0.batch=some", "\"all\""]),
        (&["--set", "phase.0.suppressor=99"], &["--set", "phase.0.suppressor", "99"]),
        (&["--set", "data.test=1"], &["--set", "data.test", "below 1"]),
        (&["--set", "seed=1", "--set", "seed=-1"], &["--set", "seed=-1"]),
    ] {
        refuse_flags(&folder, &[&["train", "mine.toml", "--data", "fish.csv"], flags].concat(), words);
    }
}

#[test]
fn one_table_at_a_time() {
    let folder = folder();
    let message = "--data: expected no other data next to the table fish.csv, got a second path";
    refuse_flags(&folder, &["train", "fish.csv", "--data", "fish.csv"], &[message]);
}

#[test]
fn missing_arguments_and_unknown_commands_exit_with_2() {
    let folder = folder();
    for (args, words) in [
        (&["train"][..], &["CONFIG.toml"][..]),
        (&["eval"], &["<MODEL>", "--data"]),
        (&["eval", "mine.onebit"], &["--data"]),
        (&["predict"], &["<MODEL>"]),
        (
            &["predict", "mine.onebit", "--format", "xml"],
            &["--format", "xml", "csv", "parquet", "arrow", "npy", "image"],
        ),
        (&["predict", "mine.onebit", "--top", "0"], &["--top", "at least 1"]),
        (&["inspect"], &["<MODEL>"]),
        (&["learn"], &["learn"]),
    ] {
        refuse_flags(&folder, args, words);
    }
}

#[test]
fn what_is_wrong_with_a_configuration_is_named() {
    let folder = folder();
    let with = |from: &str, to: &str| CONFIG.replacen(from, to, 1);
    for (text, words) in [
        (with("epochs", "epoch"), &["line 11", "`epoch`", "`epochs`"][..]),
        (with("hidden", "hiden"), &["line 8", "`hiden`", "`hidden`"]),
        (with("[32]", "[32"), &["line "]),
        (with("method = \"flip\"", "method = flip"), &["line 1"]),
        (with("\"flip\"", "\"flop\""), &["line 1", "`flop`", "`flip`"]),
        (with("method = \"flip\"\n", ""), &["`method`"]),
        (with("thresholds = 3", "thresholds = \"3\""), &["line 9", "depth"]),
        (with("seed = 7", "seed = -7"), &["line 2", "-7"]),
        (CONFIG[..CONFIG.find("[[phase]]").unwrap()].to_string(), &["`phase`"]),
        (String::new(), &["missing"]),
    ] {
        folder.write("mine.toml", text);
        refuse(&folder, &["train", "mine.toml", "--data", "fish.csv"], &[&["mine.toml"], words].concat());
    }
    folder.write("mine.toml", b"\xff\xfe");
    refuse(&folder, &["train", "mine.toml"], &["mine.toml", "UTF-8"]);
    for (text, words) in [
        (with("hidden = [32]", "hidden = [32, 0]"), &["network.hidden", "1 to 65536"][..]),
        (with("thresholds = 3", "thresholds = 4"), &["3, 7 or 15", "4"]),
        (with("thresholds = 3", "dropout_input = 0.5"), &["network.dropout_input", "straight-through"]),
        (with("suppressor = 1", "learning_rate = 1"), &["phase.1.suppressor"]),
        (with("epochs = 2", "epochs = 0"), &["phase.1.epochs", "1 to 1000000"]),
        (with("batch = 16", "batch = 0"), &["phase.0.batch", "at least 1"]),
        (with("test = 0.25", "test = -0.25"), &["data.test", "-0.25"]),
    ] {
        folder.write("mine.toml", text);
        refuse(&folder, &["train", "mine.toml", "--data", "fish.csv"], words);
    }
}

#[test]
fn what_is_missing_is_named() {
    let folder = folder();
    folder.write("none.toml", CONFIG.replace("target = \"kind\"", "")).write("two.csv", "x,z\n1,2\n");
    for (args, words) in [
        (&["train", "tulips"][..], &["tulips", "iris", "mnist-small"][..]),
        (&["train", "nope.toml"], &["nope.toml"]),
        (&["train", "."], &[".: "]),
        (&["presets", "tulips"], &["tulips", "iris", "mnist-small"]),
        (&["train", "mine.toml"], &["--data"]),
        (&["train", "mnist"], &["--data", "download it with `onebit data get mnist`"]),
        (&["train", "mine.toml", "--data", "nope.csv"], &["nope.csv"]),
        (&["train", "mine.toml", "--data", "."], &[".: ", "train-images-idx3-ubyte"]),
        (&["train", "none.toml", "--data", "two.csv"], &["two.csv", "--target", "columns are x, z"]),
        (&["train", "two.csv"], &["two.csv", "--target", "columns are x, z"]),
        (&["train", "nope.csv"], &["nope.csv"]),
        (&["train", "nope.parquet", "--target", "x"], &["nope.parquet"]),
        (&["train", "fish.csv", "--drop", "widht"], &["fish.csv", "`widht`", "width"]),
        (&["train", "none.toml", "--data", "nope.csv"], &["nope.csv"]),
        (&["train", "mine.toml", "--data", "fish.csv", "--target", "sort"], &["fish.csv", "`sort`", "kind"]),
        (&["train", "iris", "--set", "data.source=tulips"], &["data.source", "tulips"]),
        (&["train", "iris", "--out", "nowhere/x.onebit"], &["nowhere"]),
        (&["train", "iris", "--out", "."], &[".: ", "file"]),
        (&["train", "iris", "--set", "training.keep=best"], &["keep", "validation"]),
        (&["train", "iris", "--set", "data.test=0.001"], &["0.001", "150 rows"]),
        (&["eval", "nope.onebit", "--data", "iris"], &["nope.onebit"]),
        (&["predict", "nope.onebit"], &["nope.onebit"]),
        (&["inspect", "nope.onebit"], &["nope.onebit"]),
    ] {
        refuse(&folder, args, words);
    }
}

#[test]
fn what_is_wrong_with_a_table_is_named() {
    let folder = folder();
    for (csv, words) in [
        ("x,kind\n1,a\n2,b\n3,b,4\n", &["line 4", "2 fields", "got 3"][..]),
        ("x,kind\n1,a\n2\n3,b\n", &["line 3", "2 fields", "got 1"]),
        ("x,kind\n1,a\nnan,b\n", &["line 3", "`x`", "missing value", "--missing mean"]),
        ("x,kind\n1,a\n-inf,b\n", &["line 3", "`x`", "`-inf`"]),
        ("x,kind\n1,a\n,b\n", &["line 3", "`x`"]),
        ("x,kind\n1,a\n2,\n", &["line 3", "`kind`"]),
        ("x,kind\n1,a\n2,a\n", &["`kind`", "`a`", "two classes"]),
        ("x,x,kind\n1,1,a\n", &["`x`"]),
        ("kind\na\nb\n", &["feature"]),
        ("x,kind\n", &["row"]),
        ("", &["empty"]),
    ] {
        folder.write("bad.csv", csv);
        refuse(&folder, &["train", "mine.toml", "--data", "bad.csv"], &[words, &["bad.csv"]].concat());
    }
    folder.write("bad.csv", b"x,kind\n1,a\n2,\xff\n");
    refuse(&folder, &["train", "mine.toml", "--data", "bad.csv"], &["bad.csv", "line 3", "UTF-8"]);
    folder.write("bad.csv", "x,kind\n1,a\n2,b\n3,c\n4,d\n"); // one row is held out, and its class with it
    refuse(&folder, &["train", "mine.toml", "--data", "bad.csv"], &["class `", "no sample"]);
}

#[test]
fn data_that_does_not_fit_the_model_is_named() {
    let folder = Folder::trained();
    let eval = ["eval", "mine.onebit", "--data"];
    for (csv, words) in [
        ("\"length; cm, from nose\",width,kind\n1,2,trout\n", &["line 2", "`trout`", "eel"][..]),
        ("width,kind\n1,eel\n", &["length; cm, from nose"]),
        ("\"length; cm, from nose\",width\n1,2\n", &["`kind`", "width"]),
        ("\"length; cm, from nose\",width,kind\n", &["row"]),
    ] {
        folder.write("bad.csv", csv);
        let args = [&eval[..], &["bad.csv", "--target", "kind"]].concat();
        assert_eq!(refuse(&folder, &args, &[words, &["bad.csv"]].concat()).stdout, "");
    }
    refuse(&folder, &[&eval[..], &["iris"]].concat(), &["iris", "setosa", "sea bass"]);
    folder.write("two.csv", "length,width\n1,2\n");
    refuse(&folder, &[&eval[..], &["two.csv"]].concat(), &["two.csv", "--target"]);
    refuse(&folder, &[&eval[..], &["nope.csv"]].concat(), &["nope.csv"]);
    refuse(&folder, &[&eval[..], &["nope.csv", "--target", "kind"]].concat(), &["nope.csv"]);

    for (csv, words) in [
        ("a,b,c\n1,2,3\n", &["2 columns", "has 3"][..]),
        ("width\n1\n", &["length; cm, from nose", "2 columns", "has 1"]),
        ("0.5,8.5\n2.5,6.5\n", &["header", "0.5"]),
        ("", &["header"]),
    ] {
        folder.write("bad.csv", csv);
        let run = refuse(&folder, &["predict", "mine.onebit", "bad.csv"], &[words, &["bad.csv"]].concat());
        assert_eq!(run.stdout, "", "a refused file leaves no header behind");
        let run = folder.pipe(["predict", "mine.onebit"], csv);
        assert_eq!(run.refused(1, &[words, &["standard input"]].concat()).stdout, "");
    }
    refuse(&folder, &["predict", "mine.onebit", "nope.csv"], &["nope.csv"]);
    folder.write("empty/.hidden.csv", "");
    refuse(
        &folder,
        &["predict", "mine.onebit", "empty"],
        &["empty: none of the files *.csv, *.tsv, *.parquet"],
    );
}

#[test]
fn a_damaged_model_is_refused_by_every_command() {
    let folder = Folder::trained();
    let sound = folder.read("mine.onebit");
    let refuse_all = |bytes: &[u8], words: &[&str]| {
        folder.write("bad.onebit", bytes);
        let words = [words, &["bad.onebit"]].concat();
        for args in [
            &["inspect", "bad.onebit"][..],
            &["eval", "bad.onebit", "--data", "fish.csv", "--target", "kind"],
            &["predict", "bad.onebit", "fish.csv"],
        ] {
            assert_eq!(refuse(&folder, args, &words).stdout, "");
        }
    };
    refuse_all(b"", &["not a .onebit file"]);
    refuse_all(b"length,width,kind\n1,2,eel\n", &["not a .onebit file"]);
    refuse_all(&sound[..8], &["length", "got 8"]);
    for length in [63, 64, 200, sound.len() / 2, sound.len() - 1] {
        refuse_all(&sound[..length], &[&format!("got {length}")]);
    }
    refuse_all(&[&sound[..], b"\n"].concat(), &[&format!("expected {}", sound.len())]);
    // Header, records, tensors: every place is covered by a check.
    for at in (0..20).chain((20..sound.len()).step_by(211)).chain([sound.len() - 1]) {
        let mut bytes = sound.clone();
        bytes[at] ^= 0x10;
        folder.write("bad.onebit", bytes);
        refuse(&folder, &["inspect", "bad.onebit"], &["bad.onebit"]);
    }
}
