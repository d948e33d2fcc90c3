//! A training run.
//!
//! | module | contents |
//! |---|---|
//! | `input` | samples of a data set as the input of a network |
//! | `phase` | epochs with one batch size and one schedule of rates |
//! | `trainer` | what a run does, and one step of it |
//! | `run` | the loop over phases, epochs and batches; `position` is where it stands |
//! | `events` | what a run tells its listener |
//! | `evaluate` | accuracy, loss and confusion of a network |
//! | `teacher` | scores of another model to learn from |
//! | `inspect` | looks at single steps |
//! | `checkpoint` | saves a run and resumes it |

pub mod checkpoint;
mod evaluate;
mod events;
pub(crate) mod input;
pub mod inspect;
mod phase;
mod position;
mod run;
pub mod teacher;
mod trainer;

pub use evaluate::{Judgement, accuracy, confusion, judge, judge_network};
pub(crate) use events::Hearing;
pub use events::{EpochReport, Event, Listener, Outcome, Progress, evenly};
pub use phase::{Batch, Phase};
pub use trainer::{Keep, Trainer};
