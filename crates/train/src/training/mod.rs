//! A training run.
//!
//! | module | contents |
//! |---|---|
//! | `input` | turns samples of a data set into the input of a network |
//! | `phase` | epochs that share a batch size and a schedule of rates |
//! | `trainer` | the settings of a run, and one training step |
//! | `builder` | starts a run: network, data, engine, checkpoints, listener |
//! | `run` | the loop over phases, epochs and batches; `position` is its place, `identity` tells runs apart |
//! | `events` | what a run reports to its listener; `outcome` is its result |
//! | `evaluate` | accuracy, loss and confusion matrix of a network |
//! | `teacher` | knowledge distillation from another network |
//! | `inspect` | histograms and bit means of single steps |
//! | `checkpoint` | saves a run and resumes it |

mod builder;
pub mod checkpoint;
mod evaluate;
mod events;
mod identity;
pub(crate) mod input;
pub mod inspect;
mod outcome;
mod phase;
mod position;
mod run;
pub mod teacher;
mod trainer;

pub use builder::Training;
pub use evaluate::{Evaluation, accuracy, confusion, evaluate, evaluate_network};
pub use events::{EpochReport, Event, Listener, Progress, is_sampled};
pub use outcome::Outcome;
pub use phase::{Batch, Phase};
pub use trainer::{Keep, Trainer};
