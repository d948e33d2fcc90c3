//! The tests of the command from outside, in one binary: linking is dear.

mod bad_input;
mod bench;
mod checkpoint;
mod common;
#[cfg(feature = "download")]
mod data;
mod export;
mod images;
mod inference;
mod predict;
mod runs;
mod tables;
mod train;
mod tune;
