//! The flags of `onebit train`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::shared::{EngineArgs, TrainingDataArgs, at_least_one, key_value};

#[derive(ClapArgs)]
pub(crate) struct TrainArgs {
    /// Preset (see `onebit presets`), TOML file, or table (.csv, .tsv, .parquet, .feather, .arrow), which is
    /// trained with the preset `table`
    #[arg(value_name = "PRESET | CONFIG.toml | TABLE", required_unless_present = "resume")]
    pub(crate) config: Option<String>,
    #[command(flatten)]
    pub(crate) data: TrainingDataArgs,
    /// Seed of everything random: the split of the data, the initial weights, training
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Train with each of the seeds 0 to N-1, print the mean, deviation, minimum and maximum, and save no
    /// model
    #[arg(long, value_name = "N", value_parser = at_least_one, conflicts_with_all = ["seed", "out"])]
    pub(crate) seeds: Option<usize>,
    /// Number of epochs of each phase
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) epochs: Option<usize>,
    /// Batch size of each phase, except those that take all samples at once
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) batch: Option<usize>,
    /// Model file to write [default: NAME.onebit in this folder, where NAME is that of the preset or file]
    #[arg(long, value_name = "FILE.onebit")]
    pub(crate) out: Option<PathBuf>,
    /// Folder to record the run in: settings, metrics, checkpoint, model and report [default: runs/NAME-TIME]
    #[arg(long, value_name = "DIR", conflicts_with = "seeds")]
    pub(crate) run: Option<PathBuf>,
    /// Write only the model, without a folder for the run
    #[arg(long, conflicts_with = "run")]
    pub(crate) no_run: bool,
    /// Show the run on the full terminal: curves, layers and time left
    #[arg(long, conflicts_with_all = ["json", "seeds"])]
    pub(crate) tui: bool,
    /// Also write an event file for TensorBoard into the run's folder; view it with `tensorboard --logdir
    /// runs`
    #[arg(long, conflicts_with_all = ["no_run", "seeds"])]
    pub(crate) tensorboard: bool,
    /// File to save checkpoints to, after each epoch and every --checkpoint-every seconds, for --resume
    /// [default: in the run's folder, every --checkpoint-every seconds and on Ctrl-C]
    #[arg(long, value_name = "FILE", conflicts_with = "seeds")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Seconds between checkpoints; 0 saves after each step [default: 300]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) checkpoint_every: Option<u64>,
    /// Run folder or checkpoint to resume, with the settings saved there; the run continues in the same place
    #[arg(long, value_name = "DIR | FILE", conflicts_with_all =
        ["config", "target", "drop", "missing", "seed", "seeds", "epochs", "batch", "float", "set", "checkpoint"])]
    pub(crate) resume: Option<PathBuf>,
    /// Train the float twin for comparison: the same sizes with real weights and ReLU
    #[arg(long)]
    pub(crate) float: bool,
    /// Setting to change in the configuration, such as network.hidden=[128] or phase.0.suppressor=2; repeat
    /// the flag for several
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) set: Vec<String>,
    /// Print JSON, one object per line
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
}
