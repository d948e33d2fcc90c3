//! What a download tells while it goes on.

use std::time::Duration;

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DownloadEvent<'a> {
    /// Another process fetches the same set; this one goes on when that one ends.
    Waiting,
    /// A file is there and whole.
    There {
        /// Its name.
        file: &'a str,
    },
    /// A file is there but is not the published one; that one takes its place once it has come.
    Damaged {
        /// Its name.
        file: &'a str,
    },
    /// A server answers with a file, or with the rest of it.
    Begins {
        /// Its name.
        file: &'a str,
        /// Its address.
        url: &'a str,
        /// Bytes that are there already.
        from: u64,
        /// Bytes of the file.
        bytes: u64,
    },
    /// Some of a file has come.
    Progress {
        /// Its name.
        file: &'a str,
        /// Bytes that are there.
        done: u64,
        /// Bytes of the file.
        bytes: u64,
    },
    /// An address failed.
    Failed {
        /// The file that was asked for.
        file: &'a str,
        /// The address.
        url: &'a str,
        /// What failed.
        reason: &'a str,
        /// How long until the address is asked again; none if it is not.
        again: Option<Duration>,
    },
    /// A file has come, and is whole.
    Fetched {
        /// Its name.
        file: &'a str,
        /// Bytes of the file.
        bytes: u64,
    },
    /// A file was taken out of an archive.
    Unpacked {
        /// Its path, below the folder of the set.
        path: &'a str,
    },
}

/// Who is told how far it is.
pub type Listen<'a> = &'a mut dyn FnMut(DownloadEvent);
