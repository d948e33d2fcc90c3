//! A run on disk: a folder that holds what was done, how it went and what came of it, as texts that other programs read.
//!
//! | file | holds |
//! |---|---|
//! | `config.toml` | the configuration as resolved: every preset, file and flag in one text |
//! | `run.json` | [`RunInfo`]: program, machine, data, layers, and the weights before |
//! | `metrics.jsonl` | a [`Line`] for each epoch and for some steps |
//! | `checkpoint` | the state of the run, to resume it |
//! | `events.out.tfevents.*` | the metrics for TensorBoard, if it is [asked for](Recorder::for_tensorboard) |
//! | `model.onebit` | the network to deploy |
//! | `result.json` | [`RunResult`]: how the run ended, confusions, mistakes, and the weights after |
//!
//! `docs/reference/runs.md` describes every field.
//!
//! ```
//! use onebit_train::{checkpoint::Checkpoints, config, experiment, record::{Recorder, RunFolder}};
//!
//! let place = std::env::temp_dir().join(format!("onebit-doc-{}", std::process::id()));
//! let config = config::preset("iris")?;
//! let parts = experiment::load(&config, None)?;
//! let engine = onebit_bits::Engine::single();
//!
//! let folder = RunFolder::create(&place)?;
//! let mut recorder = Recorder::begin(&folder, "iris", &config, &parts, &engine)?;
//! let outcome = experiment::run_and_tell(&config, &parts, &engine, &mut Checkpoints::none(), &mut recorder)?;
//! recorder.finish(&outcome)?;
//!
//! let lines = folder.read_metrics()?;
//! assert!(lines.len() > outcome.epochs.len());
//! # std::fs::remove_dir_all(place).expect("it is there");
//! # Ok::<(), onebit_train::Error>(())
//! ```

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
