//! NumPy arrays: `.npy` files and `.npz` archives.
//!
//! | module | contents |
//! |---|---|
//! | `literal` | the header of an array, a Python dictionary |
//! | `npy` | one array in a file |
//! | `npy_rows` | an array read row by row, to predict from |
//! | `numpy` | data sets of several arrays |

mod literal;
mod npy;
mod npy_rows;
mod numpy;

pub use npy_rows::NpyRows;
pub use numpy::read_numpy;
