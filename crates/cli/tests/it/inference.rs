//! `onebit presets`, `eval`, `predict` and `inspect`: from a preset to answers about one's own table.

use onebit::{
    Engine, Isa, Model, bits,
    config::{self, PRESETS},
    data,
    model::{Affine, Conv, Dense, Layer, Limits, Output, Thresholds},
};

use crate::common::{CONFIG, Folder, KINDS, fish, number, share};

/// Label and scores of each row that `predict` printed as CSV; checks header and row numbers.
fn answers(model: &Model, csv: &str) -> Vec<(String, Vec<f32>)> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let scores = model.labels().iter().map(|label| format!("score {label}"));
    let header: Vec<String> = ["row", "label"].map(String::from).into_iter().chain(scores).collect();
    assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), header);
    let rows = reader.records().map(Result::unwrap).enumerate().map(|(row, record)| {
        assert_eq!(record[0], row.to_string());
        (record[1].to_string(), record.iter().skip(2).map(|score| score.parse().unwrap()).collect())
    });
    rows.collect()
}

/// What the library says about the rows of a CSV text.
fn expected(model: &Model, csv: &str) -> Vec<(String, Vec<f32>)> {
    let rows = data::FeatureRows::new(csv.as_bytes(), "rows", model.features()).unwrap();
    let x: Vec<f32> = rows.flat_map(Result::unwrap).collect();
    let engine = Engine::single();
    let scores = model.scores(&engine, &x).unwrap();
    let classes = model.classify(&engine, &x).unwrap();
    let labels = classes.into_iter().map(|class| model.labels()[class].clone());
    labels.zip(scores.chunks(model.classes()).map(<[f32]>::to_vec)).collect()
}

#[test]
fn presets_are_listed_and_printed_as_they_are() {
    let folder = Folder::new();
    let list = folder.onebit(["presets"]).ok().stdout;
    for (name, text, what) in PRESETS {
        let listed = |line: &str| line.split_whitespace().next() == Some(name) && line.ends_with(what);
        assert!(list.lines().any(listed), "{name} is not in\n{list}");
        let printed = folder.onebit(["presets", name]).ok().stdout;
        assert_eq!(printed.trim_end(), text.trim_end());
        assert_eq!(config::parse(name, &printed, &[]).unwrap(), config::preset(name).unwrap());
    }
}

#[test]
fn a_preset_that_is_saved_and_changed_learns_a_table() {
    let folder = Folder::new();
    let preset = folder.onebit(["presets", "iris"]).ok().stdout;
    folder.write("same.toml", &preset);
    assert!(folder.model(&["same.toml"]) == folder.model(&["iris"]), "a saved preset is the preset");

    folder.write("mine.toml", preset.replace("source = \"iris\"", "source = \"table\"\ntarget = \"kind\""));
    folder.write("comma.csv", fish(150, ",")).write("semicolon.csv", fish(150, ";"));
    folder.onebit(["train", "mine.toml", "--data", "comma.csv"]).ok();
    assert!(folder.model(&["mine.toml", "--data", "semicolon.csv"]) == folder.read("mine.onebit"));

    let evaluated = ["comma.csv", "semicolon.csv"].map(|csv| {
        folder.onebit(["eval", "mine.onebit", "--data", csv, "--target", "kind", "--json"]).ok().stdout
    });
    assert_eq!(evaluated[0], evaluated[1]);
    let result: serde_json::Value = serde_json::from_str(&evaluated[0]).unwrap();
    let accuracy = share(&result, "accuracy");
    assert!(accuracy > 0.7, "the kinds differ clearly: {accuracy}");
    assert_eq!(result["samples"], 150);
    assert_eq!(result["labels"], serde_json::json!(KINDS));
    let confusion: Vec<Vec<u64>> = serde_json::from_value(result["confusion"].clone()).unwrap();
    assert_eq!(confusion.iter().map(|row| row.iter().sum()).collect::<Vec<u64>>(), [50; 3]);
    let right: u64 = (0..3).map(|class| confusion[class][class]).sum();
    assert_eq!(accuracy, right as f64 / 150.0);

    let text = folder.onebit(["eval", "mine.onebit", "--data", "comma.csv", "--target", "kind"]).ok().stdout;
    assert_eq!(text.lines().next().unwrap(), format!("accuracy {:.2} % ({right} of 150)", 100.0 * accuracy));
    for (kind, row) in KINDS.iter().zip(&confusion) {
        let line = text.lines().find(|line| line.starts_with(kind)).expect("a row for each class");
        let counts: Vec<u64> = line[kind.len()..].split_whitespace().map(|n| n.parse().unwrap()).collect();
        assert_eq!(counts, *row);
    }
}

#[test]
fn eval_knows_built_in_data_and_agrees_with_training() {
    let folder = Folder::new();
    let args = ["train", "iris", "--json", "--set", "data.test=0"];
    let trained = folder.onebit(args).ok().json().pop().unwrap();
    let result = &folder.onebit(["eval", "iris.onebit", "--data", "iris", "--json"]).ok().json()[0];
    assert_eq!(result["samples"], 150);
    assert!(share(result, "accuracy") > 0.6 && share(&trained, "train_accuracy") > 0.6);
    let model = Model::load(folder.path("iris.onebit")).unwrap();
    assert_eq!(
        onebit::accuracy(&model, &Engine::single(), &data::iris()).unwrap(),
        number(result, "accuracy")
    );
}

#[test]
fn eval_finds_the_columns_of_the_model() {
    let folder = Folder::trained();
    let eval = |csv: &str| {
        folder.write("rows.csv", csv);
        folder.onebit(["eval", "mine.onebit", "--data", "rows.csv", "--target", "kind", "--json"]).ok().stdout
    };
    let plain = eval("\"length; cm, from nose\",width,kind\n0.5,8.5,eel\n4.5,4.5,sea bass\n4.6,4.4,eel\n");
    for same in [
        "kind,width,\"length; cm, from nose\"\neel,8.5,0.5\nsea bass,4.5,4.5\neel,4.4,4.6\n",
        "id;width;kind;\"length; cm, from nose\"\n1;8.5;eel;0.5\n2;4.5;sea bass;4.5\n3;4.4;eel;4.6\n",
    ] {
        assert_eq!(eval(same), plain, "{same}");
    }
    let confusion = &serde_json::from_str::<serde_json::Value>(&plain).unwrap()["confusion"];
    assert_eq!(*confusion, serde_json::json!([[1, 0, 1], [0, 0, 0], [0, 0, 1]]));
}

#[test]
fn predict_says_what_the_library_says() {
    let folder = Folder::trained();
    let model = Model::load(folder.path("mine.onebit")).unwrap();
    let rows = fish(600, ","); // more than two batches
    folder.write("rows.csv", &rows);
    let expected = expected(&model, &rows);
    assert_eq!(expected.len(), 600);

    let predict = ["predict", "mine.onebit"];
    let from_file = folder.onebit([&predict[..], &["rows.csv"]].concat()).ok().stdout;
    assert_eq!(answers(&model, &from_file), expected);
    assert_eq!(folder.pipe([&predict[..], &["-"]].concat(), rows.clone()).ok().stdout, from_file);

    let json = folder.onebit([&predict[..], &["rows.csv", "--json"]].concat()).ok().json();
    assert_eq!(json.len(), 600);
    for ((line, (label, scores)), row) in json.iter().zip(&expected).zip(0u64..) {
        assert_eq!((&line["input"], &line["row"]), (&"rows.csv".into(), &row.into()));
        assert_eq!(line["class"], label.as_str());
        assert_eq!(KINDS[number(line, "index") as usize], label);
        let named: Vec<f32> = KINDS.map(|kind| number(&line["scores"], kind) as f32).to_vec();
        assert_eq!(named, *scores);
    }
    for isa in Isa::available() {
        let args = [&predict[..], &["rows.csv", "--threads", "2", "--isa", isa.name()]].concat();
        assert_eq!(folder.onebit(args).ok().stdout, from_file, "{}", isa.name());
    }
}

#[test]
fn predict_finds_the_columns_of_the_model() {
    let folder = Folder::trained();
    let header = "\"length; cm, from nose\",width\n";
    let predict = |rows: &str| folder.pipe(["predict", "mine.onebit"], rows).ok().stdout;
    let plain = predict(&format!("{header}0.5,8.5\n2.5,6.5\n4.5,4.5\n"));
    assert_ne!(plain.lines().nth(1).unwrap()[2..], plain.lines().nth(3).unwrap()[2..], "the order matters");
    for same in [
        "width,\"length; cm, from nose\"\n8.5,0.5\n6.5,2.5\n4.5,4.5\n",
        "name,width,id,\"length; cm, from nose\"\nann,8.5,1,0.5\nbob,6.5,,2.5\n,4.5,3,4.5\n",
        "width;\"length; cm, from nose\"\r\n8.5;0.5\r\n\r\n6.5;2.5\r\n4.5;4.5",
        "l,w\n0.5,8.5\n2.5,6.5\n4.5,4.5\n", // other names, but as many: by position
    ] {
        assert_eq!(predict(same), plain, "{same}");
    }
    assert_eq!(predict(header).lines().count(), 1, "no rows, no answers");
}

#[test]
fn rows_before_a_bad_one_are_answered() {
    let folder = Folder::trained();
    let rows = "\"length; cm, from nose\",width\n0.5,8.5\n2.5,6.5\nlong,4.5\n4.5,4.5\n";
    let run = folder.pipe(["predict", "mine.onebit"], rows);
    let run = run.refused(1, &["standard input, line 4", "`length; cm, from nose`", "`long`"]);
    assert_eq!(run.stdout.lines().count(), 3, "a header and two answers\n{}", run.stdout);
}

#[test]
#[cfg(unix)]
fn predict_reads_a_pipe_by_its_path() {
    let folder = Folder::trained();
    let rows = fish(300, ",");
    let by_dash = folder.pipe(["predict", "mine.onebit"], rows.clone()).ok().stdout;
    let by_path = folder.pipe(["predict", "mine.onebit", "/dev/stdin"], rows).ok().stdout;
    assert_eq!(by_path, by_dash);
}

#[test]
fn inspect_shows_what_is_in_the_file() {
    let folder = Folder::trained();
    let model = Model::load(folder.path("mine.onebit")).unwrap();
    let shown = &folder.onebit(["inspect", "mine.onebit", "--json"]).ok().json()[0];
    assert_eq!(shown["file_bytes"], folder.read("mine.onebit").len());
    assert_eq!((&shown["inputs"], &shown["classes"]), (&2.into(), &3.into()));
    assert_eq!(shown["labels"], serde_json::json!(KINDS));
    assert_eq!(shown["features"], serde_json::json!(model.features()));
    // 2 features of 3 bits to 32 units; 32 units of 3 bits to 3 classes
    let weights: Vec<f64> =
        shown["layers"].as_array().unwrap().iter().map(|layer| number(layer, "weight_bits")).collect();
    assert_eq!(weights, [0.0, 192.0, 288.0]);
    assert_eq!(shown["weight_bits"], 480);
    let tensors = shown["tensors"].as_array().unwrap();
    assert!(tensors.iter().any(|t| t["name"] == "1.weights" && t["rows"] == 32 && t["cols"] == 6));
    let bytes: f64 = tensors.iter().map(|tensor| number(tensor, "bytes")).sum();
    assert!(bytes < number(shown, "file_bytes"));

    let text = folder.onebit(["inspect", "mine.onebit"]).ok().stdout;
    let names = tensors.iter().map(|tensor| tensor["name"].as_str().unwrap());
    let size = format!("480 weights of one bit; the file has {} bytes", shown["file_bytes"]);
    for word in names.chain(KINDS).chain([size.as_str()]) {
        assert!(text.contains(word), "expected {word} in\n{text}");
    }
}

#[test]
fn inspect_shows_convolutions() {
    let folder = Folder::new();
    let geometry = bits::Geometry { padding: bits::Padding::around(1), ..bits::Geometry::new(2, 3, (3, 3)) };
    let conv = Conv {
        geometry,
        image: (8, 6),
        weights: bits::BitTensor::zeros(3, 18),
        pool: Some(bits::Pool { kernel: (2, 2), stride: (2, 2) }),
        thresholds: Thresholds {
            limits: Limits::Real(vec![0.0; 3]),
            descending: bits::BitTensor::zeros(1, 3),
        },
    };
    let last = Dense { weights: bits::BitTensor::zeros(2, 36), output: Output::Scores(Affine::identity(2)) };
    let layers = vec![Layer::Conv(conv), Layer::Dense(last)];
    let model = Model::new(96, layers, ["a", "b"].map(String::from).to_vec()).unwrap();
    model.save(folder.path("images.onebit")).unwrap();
    let text = folder.onebit(["inspect", "images.onebit"]).ok().stdout;
    for word in
        ["conv", "1 bit each by real limits for 4 x 3 pixels, kernel 3 x 3, largest of 2 x 2", "0.geometry"]
    {
        assert!(text.contains(word), "expected {word} in\n{text}");
    }
    let shown = &folder.onebit(["inspect", "images.onebit", "--json"]).ok().json()[0]["layers"];
    assert_eq!(
        shown[0]["conv"],
        serde_json::json!({
            "image": [8, 6], "channels": [2, 3], "kernel": [3, 3], "stride": [1, 1], "padding": [1, 1, 1, 1],
            "pad": "zero", "groups": 1, "pool": {"kernel": [2, 2], "stride": [2, 2]}, "output_image": [4, 3],
        })
    );
    assert_eq!((&shown[0]["outputs"], &shown[1]["inputs"]), (&36.into(), &36.into()));
    assert!(shown[1].get("conv").is_none());
}

#[test]
fn nobody_has_to_read_to_the_end() {
    let folder = Folder::trained();
    folder.write("rows.csv", fish(20_000, ","));
    for args in [
        &["presets"][..],
        &["presets", "iris"],
        &["inspect", "mine.onebit"],
        &["inspect", "mine.onebit", "--json"],
        &["eval", "mine.onebit", "--data", "fish.csv", "--target", "kind"],
        &["predict", "mine.onebit", "rows.csv"],
        &["predict", "mine.onebit", "rows.csv", "--json"],
    ] {
        folder.unread(args).ok();
    }
}

#[test]
fn a_name_does_not_command_the_terminal() {
    let folder = Folder::new();
    folder.write("mine.toml", CONFIG).write("fish.csv", fish(120, ",").replace("eel", "\u{1b}[31meel"));
    folder.onebit(["train", "mine.toml", "--data", "fish.csv"]).ok();
    let eval = ["eval", "mine.onebit", "--data", "fish.csv", "--target", "kind"];
    for args in [&["inspect", "mine.onebit"][..], &eval] {
        let text = folder.onebit(args).ok().stdout;
        assert!(text.contains("[31meel") && !text.contains('\u{1b}'), "{text}");
    }
    folder.onebit(["eval", "mine.onebit", "--data", "iris"]).refused(1, &["[31meel"]);
}

#[test]
fn nobody_has_to_read_the_errors() {
    let folder = Folder::new();
    folder.write("mine.toml", CONFIG);
    for (args, code) in [(["train", "mine.toml"], 1), (["train", "--frob"], 2)] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let status = folder.command(args).stderr(writer).status().unwrap();
        assert_eq!(status.code(), Some(code), "{args:?}");
    }
}
