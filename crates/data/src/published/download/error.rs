//! The error type of downloads.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use thiserror::Error;

/// What can go wrong while a published set is fetched.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// The address of a mirror is none.
    #[error("mirror: expected an address that starts with http:// or https://, got {got}")]
    Mirror {
        /// What was given.
        got: String,
    },
    /// No mirror gave the file.
    #[error("cannot fetch {file}: {tried}")]
    Mirrors {
        /// Name of the file.
        file: String,
        /// What was tried.
        tried: Tried,
    },
    /// The data folder, or a file in it, cannot be written.
    #[error("cannot write {path}: {reason}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// A file in the data folder cannot be read.
    #[error("cannot read {path}: {reason}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// An archive does not hold what it should.
    #[error("{file}: {what}: expected {expected}, got {got}")]
    Archive {
        /// Name of the archive.
        file: String,
        /// A file in the archive, or all of it.
        what: String,
        /// What would have been right.
        expected: String,
        /// What is there.
        got: String,
    },
}

impl DownloadError {
    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |reason| Self::Write { path: path.into(), reason }
    }

    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |reason| Self::Read { path: path.into(), reason }
    }
}

/// Addresses, each with the reason why it is not the one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tried(pub Vec<(String, String)>);

/// `ADDRESS: REASON; ADDRESS: REASON`
impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.0.is_empty() {
            return write!(f, "no mirror is known");
        }
        for (at, (url, reason)) in self.0.iter().enumerate() {
            write!(f, "{}{url}: {reason}", if at > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}
