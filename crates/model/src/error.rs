//! The one error type of this crate.

use alloc::string::String;

use thiserror::Error as ThisError;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// What can go wrong while a model is built, read, written or run.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    // === the network ===
    /// Layers do not fit together, or a tensor has the wrong size.
    #[error("layer {layer}: {what}: expected {expected}, got {got}")]
    Shape {
        /// Position of the layer, from 0.
        layer: usize,
        /// The tensor or number in question.
        what: &'static str,
        /// What would have fitted.
        expected: usize,
        /// What was given.
        got: usize,
    },
    /// A layer meets a kind of value that it does not take, or is at a place where it cannot be.
    #[error("layer {layer}: {what}")]
    Order {
        /// Position of the layer, from 0.
        layer: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// The geometry of a convolution, or its window, is impossible.
    #[error("layer {layer}: {source}")]
    Geometry {
        /// Position of the layer, from 0.
        layer: usize,
        /// What is wrong.
        source: onebit_bits::Error,
    },
    /// A description around the layers has the wrong length.
    #[error("{what}: expected {expected}, got {got}")]
    Description {
        /// What is described.
        what: &'static str,
        /// The length that fits the layers.
        expected: usize,
        /// The length given.
        got: usize,
    },
    /// A number that features are standardized with is NaN or infinite.
    #[error("{what}, feature {feature}: expected a finite number, got {value}")]
    Standardization {
        /// The means or the scales.
        what: &'static str,
        /// Feature, from 0.
        feature: usize,
        /// The value.
        value: f32,
    },

    /// A column of a table contradicts what a model can hold.
    #[error("column `{column}`: {problem}")]
    Column {
        /// Its name.
        column: String,
        /// What is wrong with it.
        problem: &'static str,
    },

    // === its input ===
    /// A cell of a raw row is not what its column needs.
    #[error("column `{column}`: expected {expected}, got {got}")]
    Field {
        /// The column's name.
        column: String,
        /// What it needs.
        expected: &'static str,
        /// What is there.
        got: &'static str,
    },
    /// The number of values is not a multiple of the number of features.
    #[error("input: expected rows of {features} features, got {values} values")]
    Input {
        /// Features of the model.
        features: usize,
        /// Values given.
        values: usize,
    },
    /// A feature is NaN or infinite.
    #[error("input row {row}, feature {feature}: expected a number that stays finite, got {value}")]
    NotFinite {
        /// Row, from 0.
        row: usize,
        /// Feature, from 0.
        feature: usize,
        /// The value.
        value: f32,
    },
    /// A feature of a model that takes bytes is none.
    #[error("input row {row}, feature {feature}: expected a byte, a whole number from 0 to 255, got {value}")]
    NotByte {
        /// Row, from 0.
        row: usize,
        /// Feature, from 0.
        feature: usize,
        /// The value.
        value: f32,
    },

    // === the file ===
    /// The bytes do not start with the magic of a model file.
    #[error("not a .onebit file: it does not start with the magic bytes")]
    Magic,
    /// The file was written by a version of the format that this reader does not know.
    #[error("format version {got} is not supported; this reader knows versions 1 to {known}")]
    Version {
        /// The version found.
        got: u32,
        /// The newest version known.
        known: u32,
    },
    /// The file is shorter or longer than it says.
    #[error("file length: expected {expected} bytes, got {got}")]
    Length {
        /// The length that the header states, or the least that a header needs.
        expected: u64,
        /// The length found.
        got: u64,
    },
    /// The checksum does not match: bytes were changed.
    #[error("checksum: expected {expected:08x}, got {got:08x}; the file is damaged")]
    Checksum {
        /// The checksum in the header.
        expected: u32,
        /// The checksum of the bytes.
        got: u32,
    },
    /// A record of the file contradicts the format.
    #[error("{what}: {problem}")]
    Record {
        /// The record, for example `tensor 3`.
        what: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A tensor that the network needs is missing, or has another type or shape.
    #[error("tensor `{name}`: expected {expected}, got {got}")]
    Tensor {
        /// The tensor's name.
        name: String,
        /// Type and shape that the network needs.
        expected: String,
        /// What the file has.
        got: String,
    },

    // === around ===
    /// A model was to be written as C under a name that C does not take.
    #[error("`{name}`: expected a name in C: a letter, then letters, digits and _")]
    CName {
        /// The name given.
        name: String,
    },
    /// An error of the kernels.
    #[error(transparent)]
    Bits(#[from] onebit_bits::Error),
    /// A file could not be read or written.
    #[cfg(feature = "std")]
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// What is wrong inside a file, with its name.
    #[cfg(feature = "std")]
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it.
        source: alloc::boxed::Box<Error>,
    },
}
