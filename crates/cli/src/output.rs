//! Standard output, which may be closed at any time, and notes on standard error.

use std::io::{self, Write};

use serde_json::Value;

use crate::{failure::Result, text::plain};

/// Prints [`plain`] text and a line feed.
pub(crate) fn line(text: impl AsRef<str>) -> Result<()> {
    print(&plain(text.as_ref()))
}

/// Prints a JSON object on one line.
pub(crate) fn json(value: &Value) -> Result<()> {
    print(&value.to_string())
}

/// Prints a warning on standard error.
pub(crate) fn warn(text: &str) {
    complain(&format!("warning: {}", plain(text)));
}

/// Prints a note on standard error.
pub(crate) fn note(text: &str) {
    complain(&plain(text));
}

/// Prints the error that ends the command.
pub(crate) fn error(message: &str) {
    complain(&format!("error: {message}"));
}

/// Writes a line to standard error. Unlike `eprintln!`, it does not panic if standard error is closed.
fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

fn print(line: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
