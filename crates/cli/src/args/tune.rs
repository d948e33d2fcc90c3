//! The flags of `onebit tune`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::shared::{EngineArgs, TrainingDataArgs, at_least_one, key_value};

#[derive(ClapArgs)]
pub(crate) struct TuneArgs {
    /// Preset (see `onebit presets`), TOML file, or table, which is trained with the preset `table`
    #[arg(value_name = "PRESET | CONFIG.toml | TABLE")]
    pub(crate) config: String,
    /// Total number of trials, including those already done when a search is resumed
    #[arg(long, value_name = "N", default_value = "30", value_parser = at_least_one)]
    pub(crate) trials: usize,
    /// Number of seeds of each trial; each seed has its own split, initial weights and shuffles
    #[arg(long, value_name = "N", default_value = "3", value_parser = at_least_one)]
    pub(crate) seeds: usize,
    /// Setting to vary instead of the default ones: KEY=a|b|c or KEY=LOW..HIGH; repeat the flag for several
    #[arg(long, value_name = "KEY=RANGE")]
    pub(crate) vary: Vec<String>,
    #[command(flatten)]
    pub(crate) data: TrainingDataArgs,
    /// Seed of the search, which decides what settings are drawn
    #[arg(long, value_name = "N", default_value = "0")]
    pub(crate) seed: u64,
    /// Number of epochs of each phase
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) epochs: Option<usize>,
    /// Setting to change in all trials, such as network.hidden=[128]; repeat the flag for several
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) set: Vec<String>,
    /// Folder of the search: its trials, ranking.txt and best.toml [default: tune/NAME]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print JSON, one object per line
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
}
