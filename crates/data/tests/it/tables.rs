//! Tables that pandas and pyarrow wrote (`golden/generate_tables.py`), and what is left of them when bytes
//! change.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::PathBuf,
};

use onebit_data::{
    DataError, Dataset, FeatureRows, Missing, TableError, TableFormat, TableOptions, default_target,
    read_table_with, read_table_with_labels,
};
use onebit_model::{Column, ColumnKind, Columns};

/// The same table as CSV and in every other format that is read.
const SAME: [&str; 6] =
    ["pets.csv", "snappy.parquet", "gzip.parquet", "lz4.parquet", "lz4.feather", "stream.arrow"];

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../golden/tables").join(name)
}

fn options(target: &str, drop: &[&str]) -> TableOptions {
    let drop = drop.iter().map(|name| name.to_string()).collect();
    TableOptions { target: target.into(), drop, missing: Missing::Mean }
}

/// Reads a table, or says what is wrong with it but for the folder that it lies in.
fn read(name: &str, options: &TableOptions) -> Result<Dataset, String> {
    let folder = path("").display().to_string();
    read_table_with(path(name), options).map_err(|error| error.to_string().replace(&folder, ""))
}

/// A column of categories.
fn texts(name: &str, categories: &[&str]) -> Columns {
    let kind = ColumnKind::Categories(categories.iter().map(|text| text.to_string()).collect());
    Columns::new(vec![Column { name: name.into(), kind }]).unwrap()
}

#[test]
fn every_format_says_the_same() {
    let pets = read("pets.csv", &options("kind", &[])).unwrap();
    assert_eq!((pets.len(), pets.label_names()), (40, &["cat", "dog"].map(String::from)[..]));
    let names = ["length", "width", "legs", "age", "tame", "colour=?", "colour=blue", "colour=green"];
    assert_eq!(pets.feature_names()[..8], names);
    assert_eq!(pets.gather(&[0])[..], [1.5, 0.0, 4.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
    let columns = pets.columns().unwrap();
    let wanted: Vec<Vec<f32>> =
        FeatureRows::open(path("pets.csv"), columns).unwrap().map(Result::unwrap).collect();
    for name in SAME {
        assert_eq!(read(name, &options("kind", &[])).as_ref(), Ok(&pets), "{name}");
        let (labelled, unknown) =
            read_table_with_labels(path(name), "kind", pets.label_names(), columns).unwrap();
        assert_eq!((labelled.samples(), unknown), (pets.samples(), vec![]), "{name}");
        let rows: Vec<_> = FeatureRows::open(path(name), columns).unwrap().map(Result::unwrap).collect();
        assert_eq!(rows, wanted, "{name}");
        let format = TableFormat::of_start(&fs::read(path(name)).unwrap()).unwrap_or(TableFormat::Csv);
        let stream = FeatureRows::with_columns(File::open(path(name)).unwrap(), name, format, columns);
        assert_eq!(stream.unwrap().map(Result::unwrap).collect::<Vec<_>>(), wanted, "{name}");
    }
}

#[test]
fn what_is_not_read_is_named() {
    let message = |name: &str| read(name, &options("kind", &[])).unwrap_err();
    let codec = |name: &str, codec: &str, instead: &str| {
        format!("{name}: it is compressed with {codec}, which onebit does not read; write it with {instead}")
    };
    let parquet = "compression=\"snappy\", \"gzip\" or \"lz4\"";
    assert_eq!(message("zstd.parquet"), codec("zstd.parquet", "zstd", parquet));
    assert_eq!(message("brotli.parquet"), codec("brotli.parquet", "brotli", parquet));
    let arrow = "compression=\"lz4\" or \"uncompressed\"";
    assert_eq!(message("zstd.feather"), codec("zstd.feather", "zstd", arrow));
    let version = "it is Feather version 1, which onebit does not read; write it as version 2";
    assert_eq!(message("version1.feather"), format!("version1.feather: {version}"));
    let mut grows = FeatureRows::open(path("deltas.arrow"), &texts("x", &["a", "b"])).unwrap();
    assert!(grows.next().unwrap().is_ok() && grows.next().unwrap().is_ok());
    let error = grows.next().unwrap().unwrap_err().to_string();
    let message =
        "deltas.arrow: it has dictionaries that grow, which onebit does not read; write it without deltas";
    assert!(error.ends_with(message) && grows.next().is_none(), "{error}");
    let missing = TableOptions { missing: Missing::Refuse, ..options("kind", &[]) };
    for name in ["snappy.parquet", "lz4.feather"] {
        let place = format!("{name}, row 0, column `coat`: missing value (--missing mean fills it in)");
        assert_eq!(read(name, &missing).unwrap_err(), place);
    }
    let kinds = [
        ("types.arrow", "day", "of type Date32"),
        ("types.arrow", "time", "of type Timestamp(ms)"),
        ("types.arrow", "struct", "a list, a map or a structure"),
        ("types.arrow", "bytes", "of type Binary"),
        ("types.parquet", "half", "of numbers of 16 bits"),
        ("types.parquet", "day", "a date or a time"),
        ("types.parquet", "time", "a date or a time"),
        ("types.parquet", "list", "a list, a map or a structure"),
        ("types.parquet", "struct", "a list, a map or a structure"),
        ("types.parquet", "bytes", "of bytes"),
    ];
    for (name, column, kind) in kinds {
        let others = ["null", "half", "day", "time", "list", "struct", "bytes"];
        let drop: Vec<&str> = others.into_iter().filter(|other| *other != column).collect();
        // bytes without a name may be texts, and are when they are UTF-8
        let expected = match (name, column) {
            ("types.parquet", "bytes") => {
                let error = read(name, &options("y", &drop)).unwrap_err();
                assert!(error.starts_with("types.parquet: damaged, or no Parquet file: "), "{error}");
                continue;
            }
            _ => format!(
                "{name}: column `{column}` is {kind}: expected numbers, texts or booleans; leave it out (--drop {column})"
            ),
        };
        assert_eq!(read(name, &options("y", &drop)).unwrap_err(), expected);
    }
    let empty = read("types.arrow", &options("y", &["half", "day", "time", "list", "struct", "bytes"]));
    let no_value = "types.arrow: column `null` has no value in any row; leave it out (--drop null)";
    assert_eq!(empty.unwrap_err(), no_value);
    assert_eq!(
        read("types.arrow", &options("z", &[])).unwrap_err(),
        "types.arrow: no column `z`; the columns are \
        int8, uint64, half, decimal, large, view, dictionary, null, day, time, list, struct, bytes, y"
    );
}

#[test]
fn numbers_and_texts_of_every_type() {
    for (name, half) in [("types.arrow", false), ("types.parquet", true)] {
        let mut drop = vec!["null", "day", "time", "list", "struct", "bytes"];
        drop.extend(half.then_some("half"));
        let set = read(name, &options("y", &drop)).unwrap();
        let names = set.feature_names().join(" ").replace("half ", "");
        let expected =
            "int8 uint64 decimal large=? large=a large=b view=? view=c view=d dictionary=? dictionary=e";
        assert_eq!(names, expected);
        let mut row = set.gather(&[6]);
        if !half {
            assert_eq!(row.remove(2), 1.5);
        }
        let uint64 = ((1u64 << 63) + (6 << 40)) as f32;
        assert_eq!(row, [-14.0, uint64, -0.94, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0], "{name}");
        assert_eq!(
            (set.label_names(), set.labels()[..3].to_vec()),
            (&["0", "1"].map(String::from)[..], vec![0, 1, 0])
        );
    }
}

/// A model of texts takes the numbers of another table for texts, and the reverse is an error.
#[test]
fn columns_of_another_kind() {
    let columns = |name: &str| texts(name, &["0", "1", "true"]);
    for (column, first) in [("y", [1.0, 0.0, 0.0]), ("int8", [0.0; 3])] {
        let mut rows = FeatureRows::open(path("types.parquet"), &columns(column)).unwrap();
        assert_eq!(rows.next().unwrap().unwrap(), first);
        assert_eq!(rows.unknown().len(), usize::from(column == "int8"));
    }
    let mut tame = FeatureRows::open(path("lz4.feather"), &columns("tame")).unwrap();
    assert_eq!(tame.next().unwrap().unwrap(), [0.0, 0.0, 1.0]);
    let numbers = Columns::numbers(["colour".to_string()]).unwrap();
    let mut rows = FeatureRows::open(path("lz4.feather"), &numbers).unwrap();
    let error = rows.next().unwrap().unwrap_err().to_string();
    assert!(error.ends_with("lz4.feather, row 0, column `colour`: expected a number, got `red`"), "{error}");
}

#[test]
fn a_target_is_found_in_every_format() {
    assert_eq!(default_target(path("types.parquet")).unwrap(), "y");
    for name in SAME {
        assert!(
            matches!(default_target(path(name)), Err(DataError::Table(TableError::NoTarget { .. }))),
            "{name}"
        );
    }
}

/// What a reader of columns says of these bytes, without the name of the file.
fn complaints(bytes: &[u8], columns: &Columns) -> Vec<String> {
    let format = TableFormat::of_start(bytes).unwrap_or(TableFormat::Csv);
    let errors = match FeatureRows::with_columns(bytes, "f", format, columns) {
        Ok(rows) => rows.take(1000).filter_map(Result::err).collect(),
        Err(error) => vec![error],
    };
    let said = errors.iter().map(DataError::to_string).inspect(|error| {
        assert!(!error.contains(['\n', '\u{1b}']) && error.len() < 1000, "{error}");
    });
    said.map(|error| error.trim_start_matches("f: ").to_string()).collect()
}

/// Files that are cut off or changed are tables or errors of one line, from a file as from a stream.
#[test]
fn damaged_files_are_refused() {
    let pets = read("pets.csv", &options("kind", &[])).unwrap();
    let columns = pets.columns().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("damaged");
    let mut seen = BTreeSet::new();
    for name in ["snappy.parquet", "gzip.parquet", "lz4.feather", "stream.arrow"] {
        let bytes = fs::read(path(name)).unwrap();
        for length in (0..bytes.len()).step_by(97) {
            seen.extend(complaints(&bytes[..length], columns));
        }
        for at in 0..bytes.len() {
            for mask in [0x01, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] ^= mask;
                seen.extend(complaints(&changed, columns));
            }
        }
        fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
        if name.ends_with("parquet") {
            let error = FeatureRows::open(&file, columns).err().unwrap().to_string();
            assert!(error.contains("damaged: damaged, or no Parquet file: "), "{error}");
        }
    }
    for (format, reason) in [
        ("Arrow IPC", "it does not start with a schema"),
        ("Arrow IPC", "a message without its header"),
        ("Arrow IPC", "a dictionary of no column"),
        ("Arrow IPC", "a message that is neither rows nor a dictionary"),
        ("Arrow IPC", "a negative length"),
        ("Arrow IPC", "it ends early"),
        ("Arrow IPC", "a buffer outside of its message"),
        ("Arrow IPC", "a buffer that promises more than its bytes can hold"),
        ("Parquet", "a negative number of rows"),
        ("Parquet", "its decoder gave up"),
    ] {
        let message = format!("damaged, or no {format} file: {reason}");
        assert!(seen.contains(&message), "no change of a byte brings forth `{message}`");
    }
    for (bytes, message) in [
        (&b"ARROW1\0\0"[..], "f: damaged, or no Arrow IPC file: it ends before its schema"),
        (
            b"ARROW1\0\0\xff\xff\xff\xff\xff\xff\xff\xff",
            "f: damaged, or no Arrow IPC file: a negative length",
        ),
        (b"\xff\xff\xff\xff\x08\0\0\0\0\0", "f: damaged, or no Arrow IPC file: it ends early"),
    ] {
        let error = FeatureRows::with_columns(bytes, "f", TableFormat::Arrow, columns).err().unwrap();
        assert_eq!(error.to_string(), message);
    }
    assert_eq!(
        read("wide.parquet", &options("y", &[])).unwrap_err(),
        "wide.parquet: damaged, or no Parquet file: Parquet error: a decimal of more than 16 bytes"
    );
}

/// A buffer that says it becomes more than its bytes can hold is refused before room is made for it.
#[test]
fn a_compressed_buffer_cannot_promise_everything() {
    let bytes = fs::read(path("lz4.feather")).unwrap();
    let pets = read("pets.csv", &options("kind", &[])).unwrap();
    // the magic number of an LZ4 frame, behind eight bytes that say what it becomes
    let at = bytes.windows(4).position(|window| window == [0x04, 0x22, 0x4d, 0x18]).unwrap() - 8;
    for promise in [i64::MAX, 1 << 40] {
        let mut bytes = bytes.clone();
        bytes[at..at + 8].copy_from_slice(&promise.to_le_bytes());
        let rows = FeatureRows::with_columns(&bytes[..], "f", TableFormat::Arrow, pets.columns().unwrap());
        let error = rows.unwrap().next().unwrap().unwrap_err().to_string();
        let message = "f: damaged, or no Arrow IPC file: a buffer that promises more than its bytes can hold";
        assert_eq!(error, message);
    }
}
