//! NumPy arrays: `.npy` files and `.npz` archives.

mod literal;
mod npy;
mod npy_rows;
mod numpy;

pub use npy_rows::NpyRows;
pub use numpy::read_numpy;
