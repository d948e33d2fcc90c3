//! The errors of this crate.
//!
//! | file | contents |
//! |---|---|
//! | `mod` | [`DataError`]: files, data sets, arrays, published sets |
//! | `table`, `image` | the errors of tables and of images |
//! | `remedy` | what a user can do about an error |
//! | `shown` | texts from files in messages |

use std::io;

use thiserror::Error;

mod image;
mod remedy;
mod shown;
mod table;

pub use image::ImageError;
pub use remedy::Remedy;
#[cfg(feature = "columnar")]
pub(crate) use shown::shortened;
pub(crate) use shown::{listed, shown};
pub use table::TableError;

/// An error in a data set, or in a file that should contain one.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// An error in a table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// An error in a file or folder of images.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// An error of the kernels.
    #[error(transparent)]
    Bits(#[from] onebit_bits::Error),

    // === settings ===
    /// A setting is outside its range.
    #[error("{name}: expected {expected}, got {got}")]
    Setting {
        /// The setting.
        name: String,
        /// Its range, in words.
        expected: String,
        /// The value that was given.
        got: String,
    },
    /// Data have another shape than those that a step was fitted to.
    #[error("{op}: expected {expected}, got {got}")]
    Shape {
        /// The operation.
        op: &'static str,
        /// The shape that it takes.
        expected: String,
        /// The shape that was given.
        got: String,
    },

    // === files and folders ===
    /// A file cannot be opened.
    #[error("cannot open {file}: {reason}")]
    Open {
        /// Path of the file.
        file: String,
        /// The message of the operating system.
        reason: io::Error,
    },
    /// An opened file cannot be read to its end, e.g. because its gzip stream is damaged.
    #[error("cannot read {file}: {reason}")]
    Read {
        /// Path of the file.
        file: String,
        /// The message of the operating system or the decoder.
        reason: io::Error,
    },
    /// A file is larger than this reader accepts, possibly only after decompression.
    #[error("{file}: expected at most {limit} bytes, got more")]
    Oversize {
        /// Path of the file.
        file: String,
        /// Maximum size in bytes, after decompression.
        limit: u64,
    },
    /// A folder has no file of any of the expected names.
    #[error("{dir}: none of the files {tried}")]
    NoFile {
        /// The folder.
        dir: String,
        /// The expected names.
        tried: String,
    },
    /// A line is not UTF-8.
    #[error("{file}, line {line}, field {field}: expected UTF-8 text")]
    NotText {
        /// Path of the file.
        file: String,
        /// Line, from 1.
        line: u64,
        /// Field in the line, from 1.
        field: usize,
    },
    /// A file or an array ends early.
    #[error("{file}: truncated: expected {expected} bytes, got {got}")]
    Truncated {
        /// Path of the file.
        file: String,
        /// Size that the header promises in bytes, header included, after decompression.
        expected: u64,
        /// Size of the file in bytes.
        got: u64,
    },
    /// A file or an array has bytes after its end.
    #[error("{file}: trailing bytes: expected {expected} bytes, got more")]
    Trailing {
        /// Path of the file.
        file: String,
        /// Size that the header promises in bytes, header included, after decompression.
        expected: u64,
    },

    // === data sets ===
    /// Two parts of a data set have different lengths.
    #[error("data set: expected {expected} {what}, got {got}")]
    Length {
        /// What is counted.
        what: String,
        /// The expected number.
        expected: usize,
        /// The number that was given.
        got: usize,
    },
    /// A data set has no rows.
    #[error("{name}: expected at least one row, got none")]
    NoRows {
        /// The file or the data set.
        name: String,
    },
    /// A data set has no features.
    #[error("{name}: expected at least one feature column, got none")]
    NoFeatures {
        /// The file or the data set.
        name: String,
    },
    /// A name that must be unique occurs twice.
    #[error("{name}: {what} `{twice}` appears twice")]
    Duplicate {
        /// The file or the data set.
        name: String,
        /// "class", "column", "feature" or "array".
        what: &'static str,
        /// The name that occurs twice.
        twice: String,
    },
    /// A label has no class.
    #[error("row {row}: expected a label below {classes}, the number of classes, got {label}")]
    Label {
        /// Row, from 0.
        row: usize,
        /// The label.
        label: u32,
        /// Number of classes.
        classes: usize,
    },
    /// A part of a split would be empty, or the share to hold out is not a share.
    #[error("cannot hold out {wanted} of {rows} rows: each part needs at least one")]
    Split {
        /// What was to be held out, in words.
        wanted: String,
        /// Number of rows.
        rows: usize,
    },
    /// A value is infinite, NaN, or too large for an f32.
    #[error("{place}: expected a finite number, got `{value}`")]
    NotFinite {
        /// File, line and column; or row and feature, from 0.
        place: String,
        /// The value.
        value: String,
    },
    /// Whitening failed: the eigenvalues of the covariance were not found.
    #[error("cannot whiten: the eigenvalues of the covariance do not converge")]
    Eigenvalues,

    // === arrays ===
    /// A part of an array is not as expected.
    #[error("{name}: {what}: expected {expected}, got {got}")]
    Array {
        /// Path of the file; in an archive also the array.
        name: String,
        /// The part of the file or of the array.
        what: String,
        /// The expected value.
        expected: String,
        /// The actual value.
        got: String,
    },
    /// An archive or a folder lacks an array.
    #[error("{file}: no array `{array}`; the arrays are {arrays}")]
    NoArray {
        /// Path of the archive or the folder.
        file: String,
        /// The missing array.
        array: String,
        /// The arrays of the archive or the folder.
        arrays: String,
    },

    // === published sets ===
    /// A published set is not in the data folder.
    #[error("{set} is not in {dir}")]
    NotFetched {
        /// Its name.
        set: &'static str,
        /// The folder in which it would be.
        dir: String,
    },
    /// No folder for published sets is known.
    #[error("no folder for data: set {variable}, since no home folder is known")]
    NoHome {
        /// The environment variable.
        variable: &'static str,
    },
}

impl DataError {
    /// What a user can do about the error, if there is a single obvious thing.
    pub fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::Table(error) => error.remedy(),
            Self::NotFetched { set, .. } => Some(Remedy::Download(set)),
            _ => None,
        }
    }

    /// A setting outside its range.
    pub(crate) fn setting(name: impl ToString, expected: impl ToString, got: impl ToString) -> Self {
        Self::Setting { name: name.to_string(), expected: expected.to_string(), got: got.to_string() }
    }

    /// Data of another shape than those that a step was fitted to.
    pub(crate) fn shape(op: &'static str, expected: impl ToString, got: impl ToString) -> Self {
        Self::Shape { op, expected: expected.to_string(), got: got.to_string() }
    }
}
