//! Products of bits, and of -1, 0 and +1, with packed bits, and the votes of flip backprop.

mod count;
mod count_rows;
mod differences;
mod lookup;
mod products;
mod scaled;
mod short_sums;
mod signs;
mod tiles;
mod votes;

pub(crate) use count::{count_rows, height};
pub(crate) use count_rows::Rows;
pub(crate) use differences::{CHUNK, DIFFERENCES, LIMIT, PAIRS, Tables, add_differences, add_lanes};
pub(crate) use signs::Signs;
pub(crate) use tiles::tile;
pub use votes::{votes, votes_to_flips};
