//! Numbers and names as text.

/// Replaces control characters other than line feeds, so that a name from a file cannot control the terminal.
pub(crate) fn plain(text: &str) -> String {
    text.replace(|c: char| c.is_control() && c != '\n', "\u{fffd}")
}

/// Says which column was guessed to be the target.
pub(crate) fn guessed_target(column: &str) -> String {
    format!("the class is column `{column}` (--target COLUMN chooses another)")
}

/// Formats a share as a percentage, or a dash for `None`.
pub(crate) fn percent(share: Option<f64>) -> String {
    share.map_or("-".into(), |share| format!("{:.2} %", 100.0 * share))
}

/// Formats a share with four decimals, enough for small ones, or a dash for `None`.
pub(crate) fn share(share: Option<f64>) -> String {
    share.map_or("-".into(), |share| format!("{share:.4}"))
}

/// Formats a size in bytes, kB or MB; below 10 kB it is exact.
pub(crate) fn bytes(n: usize) -> String {
    match n {
        0..10_000 => format!("{n} bytes"),
        10_000..10_000_000 => format!("{:.1} kB", n as f64 / 1e3),
        _ => format!("{:.1} MB", n as f64 / 1e6),
    }
}
