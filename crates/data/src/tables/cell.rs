//! Cells of tables, whatever a table is written in.

use std::borrow::Cow;

use crate::{
    dataset::first_duplicate,
    error::{DataError, TableError, shown},
};

/// What text files write where a value is missing, as pandas reads them, and the `?` of the UCI repository.
const MISSING: [&str; 13] =
    ["", "?", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "Null", "None", "<NA>", "#N/A"];

/// One cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Missing,
    /// A text that is not empty; it may be that of a number.
    Text(&'a str),
    #[cfg_attr(not(feature = "columnar"), allow(dead_code, reason = "text files have only texts"))]
    Integer(i128),
    #[cfg_attr(not(feature = "columnar"), allow(dead_code, reason = "the same"))]
    Real(f64),
    #[cfg_attr(not(feature = "columnar"), allow(dead_code, reason = "the same"))]
    Bool(bool),
}

impl<'a> Cell<'a> {
    /// A cell of a text file.
    pub(crate) fn of_text(text: &'a str) -> Self {
        if MISSING.contains(&text) { Cell::Missing } else { Cell::Text(text) }
    }

    /// A number; what is none says that it is missing.
    #[cfg(feature = "columnar")]
    pub(crate) fn of_real(number: f64) -> Self {
        if number.is_nan() { Cell::Missing } else { Cell::Real(number) }
    }

    /// A cell as the name of a class or a category, nothing if it is missing.
    pub(crate) fn name(self) -> Option<Cow<'a, str>> {
        Some(match self {
            Cell::Missing => return None,
            Cell::Text(text) => text.into(),
            Cell::Integer(number) => number.to_string().into(),
            Cell::Real(number) => number.to_string().into(),
            Cell::Bool(true) => "true".into(),
            Cell::Bool(false) => "false".into(),
        })
    }

    /// A cell as a number, finite or not; nothing if it is a text of something else or missing.
    pub(crate) fn number(self) -> Option<f32> {
        match self {
            Cell::Missing => None,
            Cell::Text(text) => text.parse().ok(),
            Cell::Integer(number) => Some(number as f32),
            Cell::Real(number) => Some(number as f32),
            Cell::Bool(bit) => Some(u8::from(bit).into()),
        }
    }
}

/// A table, row by row.
pub(crate) trait Rows {
    /// How messages call the file.
    fn file(&self) -> &str;

    /// The names of the columns: unique, but for empty ones.
    fn columns(&self) -> &[String];

    /// Says which columns will be asked for; others need not be read.
    ///
    /// # Errors
    /// [`TableError::ColumnType`] for one whose type this crate does not read.
    fn select(&mut self, columns: &[usize]) -> Result<(), DataError>;

    /// Goes to the next row; false behind the last.
    fn advance(&mut self) -> Result<bool, DataError>;

    /// A cell of the current row.
    fn cell(&self, column: usize) -> Cell<'_>;

    /// File, row and column.
    fn place(&self, column: usize) -> String;
}

/// Refuses two columns of one name.
pub(crate) fn check_names(file: &str, names: &[String]) -> Result<(), DataError> {
    match first_duplicate(names.iter().filter(|name| !name.is_empty())) {
        Some(twice) => Err(DataError::Duplicate { name: file.into(), what: "column", twice }),
        None => Ok(()),
    }
}

/// A finite number of the current row.
pub(crate) fn number(rows: &dyn Rows, column: usize, cell: Cell) -> Result<f32, DataError> {
    let value = || shown(&cell.name().unwrap_or_default());
    match cell.number() {
        Some(number) if number.is_finite() => Ok(number),
        Some(_) => Err(DataError::NotFinite { place: rows.place(column), value: value() }),
        None => Err(TableError::NotANumber { place: rows.place(column), value: value() }.into()),
    }
}
