//! Products of numbers (reals, bytes) with packed bits, and with ternaries and reals.

mod contract;
mod integer;
mod narrow;
mod real;
mod tiles;
mod wide;

pub(crate) use contract::{Numbers, Sums};
pub(crate) use integer::Bytes;
pub(crate) use real::{Reals, multiply_reals};
pub(crate) use tiles::{multiply, tile};
pub(crate) use wide::{ACROSS, CELLS, load_cells};
