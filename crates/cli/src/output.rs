//! Standard output, whose reader may leave at any time.

use std::io::{self, Write};

use serde_json::Value;

use crate::failure::Result;

/// Prints text and a line feed.
pub(crate) fn line(text: impl AsRef<str>) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", text.as_ref())?;
    Ok(out.flush()?)
}

/// Prints a JSON object in one line.
pub(crate) fn json(value: &Value) -> Result<()> {
    line(value.to_string())
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
