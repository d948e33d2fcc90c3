//! Header lines: whether a line is one, and the choice of columns by name.

use std::collections::HashMap;

use crate::error::{DataError, TableError, listed};

/// Whether a line has numbers instead of names. Numbers that count the columns are names.
pub(crate) fn is_no_header(names: &[String]) -> bool {
    let counts = |from: usize| names.iter().zip(from..).all(|(name, number)| *name == number.to_string());
    names.iter().all(|name| name.parse::<f32>().is_ok()) && !counts(0) && !counts(1)
}

/// The column of each wanted feature: by name, otherwise by position.
pub(crate) fn choose(file: &str, columns: &[&String], wanted: &[&String]) -> Result<Vec<usize>, DataError> {
    // Unlike `collect`, this does not reserve a place for each column: a header of commas has a single name.
    let mut places = HashMap::new();
    for (at, name) in columns.iter().enumerate() {
        places.insert(*name, at);
    }
    let found: Vec<Option<usize>> = wanted.iter().map(|name| places.get(*name).copied()).collect();
    if let Some(by_name) = found.iter().copied().collect() {
        return Ok(by_name);
    }
    // A wanted name in another position means that the columns are in another order.
    let in_place = found.iter().enumerate().all(|(at, place)| place.is_none_or(|place| place == at));
    if columns.len() == wanted.len() && in_place {
        return Ok((0..wanted.len()).collect());
    }
    let missing = wanted.iter().zip(&found).filter(|(_, place)| place.is_none());
    let missing: Vec<String> = missing.map(|(name, _)| name.to_string()).collect();
    Err(TableError::MissingColumns {
        file: file.to_string(),
        missing: listed(missing.iter()),
        wanted: wanted.len(),
        got: columns.len(),
    }
    .into())
}
