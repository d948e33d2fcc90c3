//! The flags of `onebit eval`, `onebit predict`, `onebit inspect` and `onebit export`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use super::shared::{DataDirArgs, EngineArgs, at_least_one};

#[derive(ClapArgs)]
pub(crate) struct EvalArgs {
    /// Model file
    pub(crate) model: PathBuf,
    /// Labelled data: a table, a folder of images or arrays, an .npz archive, or a name from `onebit data
    /// list`; the test part is used if the data have one
    #[arg(long, value_name = "PATH | NAME")]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) dir: DataDirArgs,
    /// Column of the table that holds the class [default: chosen as by `onebit train`]
    #[arg(long, value_name = "COLUMN")]
    pub(crate) target: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
}

#[derive(ClapArgs)]
pub(crate) struct PredictArgs {
    /// Model file
    pub(crate) model: PathBuf,
    /// Files to classify: tables (CSV with a header, Parquet, Arrow), .npy arrays (b, features), PNG or JPEG
    /// images, idx files; a folder means all such files in it except idx, in order of their names; `-` is
    /// standard input
    #[arg(value_name = "INPUT", default_value = "-")]
    pub(crate) inputs: Vec<PathBuf>,
    /// Format of the inputs [default: detected from the first bytes, otherwise CSV]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Print the K best classes of each row with their scores, instead of all scores
    #[arg(long, value_name = "K", value_parser = at_least_one)]
    pub(crate) top: Option<usize>,
    /// Print JSON, one object per row
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
}

/// Format of the rows to classify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Table with a header line, separated by commas, semicolons or tabs
    Csv,
    /// Parquet table
    Parquet,
    /// Arrow IPC table: a file (Feather) or a stream
    Arrow,
    /// NumPy array of shape (b, features)
    Npy,
    /// One PNG or JPEG image
    Image,
    /// Images in MNIST's format. It is always detected from the first bytes, so it is not a value of the
    /// flag.
    #[value(skip)]
    Idx,
}

#[derive(ClapArgs)]
pub(crate) struct InspectArgs {
    /// Model file
    pub(crate) model: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(ClapArgs)]
pub(crate) struct ExportArgs {
    /// Model file
    pub(crate) model: PathBuf,
    /// Folder to write NAME.h and NAME.c to: C99 that includes only stdint.h
    #[arg(long, value_name = "DIR", conflicts_with = "json")]
    pub(crate) c: Option<PathBuf>,
    /// Prefix of the names in the C code [default: the model file's name]
    #[arg(long, value_name = "NAME", requires = "c")]
    pub(crate) name: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
