//! Laws of tables: what is read, and what is refused with which words.

use onebit_model::{ColumnKind, Columns};

use super::{csv::CsvRows, learn::learn, *};
use crate::{
    dataset::Dataset,
    error::{DataError, Remedy},
};

fn message(text: &[u8]) -> String {
    read_table_from(text, "f.csv", "kind").unwrap_err().to_string()
}

/// The names of the classes, and the label of each row.
fn classes(labels: &[&str]) -> (Vec<String>, Vec<u32>) {
    let text = format!("x,kind\n{}", labels.iter().map(|label| format!("0,{label}\n")).collect::<String>());
    let set = read_table_from(text.as_bytes(), "f.csv", "kind").unwrap();
    (set.label_names().to_vec(), set.labels().to_vec())
}

/// Reads with the classes of a model, `a` and `b`.
fn with_labels(text: &str) -> Result<Dataset, DataError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f.csv");
    std::fs::write(&path, text).unwrap();
    let columns = Columns::numbers(["x".to_string()]).unwrap();
    Ok(read_table_with_labels(path, "kind", &["b", "a"].map(String::from), &columns)?.0)
}

#[test]
fn the_target_may_stand_anywhere() {
    let expected = read_table_from(&b"x,y,kind\n1,2,a\n3,4.5e-1,b\n"[..], "", "kind").unwrap();
    assert_eq!(expected.gather(&[0, 1]), [1.0, 2.0, 3.0, 0.45]);
    let others: [&[u8]; 3] = [
        b"kind,x,y\na,1,2\nb,3,.45\n",
        b"x;kind;y\n1;a;2\n3;b;0.45",
        b"\xef\xbb\xbfx\tkind\ty\r\n+1\ta\t2\r\n3\tb\t0.45",
    ];
    for text in others {
        assert_eq!(read_table_from(text, "", "kind").unwrap(), expected);
    }
}

#[test]
fn classes_are_sorted_as_numbers_or_else_as_texts() {
    assert_eq!(
        classes(&["10", "9", "-1", "9"]),
        (["-1", "9", "10"].map(String::from).to_vec(), vec![2, 1, 0, 1])
    );
    assert_eq!(classes(&["1e1", "9.5"]).0, ["9.5", "1e1"]);
    assert_eq!(classes(&["10", "9", "x"]).0, ["10", "9", "x"]);
    assert_eq!(classes(&["inf", "9", "10"]).0, ["10", "9", "inf"]);
    assert_eq!(classes(&["\"b,c\"", "a"]).0, ["a", "b,c"]);
    // Apart by one, where an f64 no longer tells them apart.
    assert_eq!(classes(&["9007199254740993", "9007199254740992"]).1, [1, 0]);
}

#[test]
fn what_a_header_can_lack() {
    for empty in [&b""[..], b"\n\r\n  \n", b"\xef\xbb\xbf"] {
        assert_eq!(message(empty), "f.csv: expected a header line with the column names, got an empty file");
    }
    assert_eq!(message(b"x,y\n1,2\n"), "f.csv: no column `kind`; the columns are x, y");
    assert_eq!(message(b"x,kind,x\n1,a,2\n"), "f.csv: column `x` appears twice");
    assert_eq!(message(b",x,kind\n0,1,a\n"), "f.csv: column 1 has no name");
    let numbers = "f.csv: expected a header line with the column names, got only numbers: 5.1, 3.5, 0; put one before it";
    assert_eq!(message(b"5.1,3.5,0\n4.9,3,0\n"), numbers);
    assert_eq!(message(b"kind\na\nb\n"), "f.csv: expected at least one feature column, got none");
}

#[test]
fn what_a_row_can_lack() {
    assert_eq!(message(b"x,kind\n1,a\n\n2\n"), "f.csv, line 4: expected 2 fields, got 1");
    assert_eq!(message(b"x,kind\r\n1,a\r\n2,b,3\r\n"), "f.csv, line 3: expected 2 fields, got 3");
    assert_eq!(message(b"x,kind\n1,a\n ,b\n"), "f.csv, line 3, column `x`: missing value");
    assert_eq!(
        message(b"x,kind\n1,\n"),
        "f.csv, line 2, column `kind`: missing value: a row needs its class"
    );
    for value in ["-nan", "-inf", "1e39"] {
        assert_eq!(
            message(format!("x,kind\n{value},a\n1,b\n").as_bytes()),
            format!("f.csv, line 2, column `x`: expected a finite number, got `{value}`")
        );
    }
    assert_eq!(message(b"x,kind\n1,\xff\n"), "f.csv, line 2, field 2: expected UTF-8 text");
    assert_eq!(message(b"x,kin\xff\n"), "f.csv, line 1, field 2: expected UTF-8 text");
}

#[test]
fn what_a_file_can_lack() {
    assert_eq!(message(b"x,kind\n\n"), "f.csv: expected at least one row, got none");
    assert_eq!(
        message(b"x,kind\n1,a\n2,a\n"),
        "f.csv: expected at least two classes in column `kind`, got only `a`"
    );
    assert_eq!(
        message(b"x,kind\n1,2\n2,1\n3,1.0\n"),
        "f.csv: labels `1` and `1.0` in column `kind` are the same number"
    );
    let missing = read_table("no/such.csv", "kind").unwrap_err().to_string();
    assert!(missing.starts_with("cannot open no/such.csv: "), "{missing}");
    let folder = read_table(std::env::temp_dir(), "kind").unwrap_err();
    assert!(matches!(folder, DataError::Read { .. } | DataError::Open { .. }), "{folder}");
}

#[test]
fn evaluation_keeps_the_models_classes() {
    let set = with_labels("x,kind\n1,a\n2,a\n").unwrap();
    assert_eq!((set.label_names()[0].as_str(), set.labels()), ("b", &[1, 1][..]));
    let error = with_labels("x,kind\n1,a\n2,c\n").unwrap_err().to_string();
    assert!(
        error.ends_with("f.csv, line 3, column `kind`: unknown label `c`; the model knows b, a"),
        "{error}"
    );
    let header = with_labels("1,2\n0.5,a\n").unwrap_err().to_string();
    assert!(header.ends_with("f.csv: no column `kind`; the columns are 1, 2"), "{header}");
}

/// Reads rows with one column `x` and the classes a and b in turn.
fn of_cells(cells: impl IntoIterator<Item = String>, missing: Missing) -> Result<Dataset, String> {
    let rows = cells.into_iter().zip(["a", "b"].iter().cycle());
    let text: String = rows.map(|(cell, class)| format!("{cell},{class}\n")).collect();
    let options = TableOptions { target: "kind".into(), missing, ..TableOptions::default() };
    let rows = CsvRows::new(["x,kind\n", &text].concat().as_bytes().to_vec().leak() as &[u8], "f.csv");
    learn(&mut rows.unwrap(), &options).map_err(|error| error.to_string())
}

fn texts(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| cell.to_string()).collect()
}

#[test]
fn texts_become_a_feature_each_and_codes_with_them() {
    let set = of_cells(texts(&["red", "blue", "red"]), Missing::Refuse).unwrap();
    assert_eq!(set.feature_names(), ["x=blue", "x=red"]);
    assert_eq!(set.gather(&[0, 1, 2]), [0.0, 1.0, 1.0, 0.0, 0.0, 1.0]);
    assert_eq!(set.columns().unwrap().feature_names(), set.feature_names());
    let doors = of_cells(texts(&["2", "3", "5more", "2", "4"]), Missing::Refuse).unwrap();
    assert_eq!(doors.feature_names(), ["x=2", "x=3", "x=4", "x=5more"]);
    let numbers = of_cells((0..100).map(|n| n.to_string()), Missing::Refuse).unwrap();
    assert_eq!((numbers.columns(), numbers.gather(&[0, 70, 99])), (None, vec![0.0, 70.0, 99.0]));
}

#[test]
fn columns_that_are_neither_numbers_nor_categories() {
    let refused = |cells: Vec<String>| of_cells(cells, Missing::Refuse).unwrap_err();
    let number = |n: usize| n.to_string();
    let late = refused((0..50).map(number).chain(texts(&["1;5"])).collect());
    assert_eq!(late, "f.csv, line 52, column `x`: expected a number, got `1;5`");
    let early = refused(texts(&["1;5"]).into_iter().chain((0..50).map(number)).collect());
    assert_eq!(early, "f.csv, line 2, column `x`: expected a number, got `1;5`");
    let infinite = refused((0..50).map(number).chain(texts(&["1e39"])).collect());
    assert_eq!(infinite, "f.csv, line 52, column `x`: expected a finite number, got `1e39`");
    let infinite = refused(texts(&["inf"]).into_iter().chain((0..50).map(number)).collect());
    assert_eq!(infinite, "f.csv, line 2, column `x`: expected a finite number, got `inf`");
    let names = refused((0..30).map(|n| format!("flower {n}")).collect());
    let identifier = "f.csv: column `x` has 30 different texts in 30 rows, as an identifier does: nothing can be \
                      learned from it";
    assert_eq!(names, identifier);
    let many = refused((0..3003).map(|n| format!("city {}", n % 1001)).collect());
    let limit = "f.csv: column `x` has more than 1000 different texts";
    assert_eq!(many, limit);
    assert!(of_cells((0..3000).map(|n| format!("city {}", n % 1000)), Missing::Refuse).is_ok());
}

#[test]
fn missing_values_are_refused_or_filled_in() {
    for mark in ["", "?", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "Null", "None", "<NA>", "#N/A"] {
        let cells = texts(&["1", mark, "2", "6"]);
        let refused = of_cells(cells.clone(), Missing::Refuse).unwrap_err();
        assert_eq!(refused, "f.csv, line 3, column `x`: missing value");
        let filled = of_cells(cells, Missing::Mean).unwrap();
        assert_eq!(filled.gather(&[0, 1, 2, 3]), [1.0, 3.0, 2.0, 6.0]);
    }
    let filled = of_cells(texts(&["red", "?", "blue"]), Missing::Mean).unwrap();
    assert_eq!(filled.feature_names(), ["x=?", "x=blue", "x=red"]);
    assert_eq!(filled.gather(&[1, 2]), [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    let none = of_cells(texts(&["?", "", "NA"]), Missing::Mean).unwrap_err();
    assert_eq!(none, "f.csv: column `x` has no value in any row");
}

#[test]
fn the_mean_is_that_of_the_training_part() {
    let set = of_cells(texts(&["1", "?", "3", "100", ""]), Missing::Mean).unwrap();
    let parts = crate::Split::new(set.subset(&[1, 0, 2]), Some(set.subset(&[3, 4])), None);
    assert_eq!(parts.train.gather(&[0, 1, 2]), [2.0, 1.0, 3.0]);
    assert_eq!(parts.validation.unwrap().gather(&[0, 1]), [100.0, 2.0]);
    let kind = &parts.train.columns().unwrap().as_slice()[0].kind;
    assert_eq!(*kind, ColumnKind::Number { missing: Some(2.0) });
    // no number to learn from: the mean of all
    let gaps = crate::Split::new(set.subset(&[1, 4]), None, None);
    assert_eq!(gaps.train.gather(&[0]), [104.0f32 / 3.0]);
}

#[test]
fn columns_are_left_out() {
    let with = |drop: &[&str]| {
        let drop = drop.iter().map(|name| name.to_string()).collect();
        let options = TableOptions { target: "kind".into(), drop, missing: Missing::Refuse };
        let text = &b",id,x,kind\n0,p1,4,a\n1,p2,5,b\n"[..];
        learn(&mut CsvRows::new(text, "f.csv").unwrap(), &options).map_err(|error| error.to_string())
    };
    assert_eq!(with(&["", "id"]).unwrap().feature_names(), ["x"]);
    assert_eq!(with(&["no"]).unwrap_err(), "f.csv: no column `no`; the columns are , id, x, kind");
    assert_eq!(with(&["", "id", "x"]).unwrap_err(), "f.csv: expected at least one feature column, got none");
}

#[test]
fn targets_that_are_no_classes() {
    let refused = |label: &dyn Fn(usize) -> String, rows: usize| {
        let text: String = (0..rows).map(|n| format!("{n},{}\n", label(n))).collect();
        let text = format!("x,price\n{text}");
        read_table_from(text.as_bytes(), "f.csv", "price").map(drop).map_err(|error| error.to_string())
    };
    let regression = |different: usize, rows: usize| {
        Err(format!(
            "f.csv: column `price` has {different} different numbers in {rows} rows: expected classes, not a \
             quantity to estimate; make a few classes of it, such as low and high, or choose another column"
        ))
    };
    assert_eq!(refused(&|n| format!("{}.5", n % 21), 500), regression(21, 500));
    assert_eq!(refused(&|n| (n % 30).to_string(), 100), regression(30, 100));
    assert_eq!(refused(&|n| (n % 1001).to_string(), 5005), regression(1001, 5005));
    assert_eq!(refused(&|n| (n % 30).to_string(), 120), Ok(()));
    assert_eq!(refused(&|n| format!("{}.5", n % 20), 40), Ok(()));
    let names =
        "f.csv: column `price` has 30 different texts in 50 rows: expected classes; choose another column";
    assert_eq!(refused(&|n| format!("p{}", n % 30), 50), Err(names.into()));
}

#[test]
fn headers_that_count_columns_are_headers() {
    assert!(read_table_from(&b"0,1,2\n5,6,a\n7,8,b\n"[..], "f.csv", "2").is_ok());
    assert!(read_table_from(&b"1,2,3\n5,6,a\n7,8,b\n"[..], "f.csv", "3").is_ok());
}

/// A message says what is wrong, and a remedy what to do about it.
#[test]
fn errors_know_their_remedy() {
    let remedy = |text: &[u8]| read_table_from(text, "f.csv", "kind").unwrap_err().remedy();
    assert_eq!(remedy(b"x,kind\n1,a\n?,b\n"), Some(Remedy::FillMissing));
    assert_eq!(remedy(b"x,kind\n1,a\n2,?\n"), None);
    assert_eq!(remedy(b",kind\n1,a\n2,b\n"), Some(Remedy::DropColumn(String::new())));
    let names: String = (0..30).map(|n| format!("n{n},{}\n", n % 2)).collect();
    assert_eq!(remedy(format!("x,kind\n{names}").as_bytes()), Some(Remedy::DropColumn("x".into())));
    let prices: String = (0..40).map(|n| format!("1,{n}.5\n")).collect();
    assert_eq!(remedy(format!("x,kind\n{prices}").as_bytes()), Some(Remedy::NameTarget));
}
