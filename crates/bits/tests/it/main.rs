//! The kernels on every instruction set of the machine, with one and two threads, against the plain loops of
//! `onebit-reference`; the laws of bits; and every error.

mod blocks;
mod common;
mod conv;
mod errors;
mod integer;
mod kernels;
mod laws;
mod packing;
mod real;
mod rounding;
mod sinks;
mod votes;
