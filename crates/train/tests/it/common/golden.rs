//! Numbers of a file of cases, as matrices.

pub(crate) use onebit_testing::golden::{case, number, numbers, reals};
use onebit_train::Matrix;
use serde_json::Value as Json;

use super::matrix;

/// A list of rows, or one row.
pub(crate) fn table(json: &Json) -> Matrix {
    let values = reals(json);
    let rows = if json[0].is_array() { json.as_array().map_or(0, Vec::len) } else { 1 };
    matrix(rows, values.len() / rows, values)
}
