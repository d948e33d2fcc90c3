//! The errors of downloads.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use thiserror::Error;

/// An error while a published set is downloaded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// The address of a mirror is invalid.
    #[error("mirror: expected an address that starts with http:// or https://, got {got}")]
    Mirror {
        /// The given address.
        got: String,
    },
    /// No mirror delivered the file.
    #[error("cannot fetch {file}: {tried}")]
    Mirrors {
        /// The name of the file.
        file: String,
        /// The addresses that were tried.
        tried: Tried,
    },
    /// The data folder, or a file in it, cannot be written.
    #[error("cannot write {path}: {reason}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The error of the system.
        reason: io::Error,
    },
    /// A file in the data folder cannot be read.
    #[error("cannot read {path}: {reason}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        reason: io::Error,
    },
    /// An archive has unexpected contents.
    #[error("{file}: {what}: expected {expected}, got {got}")]
    Archive {
        /// The name of the archive.
        file: String,
        /// A file in the archive, or `archive`.
        what: String,
        /// The expected contents.
        expected: String,
        /// The actual contents.
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

/// The addresses that were tried, each with the reason of its failure.
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
