//! The command line: its commands and flags.
//!
//! | file | flags of |
//! |---|---|
//! | `train`, `tune` | the commands that learn |
//! | `runs` | `runs`, `report` and `compare`, which read the folders of runs |
//! | `model` | `eval`, `predict`, `inspect` and `export`, which read a model file |
//! | `data`, `bench` | the commands with subcommands |
//! | `shared` | several commands, and the checks of their values |

use clap::{Args as ClapArgs, Parser, Subcommand};

mod bench;
mod data;
mod model;
mod runs;
mod shared;
mod train;
mod tune;

pub(crate) use bench::{BenchCommand, BenchInferArgs, BenchKernelsArgs, BenchTrainArgs};
pub(crate) use data::{DataCommand, DataGetArgs, DataListArgs};
pub(crate) use model::{EvalArgs, ExportArgs, Format, InspectArgs, PredictArgs};
pub(crate) use runs::{CompareArgs, ReportArgs, RunsArgs};
pub(crate) use shared::{DataDirArgs, TrainingDataArgs};
pub(crate) use train::TrainArgs;
pub(crate) use tune::TuneArgs;

/// Train and run neural networks whose weights and activations are single bits
#[derive(Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Train a network: try `onebit train iris` or `onebit train my.csv`
    Train(TrainArgs),
    /// Search for better settings: batch size, rate, suppressor, or those named with --vary
    ///
    /// The search is random and ranks settings by validation accuracy, averaged over several seeds. If the
    /// configuration holds out no validation part, a fifth of the training part is used. The test part is
    /// never used. Trial 0 is the configuration unchanged. Running the same command again resumes a stopped
    /// search; a larger --trials extends it.
    ///
    /// By default the search varies the batch size of each phase (8 to 512, at most a quarter of the
    /// samples). For flip backprop it also varies the suppressor (0 to 5) and training.quorum (0.1 to 0.6),
    /// for other methods the rate (from an eighth to eight times the configured one, with final_rate in
    /// proportion).
    Tune(TuneArgs),
    /// List the training runs in a folder
    Runs(RunsArgs),
    /// Write the report of a training run as one self-contained HTML file
    Report(ReportArgs),
    /// Compare training runs: their results, the settings that differ and, with --out, their curves
    Compare(CompareArgs),
    /// Measure a model's accuracy on labelled data
    Eval(EvalArgs),
    /// Classify tables, arrays and images from files, folders or standard input
    Predict(PredictArgs),
    /// Show the contents of a model file
    Inspect(InspectArgs),
    /// Show the size and cost of a deployed model layer by layer, or write it as C with --c
    Export(ExportArgs),
    /// List the presets, or print one as TOML
    Presets(PresetsArgs),
    /// List the data sets known by name, or download them
    #[command(subcommand)]
    Data(DataCommand),
    /// Measure how fast this machine computes
    #[command(subcommand)]
    Bench(BenchCommand),
}

#[derive(ClapArgs)]
pub(crate) struct PresetsArgs {
    /// Preset to print as TOML
    pub(crate) name: Option<String>,
}
