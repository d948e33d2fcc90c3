//! Columns of raw tables: what becomes of a row, and what a file says about them.

use onebit_model::{Column, ColumnKind, Columns, Field, Model};

use super::{
    forged::{Forged, crc32},
    tiny,
};

fn number(name: &str, missing: Option<f32>) -> Column {
    Column { name: name.into(), kind: ColumnKind::Number { missing } }
}

fn categories(name: &str, categories: &[&str]) -> Column {
    let categories = categories.iter().map(|category| category.to_string()).collect();
    Column { name: name.into(), kind: ColumnKind::Categories(categories) }
}

/// The two features of the tiny model as one column of categories, or as two of numbers.
fn models() -> [Model; 2] {
    [vec![categories("colour", &["", "red"])], vec![number("width", Some(2.5)), number("height", None)]]
        .map(|columns| tiny::model().with_columns(Some(Columns::new(columns).unwrap())).unwrap())
}

fn forged(model: usize, change: impl FnOnce(&mut Forged)) -> Result<Model, String> {
    let mut forged = Forged::from_sound(&models()[model].to_bytes());
    change(&mut forged);
    Model::from_bytes(&forged.bytes()).map_err(|error| error.to_string())
}

#[test]
fn rows_become_features() {
    let columns = Columns::new(vec![
        number("width", Some(2.5)),
        categories("colour", &["", "blue", "red"]),
        number("height", None),
    ])
    .unwrap();
    assert_eq!(columns.feature_names(), ["width", "colour=?", "colour=blue", "colour=red", "height"]);
    let (mut unknown, mut x) = (Vec::new(), [9.0; 5]);
    let mut encode = |row: [Field; 3]| {
        let done = columns.encode(&row, &mut x, |column| unknown.push(column));
        done.map(|()| x).map_err(|error| error.to_string())
    };
    use Field::{Missing, Number, Text};
    assert_eq!(encode([Number(1.0), Text("red"), Number(-1.0)]), Ok([1.0, 0.0, 0.0, 1.0, -1.0]));
    assert_eq!(encode([Missing, Missing, Number(3.0)]), Ok([2.5, 1.0, 0.0, 0.0, 3.0]));
    assert_eq!(encode([Missing, Text("green"), Number(3.0)]), Ok([2.5, 0.0, 0.0, 0.0, 3.0]));
    for (row, message) in [
        ([Missing, Missing, Missing], "column `height`: expected a number, got none"),
        ([Text("1"), Missing, Number(0.0)], "column `width`: expected a number, got a text"),
        (
            [Number(f32::NAN), Missing, Number(0.0)],
            "column `width`: expected a finite number, got NaN or an infinity",
        ),
        ([Missing, Number(1.0), Number(0.0)], "column `colour`: expected a text, got a number"),
    ] {
        assert_eq!(encode(row), Err(message.into()));
    }
    assert_eq!(unknown, [1]);
    let plain = Columns::new(vec![categories("colour", &["red"])]).unwrap();
    let wrong = |row: &[Field], x: &mut [f32]| plain.encode(row, x, |_| {}).unwrap_err().to_string();
    assert_eq!(wrong(&[Missing], &mut [0.0]), "column `colour`: expected a text, got none");
    assert_eq!(wrong(&[], &mut [0.0]), "fields: expected 1, got 0");
    assert_eq!(wrong(&[Missing], &mut []), "features: expected 1, got 0");
}

#[test]
fn columns_that_cannot_be() {
    let refused = |columns| Columns::new(columns).unwrap_err().to_string();
    assert_eq!(refused(vec![]), "columns (at least): expected 1, got 0");
    let twice = vec![number("x", None), categories("x", &["a"])];
    assert_eq!(refused(twice), "column `x`: another column has the same name");
    let infinite = vec![number("x", Some(f32::INFINITY))];
    assert_eq!(refused(infinite), "column `x`: its fill value for missing numbers is not finite");
    assert_eq!(refused(vec![categories("x", &[])]), "column `x`: it has no categories");
    for unsorted in [["b", "a"], ["a", "a"]] {
        let message = "column `x`: its categories are not sorted, or not distinct";
        assert_eq!(refused(vec![categories("x", &unsorted)]), message);
    }
    let three = Columns::numbers(["x", "y", "z"].map(String::from)).unwrap();
    assert!(three.are_plain() && !models()[1].columns().unwrap().are_plain());
    let error = tiny::model().with_columns(Some(three)).unwrap_err().to_string();
    assert_eq!(error, "features of the columns: expected 2, got 3");
}

#[test]
fn their_bytes_stay_what_they_are() {
    for (model, sum) in models().into_iter().zip(["2187 577529c9", "2056 52ee28d9"]) {
        let bytes = model.to_bytes();
        assert_eq!(bytes[8..12], [5, 0, 0, 0]);
        assert_eq!(Model::from_bytes(&bytes).unwrap(), model);
        assert_eq!((model.size().total, model.size().columns > 0), (bytes.len(), true));
        assert_eq!(format!("{} {:08x}", bytes.len(), crc32(&bytes)), sum);
    }
}

#[test]
fn columns_need_version_5_and_nothing_else_has_it() {
    // to an older version it is a tensor of a name that is not known
    assert_eq!(forged(0, |f| f.version = 1), Ok(tiny::model()));
    let mut newer = Forged::from_sound(&tiny::bytes());
    newer.version = 5;
    let refused = Model::from_bytes(&newer.bytes()).unwrap_err().to_string();
    assert_eq!(refused, "header: version 5 of the format, but no columns");
}

#[test]
fn what_a_file_can_say_that_is_wrong() {
    let with = |model: usize, tensor: &str, data: &[u8]| {
        forged(model, |f| f.tensor(tensor).data = data.to_vec()).unwrap_err()
    };
    let bits = |values: [u32; 2]| values.map(u32::to_le_bytes).concat();
    let prescribed = "columns: a negative count, or a fill value that the format does not allow";
    assert_eq!(with(0, "columns.categories", &[255; 4]), prescribed);
    assert_eq!(with(0, "columns.missing", &1f32.to_le_bytes()), prescribed);
    assert_eq!(with(1, "columns.missing", &bits([0, 0x7fc0_0001])), prescribed);
    let infinite = "column `width`: its fill value for missing numbers is not finite";
    assert_eq!(with(1, "columns.missing", &bits([0x7f80_0000, 0x7fc0_0000])), infinite);
    let more = "tensor `categories`: expected Text of 3 x 1, got Text of 2 x 1";
    assert_eq!(with(0, "columns.categories", &3i32.to_le_bytes()), more);
    let fewer = forged(0, |f| f.tensor("columns.categories").data = vec![0; 4]).unwrap_err();
    assert_eq!(fewer, "features of the columns: expected 2, got 1");
    let much = with(1, "columns.categories", &bits([i32::MAX as u32; 2]));
    assert!(much.starts_with("columns: "), "{much}");
    let gone = forged(0, |f| f.tensors.retain(|t| t.name != b"columns.missing")).unwrap_err();
    assert_eq!(gone, "tensor `columns.missing`: expected F32 of 1 x 1, got nothing");
    let none = forged(0, |f| {
        for name in ["columns", "columns.categories", "columns.missing"] {
            let tensor = f.tensor(name);
            tensor.data.clear();
            if name == "columns" { tensor.rows = 0 } else { tensor.cols = 0 }
        }
    });
    assert_eq!(none.unwrap_err(), "columns (at least): expected 1, got 0");
}

#[test]
fn a_header_in_c_says_that_features_come_from_columns() {
    let said = |model: &Model| model.to_c("m").unwrap().header.contains("the columns of a raw table");
    assert!(said(&models()[0]) && !said(&tiny::model()));
}
