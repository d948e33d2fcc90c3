//! Numbers of a file of cases.
//!
//! A key or step that the file does not have reads as null, and null is not a number: such a test fails.

use onebit_train::Matrix;
use serde_json::Value as Json;

use super::matrix;

/// One case of a file.
pub(crate) fn case(file: &str, name: &str) -> Json {
    let mut cases: Json = serde_json::from_str(file).expect("the file is JSON");
    cases[name].take()
}

pub(crate) fn number(json: &Json) -> f64 {
    json.as_f64().expect("a number; is the key right?")
}

/// All numbers of nested lists, in order.
pub(crate) fn numbers(json: &Json) -> Vec<f64> {
    match json {
        Json::Array(list) => list.iter().flat_map(numbers).collect(),
        json => vec![number(json)],
    }
}

/// The same in f32.
pub(crate) fn reals(json: &Json) -> Vec<f32> {
    numbers(json).into_iter().map(|x| x as f32).collect()
}

/// A list of rows, or one row.
pub(crate) fn table(json: &Json) -> Matrix {
    let values = reals(json);
    let rows = if json[0].is_array() { json.as_array().map_or(0, Vec::len) } else { 1 };
    matrix(rows, values.len() / rows, values)
}
