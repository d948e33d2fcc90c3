//! The integration tests of the crate, in one program, because each program links everything anew.

#[path = "../../../bits/tests/counting/mod.rs"]
mod counting;
#[cfg(feature = "download")]
mod download;
mod formats;
mod golden;
mod hostile;
mod input_memory;
#[cfg(feature = "columnar")]
mod tables;
