//! Standard output, whose reader may leave at any time.

use std::io::{self, Write};

use serde_json::Value;

use crate::failure::Result;

/// Prints [`plain`] text and a line feed.
pub(crate) fn line(text: impl AsRef<str>) -> Result<()> {
    print(&plain(text.as_ref()))
}

/// Prints a JSON object in one line.
pub(crate) fn json(value: &Value) -> Result<()> {
    print(&value.to_string())
}

/// Says something on standard error that does not stop the command. Not `eprintln!`, which panics when nobody reads.
pub(crate) fn warn(text: &str) {
    let _ = writeln!(io::stderr(), "warning: {}", plain(text));
}

/// Says something on standard error that is no warning.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{}", plain(text));
}

fn print(line: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// Text without control characters other than line feeds: a name from a file must not command the terminal.
pub(crate) fn plain(text: &str) -> String {
    text.replace(|c: char| c.is_control() && c != '\n', "\u{fffd}")
}

/// A share as a percentage; a dash when there is none.
pub(crate) fn percent(share: Option<f64>) -> String {
    share.map_or("-".into(), |share| format!("{:.2} %", 100.0 * share))
}

/// A share with enough digits to see small ones; a dash when there is none.
pub(crate) fn share(share: Option<f64>) -> String {
    share.map_or("-".into(), |share| format!("{share:.4}"))
}

/// Bytes in a readable unit, and exactly when they are few.
pub(crate) fn bytes(n: usize) -> String {
    match n {
        0..10_000 => format!("{n} bytes"),
        10_000..10_000_000 => format!("{:.1} kB", n as f64 / 1e3),
        _ => format!("{:.1} MB", n as f64 / 1e6),
    }
}
