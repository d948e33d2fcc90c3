//! Why a command ends early, and with which exit code.

use std::{
    fmt::{self, Display},
    io,
};

use onebit::data::{DataError, Remedy};

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
        Failure::other(format!("{error}{}", advice(error.remedy())))
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        Failure::other(format!("{error}{}", advice(error.remedy())))
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

/// The flags or commands that remedy an error, as the end of its message.
fn advice(remedy: Option<Remedy>) -> String {
    match remedy {
        Some(Remedy::DropColumn(column)) => format!("; leave it out with --drop {}", quoted(&column)),
        Some(Remedy::NameTarget) => "; name the column with --target COLUMN".into(),
        Some(Remedy::FillMissing) => "; fill it in with --missing mean".into(),
        Some(Remedy::TrainToFillMissing) => "; to allow it, train the model with --missing mean".into(),
        Some(Remedy::Download(set)) => {
            format!("; download it with `onebit data get {set}`, or say where it is with --data DIR")
        }
        Some(Remedy::NamePath) => "; say where the data are with --data PATH".into(),
        _ => String::new(),
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-.,:/@%+=".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn one_line(error: impl Display) -> String {
    plain(&error.to_string().split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_quoted_for_the_shell() {
        let words = [("name", "name"), ("", "''"), ("pet name", "'pet name'"), ("it's", r"'it'\''s'")];
        for (word, expected) in words {
            assert_eq!(quoted(word), expected);
        }
    }
}
