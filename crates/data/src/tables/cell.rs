//! Cells and rows of tables, independent of the file format.

use std::borrow::Cow;

use crate::{
    dataset::first_duplicate,
    error::{DataError, TableError, shown},
};

/// Texts that mean a missing value: those of pandas, and the `?` of the UCI repository.
const MISSING: [&str; 13] =
    ["", "?", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "Null", "None", "<NA>", "#N/A"];

/// A cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Missing,
    /// A nonempty text, possibly of a number.
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

    /// A number cell; NaN means missing.
    #[cfg(feature = "columnar")]
    pub(crate) fn of_real(number: f64) -> Self {
        if number.is_nan() { Cell::Missing } else { Cell::Real(number) }
    }

    /// The name of a class or category; `None` if the value is missing.
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

    /// The number, finite or not; `None` if the value is missing or another text.
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
    /// The name of the file in messages.
    fn file(&self) -> &str;

    /// The column names, which are unique except for empty ones.
    fn columns(&self) -> &[String];

    /// Selects the columns whose cells will be read; others may be skipped.
    ///
    /// # Errors
    /// [`TableError::ColumnType`] for a column of an unsupported type.
    fn select(&mut self, columns: &[usize]) -> Result<(), DataError>;

    /// Moves to the next row; returns false after the last one.
    fn advance(&mut self) -> Result<bool, DataError>;

    /// A cell of the current row.
    fn cell(&self, column: usize) -> Cell<'_>;

    /// File, row and column of a cell of the current row, for messages.
    fn place(&self, column: usize) -> String;
}

/// Refuses two columns with the same name.
pub(crate) fn check_names(file: &str, names: &[String]) -> Result<(), DataError> {
    match first_duplicate(names.iter().filter(|name| !name.is_empty())) {
        Some(twice) => Err(DataError::Duplicate { name: file.into(), what: "column", twice }),
        None => Ok(()),
    }
}

/// The finite number in a cell of the current row.
pub(crate) fn number(rows: &dyn Rows, column: usize, cell: Cell) -> Result<f32, DataError> {
    let value = || shown(&cell.name().unwrap_or_default());
    match cell.number() {
        Some(number) if number.is_finite() => Ok(number),
        Some(_) => Err(DataError::NotFinite { place: rows.place(column), value: value() }),
        None => Err(TableError::NotANumber { place: rows.place(column), value: value() }.into()),
    }
}
