//! The speed limit of each kernel: what its instructions can do with all operands in registers.

mod mix;
mod narrow;
mod wide;

pub use mix::Mix;
pub use narrow::Ceiling;
