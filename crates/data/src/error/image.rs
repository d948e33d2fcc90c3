//! Errors of images: idx files, CIFAR-10 and folders of PNG and JPEG files.

use thiserror::Error;

/// An error in a file or folder of images.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ImageError {
    // === idx files ===
    /// The file does not start like an idx file of this kind.
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
    /// The header promises more than this reader accepts.
    #[error(
        "{file}: expected at most {row_limit} bytes a row and {limit} in all, the header promises {dims}"
    )]
    TooLarge {
        /// Path of the file.
        file: String,
        /// The dimensions in the header, rows first.
        dims: String,
        /// Maximum size of a row in bytes.
        row_limit: u64,
        /// Maximum size of all rows in bytes.
        limit: u64,
    },
    /// A folder has different numbers of images and labels.
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
    /// The file does not consist of whole images.
    #[error("{file}: expected whole images of {record} bytes, got {got} bytes")]
    Records {
        /// Path of the file.
        file: String,
        /// Size of an image with its label in bytes.
        record: usize,
        /// Size of the file in bytes, after decompression.
        got: usize,
    },
    /// A file of label names has the wrong number of names.
    #[error("{file}: expected {expected} label names, one a line, got {got}")]
    Names {
        /// Path of the file.
        file: String,
        /// Number of classes.
        expected: usize,
        /// Number of lines that hold a name.
        got: usize,
    },

    // === PNG and JPEG files ===
    /// The file is damaged, or not an image that this reader knows.
    #[error("{file}: cannot decode the image: {reason}")]
    Decode {
        /// Path of the file.
        file: String,
        /// The message of the decoder.
        reason: String,
    },
    /// The image has another shape than those of the model.
    #[error("{file}: expected an image of {expected}, as the model takes, got {got}")]
    Fit {
        /// Path of the file.
        file: String,
        /// Size or number of values of the images that the model takes.
        expected: String,
        /// Width and height of this image.
        got: String,
    },
    /// The image has another size than the first one.
    #[error("{file}: expected {expected} pixels as in {first}, got {got}")]
    Size {
        /// Path of the file.
        file: String,
        /// Width and height of the first image.
        expected: String,
        /// Path of the first image.
        first: String,
        /// Width and height of this image.
        got: String,
    },
    /// A folder has fewer than two sub-folders to be classes.
    #[error("{dir}: expected a sub-folder for each of at least two classes, got {got}")]
    TooFewClasses {
        /// The folder.
        dir: String,
        /// Number of sub-folders.
        got: usize,
    },
    /// A class of the test part does not occur in the training part.
    #[error("{dir}: expected one of the classes to learn, {known}")]
    UnknownClass {
        /// The folder of the class.
        dir: String,
        /// The classes of the training part.
        known: String,
    },
}
