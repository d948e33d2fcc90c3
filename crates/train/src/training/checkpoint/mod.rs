//! Checkpoints: a run that is killed at any instant resumes from the last one, with the bit-identical result.
//!
//! A checkpoint holds the state of every layer, rule and optimizer, the position within the epoch, the
//! reports of earlier epochs, the best network so far, and the identity of the run (configuration, phases,
//! seed, checksum of the data), so that another run cannot resume from it. The file has the safetensors
//! layout; `docs/reference/checkpoints.md` describes it.
//!
//! | module | contents |
//! |---|---|
//! | `checkpoints` | [`Checkpoints`]: when and where to save, what to resume |
//! | `disk` | replaces the file so that a complete one exists at every instant |
//! | `layout` | the header: names, types and offsets of tensors |
//! | `write`, `read` | a network to bytes, and back |
//! | `difference` | the first setting in which two runs differ |

mod checkpoints;
mod difference;
mod disk;
mod layout;
mod read;
mod write;

pub use checkpoints::{Checkpoints, exists};
pub(crate) use checkpoints::{from_bytes, to_bytes};

pub use crate::error::CheckpointError;
