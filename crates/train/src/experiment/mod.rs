//! From a configuration to a trained network.
//!
//! | module | contents |
//! |---|---|
//! | `load` | finds, reads and splits the data |
//! | `build` | builds network, trainer and teacher, ready to [run](training) |
//! | [`record`] | writes a run to a folder |
//! | [`tune`] | hyper-parameter search |
//! | [`bench`] | measures training steps |

pub mod bench;
mod build;
mod load;
pub mod record;
pub mod tune;

pub use build::{network, trainer, training};
pub use load::{load, location, split};
