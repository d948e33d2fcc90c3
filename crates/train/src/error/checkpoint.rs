//! What can be wrong with a checkpoint.

use std::{io, path::Path};

use thiserror::Error as ThisError;

/// What can go wrong while a checkpoint is written or read.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum CheckpointError {
    /// What is wrong with a file, with its name.
    #[error("{file}: {problem}")]
    File {
        /// The file.
        file: String,
        /// What is wrong with it.
        problem: Box<CheckpointError>,
    },
    /// It could not be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file is shorter or longer than it says.
    #[error("length: expected {expected} bytes, got {got}")]
    Length {
        /// What the header says, or the least that a header needs.
        expected: u64,
        /// What is there.
        got: u64,
    },
    /// Bytes were changed.
    #[error("checksum: expected {expected:08x}, got {got:08x}; the file is damaged")]
    Checksum {
        /// The checksum in the file.
        expected: u32,
        /// The checksum of its bytes.
        got: u32,
    },
    /// The header is not that of a checkpoint.
    #[error("header: {0}")]
    Header(String),
    /// A tensor is missing, or unknown, or has another type or shape.
    #[error("tensor `{name}`: expected {expected}, got {got}")]
    Tensor {
        /// Its name.
        name: String,
        /// What the network has.
        expected: String,
        /// What the file has.
        got: String,
    },
    /// The run that was saved is not the one that is to go on.
    #[error("{key}: the checkpoint has {saved}, this run has {here}")]
    Setting {
        /// The setting.
        key: String,
        /// Its value in the checkpoint.
        saved: String,
        /// Its value now.
        here: String,
    },
}

impl CheckpointError {
    pub(crate) fn tensor(name: &str, expected: impl ToString, got: impl ToString) -> Self {
        Self::Tensor { name: name.into(), expected: expected.to_string(), got: got.to_string() }
    }

    /// With the name of the file.
    pub(crate) fn of(self, file: &Path) -> Self {
        Self::File { file: file.display().to_string(), problem: Box::new(self) }
    }
}
