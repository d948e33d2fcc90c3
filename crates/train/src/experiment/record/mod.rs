//! A run on disk: a folder with its configuration, metrics and result, in text formats that other programs
//! can read.
//!
//! | file | contents |
//! |---|---|
//! | `config.toml` | the resolved configuration: preset, file and overrides in one text |
//! | `run.json` | [`RunInfo`]: program, machine, data, layers, and the initial weights |
//! | `metrics.jsonl` | a [`Line`] for each epoch and for some steps |
//! | `checkpoint` | the state of the run, to resume it |
//! | `events.out.tfevents.*` | the metrics for TensorBoard, if [requested](Recorder::for_tensorboard) |
//! | `model.onebit` | the network to deploy |
//! | `result.json` | [`RunResult`]: the end of the run, confusion matrix, mistakes, and the final weights |
//!
//! `docs/reference/runs.md` describes every field.

mod bit_image;
mod environment;
mod examine;
mod files;
mod folder;
mod lines;
mod recorder;
mod tensorboard;

pub use bit_image::{BitImage, LayerBits};
pub use environment::Environment;
pub use examine::{Confusion, Examination, Mistake, examine};
pub use files::{DataInfo, PartInfo, RunInfo, RunResult, Status};
pub use folder::{RunFolder, fresh_name, list};
pub use lines::{EpochLine, LayerLine, Line, StepLine};
pub use recorder::Recorder;
