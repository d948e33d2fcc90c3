//! The error type of the data readers.

use std::{fs::File, io, path::Path};

use thiserror::Error;

/// What can be wrong with a data set or with a file that should hold one.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
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
    /// A data set has another number of features than a step that was fitted to data.
    #[error("{op}: expected {expected}, got {got}")]
    Shape {
        /// The operation.
        op: &'static str,
        /// The shape that it takes.
        expected: String,
        /// The shape that was given.
        got: String,
    },
    /// An error of the kernels.
    #[error(transparent)]
    Bits(#[from] onebit_bits::Error),

    // === files ===
    /// A file cannot be opened.
    #[error("cannot open {file}: {reason}")]
    Open {
        /// Path of the file.
        file: String,
        /// What the system says.
        reason: io::Error,
    },
    /// A file was opened but cannot be read to its end, e.g. because its gzip stream is damaged.
    #[error("cannot read {file}: {reason}")]
    Read {
        /// Path of the file.
        file: String,
        /// What the system or the decoder says.
        reason: io::Error,
    },

    /// A file is larger than this reader accepts, or swells to more.
    #[error("{file}: expected at most {limit} bytes, got more")]
    Oversize {
        /// Path of the file.
        file: String,
        /// Bytes that this reader accepts, after decompression.
        limit: u64,
    },

    // === data sets ===
    /// Parts of a data set that should be equally long are not.
    #[error("data set: expected {expected} {what}, got {got}")]
    Length {
        /// What is counted.
        what: String,
        /// Entries that would have fitted.
        expected: usize,
        /// Entries given.
        got: usize,
    },
    /// There is nothing to learn from.
    #[error("{name}: expected at least one row, got none")]
    NoRows {
        /// The file or the data set.
        name: String,
    },
    /// There is nothing to learn with.
    #[error("{name}: expected at least one feature column, got none")]
    NoFeatures {
        /// The file or the data set.
        name: String,
    },
    /// A name that should be unique is given twice.
    #[error("{name}: {what} `{twice}` appears twice")]
    Duplicate {
        /// The file or the data set.
        name: String,
        /// "class", "column", "feature" or "array".
        what: &'static str,
        /// The name that appears twice.
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
    /// A part of a split would be empty, or the share is no share.
    #[error("cannot hold out {wanted} of {rows} rows: each part needs at least one")]
    Split {
        /// What was to be held out, in words.
        wanted: String,
        /// Rows there are.
        rows: usize,
    },

    // === tables ===
    /// A file holds no header line.
    #[error("{file}: expected a header line with the column names, got an empty file")]
    Empty {
        /// Path of the file.
        file: String,
    },
    /// The first line of a file holds numbers where the column names should be.
    #[error(
        "{file}: expected a header line with the column names, got only numbers: {columns}; put one before it"
    )]
    NoHeader {
        /// Path of the file.
        file: String,
        /// The first line.
        columns: String,
    },
    /// No column has the name of the target.
    #[error("{file}: no column `{column}`; the columns are {columns}")]
    NoColumn {
        /// Path of the file.
        file: String,
        /// The column that was asked for.
        column: String,
        /// The columns there are.
        columns: String,
    },
    /// A column has no name, as the row numbers that some programs write have none.
    #[error("{file}: column {column} has no name; name it, or leave it out (--drop '')")]
    Unnamed {
        /// Path of the file.
        file: String,
        /// Position of the column, from 1.
        column: usize,
    },
    /// Features that a model wants are not in the file.
    #[error("{file}: missing column {missing}; the model wants {wanted} columns, the file has {got}")]
    MissingColumns {
        /// Path of the file.
        file: String,
        /// The features that are missing.
        missing: String,
        /// Number of features wanted.
        wanted: usize,
        /// Number of columns in the file.
        got: usize,
    },
    /// A row is shorter or longer than the header.
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
    /// A row does not end where it should.
    #[error("{file}, line {line}: expected a row of at most {limit} bytes, got more")]
    LongRow {
        /// Path of the file.
        file: String,
        /// Line, from 1.
        line: u64,
        /// Bytes in a row that this reader accepts.
        limit: u64,
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
    /// A cell is empty, or says that its value is missing.
    #[error("{place}: missing value{hint}")]
    Missing {
        /// File, line and column.
        place: String,
        /// What can be done, in words.
        hint: &'static str,
    },
    /// No cell of a column has a value.
    #[error("{file}: column `{column}` has no value in any row; leave it out (--drop {column})")]
    NoValue {
        /// Path of the file.
        file: String,
        /// The column.
        column: String,
    },
    /// A column of texts has more different ones than there can be categories.
    #[error(
        "{file}: column `{column}` has more than {limit} different texts; leave it out (--drop {column})"
    )]
    Categories {
        /// Path of the file.
        file: String,
        /// The column.
        column: String,
        /// Categories that this reader accepts.
        limit: usize,
    },
    /// A column of texts has a different one in nearly every row, as names and keys do.
    #[error(
        "{file}: column `{column}` has {different} different texts in {rows} rows, as an identifier does: \
         nothing can be learned from it; leave it out (--drop {column})"
    )]
    Identifier {
        /// Path of the file.
        file: String,
        /// The column.
        column: String,
        /// Number of different texts.
        different: usize,
        /// Rows that have a text.
        rows: usize,
    },
    /// The type of a column is none that a feature or a class can have.
    #[error(
        "{file}: column `{column}` is {kind}: expected numbers, texts or booleans; leave it out (--drop {column})"
    )]
    ColumnType {
        /// Path of the file.
        file: String,
        /// The column.
        column: String,
        /// Its type.
        kind: String,
    },
    /// A file is in a format, or uses a part of it, that this reader does not know.
    #[error("{file}: {what}")]
    Unsupported {
        /// Path of the file.
        file: String,
        /// What is not known, and what to do.
        what: String,
    },
    /// A file is not as its format prescribes.
    #[error("{file}: damaged, or no {format} file: {reason}")]
    Damaged {
        /// Path of the file.
        file: String,
        /// The format.
        format: &'static str,
        /// What the decoder says.
        reason: String,
    },
    /// It is not known which column holds the classes.
    #[error("{file}: which column holds the class? --target COLUMN says so; the columns are {columns}")]
    NoTarget {
        /// Path of the file.
        file: String,
        /// The columns there are.
        columns: String,
    },
    /// The target has numbers that are no classes.
    #[error(
        "{file}: column `{column}` has {different} different numbers in {rows} rows: onebit tells classes apart and \
         estimates no numbers; make a few classes of them, such as low and high, or name another column (--target COLUMN)"
    )]
    Regression {
        /// Path of the file.
        file: String,
        /// The target.
        column: String,
        /// Number of different numbers.
        different: usize,
        /// Number of rows.
        rows: usize,
    },
    /// The target has a different text in nearly every row.
    #[error(
        "{file}: column `{column}` has {different} different texts in {rows} rows: these are no classes; \
         name another column (--target COLUMN)"
    )]
    TooManyClasses {
        /// Path of the file.
        file: String,
        /// The target.
        column: String,
        /// Number of different texts.
        different: usize,
        /// Number of rows.
        rows: usize,
    },
    /// A feature is not a number, but others in its column are.
    #[error("{place}: expected a number, got `{value}`")]
    NotANumber {
        /// File, line and column.
        place: String,
        /// The cell.
        value: String,
    },
    /// A feature is infinite, not a number in the sense of IEEE 754, or too large for an f32.
    #[error("{place}: expected a finite number, got `{value}`")]
    NotFinite {
        /// File, line and column; or row and feature, from 0.
        place: String,
        /// The cell.
        value: String,
    },
    /// All rows have the same label.
    #[error("{file}: expected at least two classes in column `{column}`, got only `{label}`")]
    OneClass {
        /// Path of the file.
        file: String,
        /// The target.
        column: String,
        /// The one label.
        label: String,
    },
    /// Two labels are different texts for one number.
    #[error("{file}: labels `{first}` and `{second}` in column `{column}` are the same number")]
    SameNumber {
        /// Path of the file.
        file: String,
        /// The target.
        column: String,
        /// One label.
        first: String,
        /// The other.
        second: String,
    },
    /// A label is none of the model's.
    #[error("{place}: unknown label `{label}`; the model knows {known}")]
    UnknownLabel {
        /// File, line and column.
        place: String,
        /// The label.
        label: String,
        /// The labels of the model.
        known: String,
    },

    // === idx files ===
    /// A file does not start as an idx file of this kind.
    #[error("{file}: expected the magic number {expected:#010x} of {what}, got {got:#010x}")]
    Magic {
        /// Path of the file.
        file: String,
        /// The kind of file.
        what: &'static str,
        /// Its magic number.
        expected: u32,
        /// The first four bytes of the file.
        got: u32,
    },
    /// The header of an idx file promises more than this reader accepts.
    #[error(
        "{file}: expected at most {row_limit} bytes a row and {limit} in all, the header promises {dims}"
    )]
    TooLarge {
        /// Path of the file.
        file: String,
        /// The dimensions in the header, rows first.
        dims: String,
        /// Bytes in a row that this reader accepts.
        row_limit: u64,
        /// Bytes that this reader accepts.
        limit: u64,
    },
    /// A file or an array ends early.
    #[error("{file}: truncated: expected {expected} bytes, got {got}")]
    Truncated {
        /// Path of the file.
        file: String,
        /// Bytes that the header promises, itself included; after decompression.
        expected: u64,
        /// Bytes in the file.
        got: u64,
    },
    /// A file or an array goes on after its end.
    #[error("{file}: trailing bytes: expected {expected} bytes, got more")]
    Trailing {
        /// Path of the file.
        file: String,
        /// Bytes that the header promises, itself included; after decompression.
        expected: u64,
    },
    /// A folder holds more images than labels, or fewer.
    #[error("{dir}: expected as many labels as images, got {labels} labels for {images} images")]
    Count {
        /// The folder.
        dir: String,
        /// Number of images.
        images: usize,
        /// Number of labels.
        labels: usize,
    },
    /// A label is not from 0 to 9.
    #[error("{file}: expected labels from 0 to 9, got {label} at index {index}")]
    Digit {
        /// Path of the file.
        file: String,
        /// Position of the label, from 0.
        index: usize,
        /// The label.
        label: u8,
    },

    // === CIFAR-10 ===
    /// A file does not consist of whole images.
    #[error("{file}: expected whole images of {record} bytes, got {got} bytes")]
    Records {
        /// Path of the file.
        file: String,
        /// Bytes of an image with its label.
        record: usize,
        /// Bytes in the file, after decompression.
        got: usize,
    },
    /// A file of label names has too few or too many.
    #[error("{file}: expected {expected} label names, one a line, got {got}")]
    Names {
        /// Path of the file.
        file: String,
        /// Number of classes.
        expected: usize,
        /// Lines that hold a name.
        got: usize,
    },

    // === NumPy ===
    /// Something about an array is not as it should be.
    #[error("{name}: {what}: expected {expected}, got {got}")]
    Array {
        /// Path of the file; in an archive also the array.
        name: String,
        /// A part of the file or of the array.
        what: String,
        /// What would have fitted.
        expected: String,
        /// What is there.
        got: String,
    },
    /// An archive or a folder lacks an array.
    #[error("{file}: no array `{array}`; the arrays are {arrays}")]
    NoArray {
        /// Path of the archive or the folder.
        file: String,
        /// The array that is missing.
        array: String,
        /// The arrays there are.
        arrays: String,
    },

    // === folders of images ===
    /// A file is no image that this reader knows, or damaged.
    #[error("{file}: cannot decode the image: {reason}")]
    Image {
        /// Path of the file.
        file: String,
        /// What the decoder says.
        reason: String,
    },
    /// An image is not what a model takes.
    #[error("{file}: expected an image of {expected}, as the model takes, got {got}")]
    ImageFit {
        /// Path of the file.
        file: String,
        /// Size or numbers of the images that the model takes.
        expected: String,
        /// Width and height of this image.
        got: String,
    },
    /// An image has another size than the first one.
    #[error("{file}: expected {expected} pixels as in {first}, got {got}")]
    ImageSize {
        /// Path of the file.
        file: String,
        /// Width and height of the first image.
        expected: String,
        /// Path of the first image.
        first: String,
        /// Width and height of this image.
        got: String,
    },
    /// A folder has no two sub-folders that could be classes.
    #[error("{dir}: expected a sub-folder for each of at least two classes, got {got}")]
    TooFewClasses {
        /// The folder.
        dir: String,
        /// Number of sub-folders.
        got: usize,
    },
    /// A class of the test part is none of the training part.
    #[error("{dir}: expected one of the classes to learn, {known}")]
    UnknownClass {
        /// The folder of the class.
        dir: String,
        /// The classes of the training part.
        known: String,
    },

    // === published sets ===
    /// A published set is not in the data folder.
    #[error("{set} is not in {dir}: fetch it by `onebit data get {set}`, or say where it is (--data DIR)")]
    NotFetched {
        /// Its name.
        set: &'static str,
        /// The folder in which it would be.
        dir: String,
    },
    /// No folder can be named in which published sets would be.
    #[error("no folder for data: set {variable}, since no home folder is known")]
    NoHome {
        /// The environment variable.
        variable: &'static str,
    },

    // === whitening ===
    /// The eigenvalues of a covariance are not found.
    #[error("cannot whiten: the eigenvalues of the covariance do not converge")]
    Eigenvalues,

    // === folders ===
    /// A folder has none of the names under which a file is known.
    #[error("{dir}: none of the files {tried}")]
    NoFile {
        /// The folder.
        dir: String,
        /// The names that were tried.
        tried: String,
    },
}

impl DataError {
    /// A setting outside its range.
    pub(crate) fn setting(name: impl ToString, expected: impl ToString, got: impl ToString) -> Self {
        Self::Setting { name: name.to_string(), expected: expected.to_string(), got: got.to_string() }
    }

    /// Data of another shape than a step was fitted to.
    pub(crate) fn shape(op: &'static str, expected: impl ToString, got: impl ToString) -> Self {
        Self::Shape { op, expected: expected.to_string(), got: got.to_string() }
    }
}

/// Opens a file; also says how to call it in messages.
pub(crate) fn open(path: &Path) -> Result<(File, String), DataError> {
    let file = path.display().to_string();
    match File::open(path) {
        Ok(opened) => Ok((opened, file)),
        Err(reason) => Err(DataError::Open { file, reason }),
    }
}

/// A text from a file as a message may show it: short, on one line.
pub(crate) fn shown(text: &str) -> String {
    shortened(text, 60)
}

/// The first characters of a text, on one line.
pub(crate) fn shortened(text: &str, longest: usize) -> String {
    let mut shown = String::new();
    for c in text.chars().take(longest) {
        match c {
            '\'' | '"' => shown.push(c),
            c => shown.extend(c.escape_debug()),
        }
    }
    if text.chars().nth(longest).is_some() {
        shown.push_str("...");
    }
    shown
}

/// The first names of a list and, if there are more, how many.
pub(crate) fn listed<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> String {
    const MOST: usize = 20;
    let count = names.len();
    let mut listed = names.take(MOST).map(|name| shown(name)).collect::<Vec<_>>().join(", ");
    if count > MOST {
        listed.push_str(&format!(", ... ({count} in all)"));
    }
    listed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_stays_on_one_line() {
        assert_eq!(shown("a\nb\u{1b}[31m"), "a\\nb\\u{1b}[31m");
        assert_eq!(shown("the driver's \"age\""), "the driver's \"age\"");
        assert_eq!(shown(&"x".repeat(61)), format!("{}...", "x".repeat(60)));
        assert_eq!(shown(&"x".repeat(60)), "x".repeat(60));
    }

    #[test]
    fn a_list_says_how_much_it_leaves_out() {
        let names: Vec<String> = (0..21).map(|n| n.to_string()).collect();
        assert_eq!(listed(names[..3].iter()), "0, 1, 2");
        assert!(listed(names.iter()).ends_with("18, 19, ... (21 in all)"));
    }
}
