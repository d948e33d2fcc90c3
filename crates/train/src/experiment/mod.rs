//! From a configuration to a trained network.
//!
//! | module | contents |
//! |---|---|
//! | `data` | loads and splits the data |
//! | `build` | builds network, trainer and teacher, ready to [run](training) |
//! | [`record`] | writes a run to a folder |
//! | [`tune`] | hyper-parameter search |
//! | [`mod@bench`] | measures training steps |

pub mod bench;
mod build;
mod data;
pub mod record;
pub mod tune;

pub use build::{network, trainer, training};
pub use data::{load, location, split};
