//! Flags of several commands, and the checks of their values.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use onebit::{
    Engine, Isa,
    data::{DataFolder, Missing},
};

use crate::failure::{Failure, Result};

/// Where to compute; results are the same everywhere.
#[derive(ClapArgs)]
pub(crate) struct EngineArgs {
    /// Number of worker threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    threads: Option<usize>,
    /// Instruction set of the kernels [default: the best that this machine supports]
    #[arg(long, value_name = "NAME", value_parser = |name: &str| Isa::named(name))]
    isa: Option<Isa>,
}

impl EngineArgs {
    pub(crate) fn engine(&self) -> Result<Engine> {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let engine = Engine::new(self.threads.unwrap_or_else(cores));
        let engine = engine.map_err(|e| Failure::flag(format!("--threads: {e}")))?;
        Ok(match self.isa {
            Some(isa) => engine.with_isa(isa),
            None => engine,
        })
    }
}

/// The data that a network is trained on.
#[derive(ClapArgs)]
pub(crate) struct TrainingDataArgs {
    /// Training data: a table (CSV, Parquet, Arrow), a folder of images or arrays, an .npz archive, or a name
    /// from `onebit data list`
    #[arg(long, value_name = "PATH | NAME")]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) dir: DataDirArgs,
    /// Download the data set first if it is a published one and missing (see `onebit data get`)
    #[arg(long)]
    pub(crate) download: bool,
    #[command(flatten)]
    pub(crate) table: TableArgs,
}

/// The folder of the published sets.
#[derive(ClapArgs)]
pub(crate) struct DataDirArgs {
    /// Folder of the published data sets [default: $ONEBIT_DATA, otherwise the user's cache folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

impl DataDirArgs {
    /// The folder that the flag names.
    pub(crate) fn named(&self) -> Option<DataFolder> {
        self.data_dir.as_ref().map(DataFolder::new)
    }

    /// The folder that the flag names, otherwise the user's.
    pub(crate) fn folder(&self) -> Result<DataFolder> {
        Ok(self.named().map_or_else(DataFolder::of_user, Ok)?)
    }
}

/// How to read a table.
#[derive(ClapArgs)]
pub(crate) struct TableArgs {
    /// Column of the table that holds the class [default: the one named class, label, target, species or y,
    /// or the last column if it is the only one with text]
    #[arg(long, value_name = "COLUMN")]
    pub(crate) target: Option<String>,
    /// Column of the table to leave out; repeat the flag for several
    #[arg(long, value_name = "COLUMN")]
    pub(crate) drop: Vec<String>,
    /// How to treat missing cells (empty, NA, NaN, null, ?): `refuse` them, or `mean`: the column's mean for
    /// numbers, a separate category for text [default: refuse]
    #[arg(long, value_name = "refuse | mean", value_parser = missing)]
    pub(crate) missing: Option<Missing>,
}

pub(super) fn at_least_one(text: &str) -> std::result::Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("expected at least 1".into()),
        Ok(n) => Ok(n),
        Err(_) => Err("expected a whole number, at least 1".into()),
    }
}

pub(super) fn key_value(text: &str) -> std::result::Result<String, String> {
    match text.split_once('=') {
        Some((key, _)) if !key.trim().is_empty() => Ok(text.into()),
        _ => Err("expected KEY=VALUE".into()),
    }
}

fn missing(text: &str) -> std::result::Result<Missing, String> {
    match text {
        "refuse" => Ok(Missing::Refuse),
        "mean" => Ok(Missing::Mean),
        _ => Err("expected refuse or mean".into()),
    }
}
