//! Errors of tables.

use thiserror::Error;

use super::remedy::Remedy;

/// An error in a table, or in its use with a model.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TableError {
    // === the file ===
    /// The file is in a format, or uses a part of one, that this reader does not support.
    #[error("{file}: {what}")]
    Unsupported {
        /// Path of the file.
        file: String,
        /// What is not supported, and what to do.
        what: String,
    },
    /// The file violates its format.
    #[error("{file}: damaged, or no {format} file: {reason}")]
    Damaged {
        /// Path of the file.
        file: String,
        /// The format.
        format: &'static str,
        /// The message of the decoder.
        reason: String,
    },

    // === the header ===
    /// The file has no header line.
    #[error("{file}: expected a header line with the column names, got an empty file")]
    Empty {
        /// Path of the file.
        file: String,
    },
    /// The first line has numbers instead of column names.
    #[error(
        "{file}: expected a header line with the column names, got only numbers: {columns}; put one before it"
    )]
    NoHeader {
        /// Path of the file.
        file: String,
        /// The first line.
        columns: String,
    },
    /// No column has this name.
    #[error("{file}: no column `{column}`; the columns are {columns}")]
    NoColumn {
        /// Path of the file.
        file: String,
        /// The name.
        column: String,
        /// The columns of the file.
        columns: String,
    },
    /// A column has no name, as the row numbers that some programs write.
    #[error("{file}: column {column} has no name")]
    Unnamed {
        /// Path of the file.
        file: String,
        /// Position of the column, from 1.
        column: usize,
    },
    /// Columns that a model needs are not in the file.
    #[error("{file}: missing column {missing}; the model needs {wanted} columns, the file has {got}")]
    MissingColumns {
        /// Path of the file.
        file: String,
        /// The missing columns.
        missing: String,
        /// Number of columns that the model needs.
        wanted: usize,
        /// Number of columns in the file.
        got: usize,
    },

    // === a row ===
    /// A row has more or fewer fields than the header.
    #[error("{file}, line {line}: expected {expected} fields, got {got}")]
    Ragged {
        /// Path of the file.
        file: String,
        /// Line, from 1.
        line: u64,
        /// Number of columns in the header.
        expected: usize,
        /// Number of fields in the row.
        got: usize,
    },
    /// A row is too long, such as a stream without line feeds.
    #[error("{file}, line {line}: expected a row of at most {limit} bytes, got more")]
    LongRow {
        /// Path of the file.
        file: String,
        /// Line, from 1.
        line: u64,
        /// Maximum size of a row in bytes.
        limit: u64,
    },

    // === a cell ===
    /// A cell is empty or marks its value as missing.
    #[error("{place}: missing value")]
    Missing {
        /// File, line and column.
        place: String,
    },
    /// A cell is missing in a column of a model that was trained without missing values.
    #[error("{place}: missing value, which the model was not trained to fill in")]
    MissingForModel {
        /// File, line and column.
        place: String,
    },
    /// The cell with the class of a row is missing.
    #[error("{place}: missing value: a row needs its class")]
    MissingLabel {
        /// File, line and column.
        place: String,
    },
    /// A cell in a column of numbers is text.
    #[error("{place}: expected a number, got `{value}`")]
    NotANumber {
        /// File, line and column.
        place: String,
        /// The cell.
        value: String,
    },
    /// A label is not one of the model's.
    #[error("{place}: unknown label `{label}`; the model knows {known}")]
    UnknownLabel {
        /// File, line and column.
        place: String,
        /// The label.
        label: String,
        /// The labels of the model.
        known: String,
    },

    // === a feature column ===
    /// No cell of a column has a value.
    #[error("{file}: column `{column}` has no value in any row")]
    NoValue {
        /// Path of the file.
        file: String,
        /// The column.
        column: String,
    },
    /// A text column has too many distinct texts to be categories.
    #[error("{file}: column `{column}` has more than {limit} different texts")]
    Categories {
        /// Path of the file.
        file: String,
        /// The column.
        column: String,
        /// Maximum number of categories.
        limit: usize,
    },
    /// A text column has a different text in nearly every row, like a name or a key.
    #[error(
        "{file}: column `{column}` has {different} different texts in {rows} rows, as an identifier does: \
         nothing can be learned from it"
    )]
    Identifier {
        /// Path of the file.
        file: String,
        /// The column.
        column: String,
        /// Number of different texts.
        different: usize,
        /// Number of rows that have a text.
        rows: usize,
    },
    /// The type of a column is neither number, text nor boolean.
    #[error("{file}: column `{column}` is {kind}: expected numbers, texts or booleans")]
    ColumnType {
        /// Path of the file.
        file: String,
        /// The column.
        column: String,
        /// Its type.
        kind: String,
    },

    // === the target column ===
    /// No target column is named, and none can be guessed.
    #[error("{file}: cannot tell which column holds the class; the columns are {columns}")]
    NoTarget {
        /// Path of the file.
        file: String,
        /// The columns of the file.
        columns: String,
    },
    /// No target column is named, and guessing it would consume the stream.
    #[error("{file}: expected the name of the column with the class, because a stream can be read only once")]
    StreamTarget {
        /// Path of the stream.
        file: String,
    },
    /// The target column holds a quantity, not classes.
    #[error(
        "{file}: column `{column}` has {different} different numbers in {rows} rows: expected classes, not a \
         quantity to estimate; make a few classes of it, such as low and high, or choose another column"
    )]
    Regression {
        /// Path of the file.
        file: String,
        /// The target column.
        column: String,
        /// Number of different numbers.
        different: usize,
        /// Number of rows.
        rows: usize,
    },
    /// The target column has a different text in nearly every row.
    #[error(
        "{file}: column `{column}` has {different} different texts in {rows} rows: expected classes; \
         choose another column"
    )]
    TooManyClasses {
        /// Path of the file.
        file: String,
        /// The target column.
        column: String,
        /// Number of different texts.
        different: usize,
        /// Number of rows.
        rows: usize,
    },
    /// All rows have the same label.
    #[error("{file}: expected at least two classes in column `{column}`, got only `{label}`")]
    OneClass {
        /// Path of the file.
        file: String,
        /// The target column.
        column: String,
        /// The label.
        label: String,
    },
    /// Two labels are different texts for one number.
    #[error("{file}: labels `{first}` and `{second}` in column `{column}` are the same number")]
    SameNumber {
        /// Path of the file.
        file: String,
        /// The target column.
        column: String,
        /// One label.
        first: String,
        /// The other label.
        second: String,
    },
}

impl TableError {
    /// What a user can do about the error, if there is a single obvious thing.
    pub fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::Unnamed { .. } => Some(Remedy::DropColumn(String::new())),
            Self::NoValue { column, .. }
            | Self::Categories { column, .. }
            | Self::Identifier { column, .. }
            | Self::ColumnType { column, .. } => Some(Remedy::DropColumn(column.clone())),
            Self::Missing { .. } => Some(Remedy::FillMissing),
            Self::MissingForModel { .. } => Some(Remedy::TrainToFillMissing),
            Self::NoTarget { .. }
            | Self::StreamTarget { .. }
            | Self::Regression { .. }
            | Self::TooManyClasses { .. } => Some(Remedy::NameTarget),
            _ => None,
        }
    }
}
