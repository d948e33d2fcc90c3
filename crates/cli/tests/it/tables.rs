//! From a table that nobody has prepared to answers about others: texts, missing values, and every format.

use std::{fs, path::Path};

use crate::common::{Folder, Run, fish};

/// Animals with texts, gaps and a class that is rare.
fn pets(rows: usize) -> String {
    let mut csv = String::from("\u{feff}weight;fur;name;Species\r\n");
    for row in 0..rows {
        let (kind, weight) = if row % 8 == 0 { ("dog", 20 + row % 5) } else { ("cat", 3 + row % 3) };
        let fur = ["short", "long", ""][row % 3];
        let weight = if row % 10 == 1 { "NA".into() } else { weight.to_string() };
        csv += &format!("{weight};{fur};p{row};{kind}\r\n");
    }
    csv + "\r\n"
}

/// The fixtures that pandas and pyarrow wrote.
fn golden(folder: &Folder, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/tables").join(name);
    folder.write(name, fs::read(path).unwrap());
}

#[test]
fn a_table_is_all_that_is_needed() {
    let folder = Folder::new();
    folder.write("pets.csv", pets(80));
    let missing = "pets.csv, line 3, column `weight`: missing value; fill it in with --missing mean";
    folder.onebit(["train", "pets.csv", "--drop", "name"]).refused(1, &["pets.csv, line 3", "missing value"]);
    assert!(folder.onebit(["train", "pets.csv"]).stderr.contains(missing));
    let identifier = folder.onebit(["train", "pets.csv", "--missing", "mean"]);
    identifier.refused(1, &["`name` has 80 different texts in 80 rows", "--drop name"]);
    let train = ["train", "pets.csv", "--missing", "mean", "--drop", "name"];
    let text = folder.onebit(train).ok().stdout;
    assert_eq!(folder.names(), ["pets.csv", "pets.onebit"]);
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("pets.csv: straight-through training; 4 features, 2 classes; 64 samples"),
        "{text}"
    );
    assert_eq!(lines[1], "the class is column `Species` (--target COLUMN chooses another)");
    let classes = "classes: cat 70, dog 10 (majority 87.50 %: an accuracy below that is worse than always answering cat)";
    assert_eq!(lines[2], classes);
    let event = folder.onebit([&train[..], &["--json"]].concat()).ok().json().remove(0);
    assert_eq!((&event["event"], &event["target"]), (&"data".into(), &"Species".into()));
    assert_eq!(event["classes"][1], serde_json::json!({"class": "dog", "samples": 10}));
    let seeds = folder.onebit([&train[..], &["--seeds", "1"]].concat()).ok().stdout;
    assert_eq!(seeds.lines().nth(2), Some(classes));

    let eval = folder.onebit(["eval", "pets.onebit", "--data", "pets.csv"]).ok().stdout;
    let accuracy =
        eval.strip_prefix("the class is column `Species` (--target COLUMN chooses another)\naccuracy ");
    let accuracy = accuracy.and_then(|text| text.split_once(" %")).expect(&eval).0;
    assert!(accuracy.parse::<f64>().unwrap() > 87.5, "{eval}");
}

#[test]
fn a_model_takes_raw_rows() {
    let folder = Folder::new();
    folder.write("pets.csv", pets(80));
    folder.onebit(["train", "pets.csv", "--missing", "mean", "--drop", "name", "--out", "m.onebit"]).ok();
    // in another order, with a column that nobody asked for, a missing number and a missing text
    folder.write("new.csv", "fur,age,weight\nshort,1,22\n,2,4\nlong,3,?\n");
    let labels = |run: Run| {
        let rows = run.stdout.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().to_string());
        rows.collect::<Vec<_>>()
    };
    assert_eq!(labels(folder.onebit(["predict", "m.onebit", "new.csv"]).ok())[..2], ["dog", "cat"]);
    folder.write("new.csv", "fur,weight\ncurly,22\nlong,4\nwoolly,4\n");
    let unknown = folder.onebit(["predict", "m.onebit", "new.csv"]);
    let warning = "warning: new.csv: column `fur`: the model does not know `curly`; unknown values count as none of \
                   its categories\n";
    assert_eq!((unknown.code, unknown.stderr.as_str()), (Some(0), warning));
    assert_eq!(labels(unknown)[..2], ["dog", "cat"]);
    folder.write("eval.csv", "fur,weight,class\ncurly,22,dog\nshort,4,cat\n");
    let eval = folder.onebit(["eval", "m.onebit", "--data", "eval.csv", "--json"]);
    assert_eq!((eval.code, eval.stderr.contains("`curly`")), (Some(0), true));
    assert_eq!(eval.json()[0]["target"], "class");
    folder.write("new.csv", "weight\n22\n");
    folder.onebit(["predict", "m.onebit", "new.csv"]).refused(1, &["missing column fur", "needs 2 columns"]);
    folder.write("new.csv", "fur,weight\nshort,heavy\n");
    let message = "new.csv, line 2, column `weight`: expected a number, got `heavy`";
    folder.onebit(["predict", "m.onebit", "new.csv"]).refused(1, &[message]);

    let shown = folder.onebit(["inspect", "m.onebit"]).ok().stdout;
    assert!(shown.contains("categories long, short; one is for missing values"), "{shown}");
    let columns = folder.onebit(["inspect", "m.onebit", "--json"]).ok().json()[0]["columns"].clone();
    assert_eq!((&columns[0]["kind"], &columns[1]["categories"][0]), (&"number".into(), &"".into()));
    let sizes = folder.onebit(["export", "m.onebit"]).ok().stdout;
    assert!(sizes.contains("columns") && sizes.ends_with(", as predicted\n"), "{sizes}");
}

/// Models of plain numbers say nothing about columns, and are as they were.
#[test]
fn models_of_numbers_stay_what_they_were() {
    let folder = Folder::trained();
    assert_eq!(folder.read("mine.onebit")[8], 1);
    let shown = folder.onebit(["inspect", "mine.onebit", "--json"]).ok().json().remove(0);
    assert!(shown["columns"].is_null());
    folder.write("gap.csv", fish(9, ",").replacen("9,", "?,", 1));
    let hint = "missing value, which the model was not trained to fill in; to allow it, train the model with --missing mean";
    folder.onebit(["predict", "mine.onebit", "gap.csv"]).refused(1, &["gap.csv, line 2", hint]);
}

#[test]
fn every_format_gives_the_same_answers() {
    let folder = Folder::new();
    let names = ["pets.csv", "snappy.parquet", "gzip.parquet", "lz4.feather", "stream.arrow"];
    names.iter().for_each(|name| golden(&folder, name));
    let train = ["--target", "kind", "--missing", "mean", "--epochs", "5"];
    let models = names.map(|name| folder.model(&[&[name][..], &train].concat()));
    assert!(models.iter().all(|model| *model == models[0]));
    folder.write("m.onebit", &models[0]);
    let expected = folder.onebit(["predict", "m.onebit", "pets.csv"]).ok().stdout;
    for name in names {
        assert_eq!(folder.onebit(["predict", "m.onebit", name]).ok().stdout, expected, "{name}");
        assert_eq!(folder.pipe(["predict", "m.onebit"], folder.read(name)).ok().stdout, expected, "{name}");
        let eval = folder.onebit(["eval", "m.onebit", "--data", name, "--target", "kind"]).ok().stdout;
        assert!(eval.starts_with("accuracy "), "{eval}");
    }
    let all = folder.onebit(["predict", "m.onebit", "."]);
    assert_eq!((all.code, all.stdout.lines().count()), (Some(0), 1 + 40 * names.len()));
    let forced = folder.onebit(["predict", "m.onebit", "pets.csv", "--format", "parquet"]);
    forced.refused(1, &["pets.csv: damaged, or no Parquet file"]);
    golden(&folder, "zstd.parquet");
    folder
        .onebit(["train", "zstd.parquet", "--target", "kind"])
        .refused(1, &["zstd.parquet", "compressed with zstd"]);
}

#[test]
fn a_price_is_no_class() {
    let folder = Folder::new();
    let rows: String = (0..100).map(|n| format!("{n},{}.5\n", 100 + n)).collect();
    folder.write("homes.csv", format!("area,price\n{rows}"));
    let words = ["`price` has 100 different numbers in 100 rows", "estimates no numbers", "--target"];
    folder.onebit(["train", "homes.csv", "--target", "price"]).refused(1, &words);
}
