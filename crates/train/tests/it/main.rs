//! The tests of the crate from outside, in one binary: linking is dear. Those that count what the whole
//! process allocates are in `allocations.rs`, a binary of its own.

mod asking;
mod bench;
mod bop;
mod bytes;
mod checkpoint;
mod common;
mod config;
mod counter;
#[path = "../../../bits/tests/counting/mod.rs"]
mod counting;
mod distillation;
mod elements;
mod export;
mod export_refusals;
mod flip;
mod golden;
mod golden_abc;
mod golden_conv;
mod golden_layers;
mod golden_optim;
mod golden_rules;
mod gradients;
mod local_head;
mod rules;
mod straight_through;
mod thermometer;
mod threshold;
mod training;
