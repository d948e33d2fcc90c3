//! Why a command stops early.

use std::{
    fmt::{self, Display},
    io,
};

use crate::output::plain;

/// `Result` with a [`Failure`].
pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// What is said before the command exits.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A flag is wrong: exit 2.
    Flag(String),
    /// Anything else: exit 1.
    Other(String),
    /// The user stopped it: exit 130.
    Stopped(String),
    /// The reader of standard output is gone.
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
            Failure::Closed => f.write_str("standard output: nobody reads it any more"),
        }
    }
}

impl Failure {
    /// A message in one line.
    pub(crate) fn other(error: impl Display) -> Self {
        Failure::Other(one_line(error))
    }

    /// What was stopped, in one line.
    pub(crate) fn stopped(message: impl Display) -> Self {
        Failure::Stopped(one_line(message))
    }

    /// A message about a flag, in one line.
    pub(crate) fn flag(error: impl Display) -> Self {
        Failure::Flag(one_line(error))
    }
}

fn one_line(error: impl Display) -> String {
    plain(&error.to_string().split_whitespace().collect::<Vec<_>>().join(" "))
}
