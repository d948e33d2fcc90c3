//! The tests of the crate from outside, in one binary: linking is dear.

mod allocations;
mod c;
mod construction;
#[path = "../../../bits/tests/counting/mod.rs"]
mod counting;
mod file;
mod interpreter;
mod memory;
mod recipe;
mod run;
