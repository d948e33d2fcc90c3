//! Why a command ends early, and with which exit code.

use std::{
    fmt::{self, Display},
    io,
};

use crate::text::plain;

/// `Result` with a [`Failure`].
pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// The reason that a command ends early; messages are one line.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A wrong flag: exit code 2.
    Flag(String),
    /// Any other error: exit code 1.
    Other(String),
    /// A stop that the user requested: exit code 130.
    Stopped(String),
    /// Standard output was closed by its reader: exit code 0.
    Closed,
}

impl From<onebit_bits::Error> for Failure {
    fn from(error: onebit_bits::Error) -> Self {
        Failure::other(error)
    }
}

impl From<onebit::Error> for Failure {
    fn from(error: onebit::Error) -> Self {
        Failure::other(error)
    }
}

impl From<onebit::data::DataError> for Failure {
    fn from(error: onebit::data::DataError) -> Self {
        Failure::other(error)
    }
}

impl From<onebit::model::Error> for Failure {
    fn from(error: onebit::model::Error) -> Self {
        Failure::other(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::Closed,
            _ => Failure::other(format!("standard output: {error}")),
        }
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Failure::Flag(message) | Failure::Other(message) | Failure::Stopped(message) => {
                f.write_str(message)
            }
            Failure::Closed => f.write_str("standard output: closed by its reader"),
        }
    }
}

impl Failure {
    /// An error that is not about a flag.
    pub(crate) fn other(error: impl Display) -> Self {
        Failure::Other(one_line(error))
    }

    /// A stop that the user requested.
    pub(crate) fn stopped(message: impl Display) -> Self {
        Failure::Stopped(one_line(message))
    }

    /// An error about a flag.
    pub(crate) fn flag(error: impl Display) -> Self {
        Failure::Flag(one_line(error))
    }
}

fn one_line(error: impl Display) -> String {
    plain(&error.to_string().split_whitespace().collect::<Vec<_>>().join(" "))
}
