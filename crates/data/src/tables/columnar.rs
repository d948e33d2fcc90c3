//! Helpers of the Parquet and Arrow IPC readers.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{DataError, TableError, shortened};

/// Maximum number of characters of a decoder's message.
const LONGEST: usize = 200;

/// Calls a decoder on untrusted bytes and turns its panic into an error.
pub(crate) fn guard<T>(
    file: &str,
    format: &'static str,
    act: impl FnOnce() -> Result<T, DataError>,
) -> Result<T, DataError> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|_| Err(damaged(file, format, "its decoder gave up")))
}

pub(crate) fn damaged(file: &str, format: &'static str, reason: impl ToString) -> DataError {
    let reason = reason.to_string();
    TableError::Damaged { file: file.into(), format, reason: shortened(reason.trim(), LONGEST) }.into()
}

/// The error for a compression that is not built in.
pub(crate) fn unknown_codec(file: &str, codec: &str, instead: &str) -> DataError {
    let what = format!("it is compressed with {codec}, which onebit does not read; write it with {instead}");
    TableError::Unsupported { file: file.into(), what }.into()
}

/// `unscaled * 10^-scale`, rounded once.
pub(crate) fn decimal(unscaled: i128, scale: i32) -> f64 {
    format!("{unscaled}e{}", -i64::from(scale)).parse().expect("it is written as a number")
}
