//! The errors of checkpoints.

use std::{io, path::Path};

use thiserror::Error as ThisError;

/// An error while a checkpoint is written or read.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum CheckpointError {
    /// An error with the name of the file.
    #[error("{file}: {problem}")]
    File {
        /// The file.
        file: String,
        /// The error.
        problem: Box<CheckpointError>,
    },
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file is shorter or longer than its header says.
    #[error("length: expected {expected} bytes, got {got}")]
    Length {
        /// The length in the header, or the shortest possible one if the header is incomplete.
        expected: u64,
        /// The length of the file.
        got: u64,
    },
    /// The checksum does not match: bytes were changed.
    #[error("checksum: expected {expected:08x}, got {got:08x}; the file is damaged")]
    Checksum {
        /// The checksum in the file.
        expected: u32,
        /// The checksum of its bytes.
        got: u32,
    },
    /// The header is not a checkpoint's.
    #[error("header: {0}")]
    Header(String),
    /// A tensor is missing or unknown, or has another type or shape.
    #[error("tensor `{name}`: expected {expected}, got {got}")]
    Tensor {
        /// The name of the tensor.
        name: String,
        /// The tensor of the network.
        expected: String,
        /// The tensor in the file.
        got: String,
    },
    /// The saved run has another setting than the run that should resume.
    #[error("{key}: the checkpoint has {saved}, this run has {here}")]
    Setting {
        /// The name of the setting.
        key: String,
        /// Its value in the checkpoint.
        saved: String,
        /// Its value in this run.
        here: String,
    },
}

impl CheckpointError {
    pub(crate) fn tensor(name: &str, expected: impl ToString, got: impl ToString) -> Self {
        Self::Tensor { name: name.into(), expected: expected.to_string(), got: got.to_string() }
    }

    /// Adds the name of the file.
    pub(crate) fn of(self, file: &Path) -> Self {
        Self::File { file: file.display().to_string(), problem: Box::new(self) }
    }
}
