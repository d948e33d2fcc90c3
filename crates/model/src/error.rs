//! The error type of this crate.

use alloc::string::String;

use thiserror::Error as ThisError;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// An error while building, reading, writing or running a model.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    // === the network ===
    /// Two layers do not fit together, or a tensor has the wrong size.
    #[error("layer {layer}: {what}: expected {expected}, got {got}")]
    Shape {
        /// Position of the layer, from 0.
        layer: usize,
        /// The tensor or number that does not fit.
        what: &'static str,
        /// The size that would fit.
        expected: usize,
        /// The size given.
        got: usize,
    },
    /// A layer is in a place where it cannot be, receives a kind of value that it does not take, or has an
    /// impossible setting.
    #[error("layer {layer}: {what}")]
    Order {
        /// Position of the layer, from 0.
        layer: usize,
        /// The problem.
        what: &'static str,
    },
    /// The geometry of a convolution, or of its pooling window, is impossible.
    #[error("layer {layer}: {source}")]
    Geometry {
        /// Position of the layer, from 0.
        layer: usize,
        /// The problem.
        source: onebit_bits::Error,
    },
    /// A list that describes the model, such as its labels, has the wrong length.
    #[error("{what}: expected {expected}, got {got}")]
    Description {
        /// The list.
        what: &'static str,
        /// The length that fits the model.
        expected: usize,
        /// The length given.
        got: usize,
    },
    /// A mean or scale of the standardization is NaN or infinite.
    #[error("{what}, feature {feature}: expected a finite number, got {value}")]
    Standardization {
        /// `standardization means` or `standardization scales`.
        what: &'static str,
        /// Number of the feature, from 0.
        feature: usize,
        /// The value found.
        value: f32,
    },

    /// The description of a table column is invalid.
    #[error("column `{column}`: {problem}")]
    Column {
        /// Name of the column.
        column: String,
        /// The problem.
        problem: &'static str,
    },

    // === its input ===
    /// A cell of a raw row has the wrong kind for its column, or is missing.
    #[error("column `{column}`: expected {expected}, got {got}")]
    Field {
        /// Name of the column.
        column: String,
        /// What the column takes.
        expected: &'static str,
        /// What the cell holds.
        got: &'static str,
    },
    /// The number of input values is not a multiple of the number of features.
    #[error("input: expected rows of {features} features, got {values} values")]
    Input {
        /// Features of a sample.
        features: usize,
        /// Number of values given.
        values: usize,
    },
    /// A feature is not finite, before or after standardization.
    #[error("input row {row}, feature {feature}: expected a number that stays finite, got {value}")]
    NotFinite {
        /// Number of the row, from 0.
        row: usize,
        /// Number of the feature, from 0.
        feature: usize,
        /// The value found.
        value: f32,
    },
    /// A feature is not a byte, but the model takes bytes: see
    /// [`Model::takes_bytes`](crate::Model::takes_bytes).
    #[error("input row {row}, feature {feature}: expected a byte, a whole number from 0 to 255, got {value}")]
    NotByte {
        /// Number of the row, from 0.
        row: usize,
        /// Number of the feature, from 0.
        feature: usize,
        /// The value found.
        value: f32,
    },

    // === the file ===
    /// The bytes do not start with [`MAGIC`](crate::MAGIC), so they are no model file.
    #[error("not a .onebit file: it does not start with the magic bytes")]
    Magic,
    /// The file has a version of the format that this reader does not know.
    #[error("format version {got} is not supported; this reader knows versions 1 to {known}")]
    Version {
        /// Version of the file.
        got: u32,
        /// The newest version that the reader knows.
        known: u32,
    },
    /// The file is shorter or longer than its header states.
    #[error("file length: expected {expected} bytes, got {got}")]
    Length {
        /// The length in the header, or that of a header if the file is shorter.
        expected: u64,
        /// The actual length.
        got: u64,
    },
    /// The checksum does not match: some bytes have changed.
    #[error("checksum: expected {expected:08x}, got {got:08x}; the file is damaged")]
    Checksum {
        /// The checksum in the header.
        expected: u32,
        /// The checksum computed from the bytes.
        got: u32,
    },
    /// A record of the file contradicts the format.
    #[error("{what}: {problem}")]
    Record {
        /// The record, for example `tensor 3`.
        what: String,
        /// The problem.
        problem: &'static str,
    },
    /// A tensor that the network needs is missing, or has the wrong type or shape.
    #[error("tensor `{name}`: expected {expected}, got {got}")]
    Tensor {
        /// Name of the tensor.
        name: String,
        /// The type and shape that the network needs.
        expected: String,
        /// The type and shape in the file, or `nothing`.
        got: String,
    },

    // === export, kernels, disk ===
    /// The name for C source is not a C identifier that starts with a letter.
    #[error("name `{name}`: expected a C identifier: a letter, then letters, digits and _")]
    CName {
        /// The name given.
        name: String,
    },
    /// An error from the kernels of `onebit-bits`.
    #[error(transparent)]
    Bits(#[from] onebit_bits::Error),
    /// A file could not be read or written.
    #[cfg(feature = "std")]
    #[error("{path}: {source}")]
    Io {
        /// Path of the file.
        path: String,
        /// The cause.
        source: std::io::Error,
    },
    /// A file was read but is not a valid model.
    #[cfg(feature = "std")]
    #[error("{path}: {source}")]
    File {
        /// Path of the file.
        path: String,
        /// The problem.
        source: alloc::boxed::Box<Error>,
    },
}
