//! The progress of a download.

use std::time::Duration;

/// A step of a download.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DownloadEvent<'a> {
    /// Another process downloads the same set; this one waits for it.
    Waiting,
    /// A file is already complete.
    There {
        /// The name of the file.
        file: &'a str,
    },
    /// A file differs from the published one, which will replace it.
    Damaged {
        /// The name of the file.
        file: &'a str,
    },
    /// A server starts to send a file, or the rest of it.
    Begins {
        /// The name of the file.
        file: &'a str,
        /// The address.
        url: &'a str,
        /// The number of bytes received earlier.
        from: u64,
        /// The size of the file in bytes.
        bytes: u64,
    },
    /// More of a file was received.
    Progress {
        /// The name of the file.
        file: &'a str,
        /// The number of bytes received so far.
        done: u64,
        /// The size of the file in bytes.
        bytes: u64,
    },
    /// An address failed.
    Failed {
        /// The name of the requested file.
        file: &'a str,
        /// The address.
        url: &'a str,
        /// The reason of the failure.
        reason: &'a str,
        /// The pause before the address is tried again; `None` if it is not.
        again: Option<Duration>,
    },
    /// A file is complete.
    Fetched {
        /// The name of the file.
        file: &'a str,
        /// The size of the file in bytes.
        bytes: u64,
    },
    /// A file was unpacked from an archive.
    Unpacked {
        /// The path of the file, relative to the folder of the set.
        path: &'a str,
    },
}

/// A listener that gets the events of a download.
pub type Listen<'a> = &'a mut dyn FnMut(DownloadEvent);
