//! Images to predict from: rows or an error, however the bytes arrive. The property tests of
//! `tests/it/hostile` check the same.
//!
//! ```sh
//! cargo +nightly fuzz run --fuzz-dir crates/data/fuzz image
//! ```
#![no_main]

#[path = "../../tests/it/hostile/properties.rs"]
#[allow(dead_code, reason = "each target takes its own")]
mod properties;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| properties::image(data));
