//! The command line.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use onebit::{Engine, Isa, data::Missing};

use crate::{
    data::mirror,
    failure::{Failure, Result},
};

/// Train and run neural networks whose weights and activations are single bits.
#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Train a network: `onebit train iris` or `onebit train my.csv` need nothing else
    Train(TrainArgs),
    /// Find settings: batch, rate, suppressor, and whatever --vary names
    ///
    /// Random search by validation accuracy, the mean over some seeds; a fifth of the training part is held out for it
    /// where the configuration says nothing. The test part is not looked at. Trial 0 is the configuration as it stands.
    /// The same command goes on with a search that was stopped, and tries more with a greater --trials.
    ///
    /// Varied by default: the batch of each phase (8 to 512, at most a quarter of the samples); of flip backprop the
    /// suppressor (0 to 5) and training.quorum (0.1 to 0.6); else the rate (an eighth to eight times that of the
    /// configuration, a final_rate in proportion).
    Tune(TuneArgs),
    /// List the training runs in a folder
    Runs(RunsArgs),
    /// Draw the report of a training run, an HTML file that needs nothing else
    Report(ReportArgs),
    /// Compare training runs: results, the settings that differ, and with --out their curves
    Compare(CompareArgs),
    /// Measure a model's accuracy on labelled data
    Eval(EvalArgs),
    /// Classify rows of tables, arrays, images, folders of them, or standard input
    Predict(PredictArgs),
    /// Show what is in a model file
    Inspect(InspectArgs),
    /// Show what a model takes where it is deployed, layer by layer, or write it as C: `--c DIR`
    Export(ExportArgs),
    /// List the presets, or print one as a TOML text to start from
    Presets(PresetsArgs),
    /// List the data sets that have a name, or fetch one
    #[command(subcommand)]
    Data(DataCommand),
    /// Measure how fast this machine computes
    #[command(subcommand)]
    Bench(BenchCommand),
}

/// Where to compute; the result is the same everywhere.
#[derive(ClapArgs)]
pub(crate) struct EngineArgs {
    /// Worker threads [default: one a core]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    threads: Option<usize>,
    /// Instruction set of the kernels, of those that this machine has [default: the best]
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

#[derive(ClapArgs)]
pub(crate) struct TrainArgs {
    /// A preset (see `onebit presets`), a TOML file, or a table (.csv, .tsv, .parquet, .feather, .arrow) for the preset
    /// `table`
    #[arg(value_name = "PRESET | CONFIG.toml | TABLE", required_unless_present = "resume")]
    pub(crate) config: Option<String>,
    /// Data to learn from: a table (CSV, Parquet, Arrow), a folder of idx files, or a name of `onebit data list`
    #[arg(long, value_name = "PATH | NAME")]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) dir: DataDirArgs,
    /// Fetch the data first, if they have a name and are not there; see `onebit data get`
    #[arg(long)]
    pub(crate) download: bool,
    #[command(flatten)]
    pub(crate) table: TableArgs,
    /// Seed of the split, the first weights and everything random in training
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Repeat with the seeds 0 to N-1 and report mean, deviation, least and greatest; saves no model
    #[arg(long, value_name = "N", value_parser = at_least_one, conflicts_with_all = ["seed", "out"])]
    pub(crate) seeds: Option<usize>,
    /// Epochs of each phase
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) epochs: Option<usize>,
    /// Samples of a step, in each phase that does not take the whole set
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) batch: Option<usize>,
    /// Model file to write [default: the preset's or file's name with .onebit, in this folder]
    #[arg(long, value_name = "FILE.onebit")]
    pub(crate) out: Option<PathBuf>,
    /// Folder to write the run down in: settings, metrics, checkpoint, model and report
    /// [default: runs/NAME-TIME]
    #[arg(long, value_name = "DIR", conflicts_with = "seeds")]
    pub(crate) run: Option<PathBuf>,
    /// Write no such folder, but the model alone
    #[arg(long, conflicts_with = "run")]
    pub(crate) no_run: bool,
    /// Show the run on the whole terminal: curves, layers, time left
    #[arg(long, conflicts_with_all = ["json", "seeds"])]
    pub(crate) tui: bool,
    /// Write an event file for TensorBoard into the run's folder, too: tensorboard --logdir runs
    #[arg(long, conflicts_with_all = ["no_run", "seeds"])]
    pub(crate) tensorboard: bool,
    /// Save the run to this file after each epoch and every --checkpoint-every seconds, to --resume it
    /// [default: in the run's folder, every --checkpoint-every seconds and on Ctrl-C]
    #[arg(long, value_name = "FILE", conflicts_with = "seeds")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Seconds between checkpoints; 0 saves after each step [default: 300]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) checkpoint_every: Option<u64>,
    /// Go on with the run of this folder or checkpoint, and save it there; its settings stay
    #[arg(long, value_name = "DIR | FILE", conflicts_with_all =
        ["config", "target", "drop", "missing", "seed", "seeds", "epochs", "batch", "float", "set", "checkpoint"])]
    pub(crate) resume: Option<PathBuf>,
    /// Train the float twin: the same sizes with real weights and rectified sums, to compare with
    #[arg(long)]
    pub(crate) float: bool,
    /// Change one setting of the configuration, such as network.hidden=[128] or phase.0.suppressor=2
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) set: Vec<String>,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
}

/// What of a table is learned from.
#[derive(ClapArgs)]
pub(crate) struct TableArgs {
    /// Column of the table that holds the class [default: one named class, label, target, species or y, or the last if it
    /// alone holds texts]
    #[arg(long, value_name = "COLUMN")]
    pub(crate) target: Option<String>,
    /// Leave out a column of the table; may be given several times
    #[arg(long, value_name = "COLUMN")]
    pub(crate) drop: Vec<String>,
    /// What becomes of empty cells, NA, NaN, null and ? in a table: `mean` fills in the mean of a column of numbers, and
    /// makes a category of its own in one of texts [default: refuse]
    #[arg(long, value_name = "refuse | mean", value_parser = missing)]
    pub(crate) missing: Option<Missing>,
}

#[derive(ClapArgs)]
pub(crate) struct TuneArgs {
    /// A preset (see `onebit presets`), a TOML file, or a table for the preset `table`
    #[arg(value_name = "PRESET | CONFIG.toml | TABLE")]
    pub(crate) preset: String,
    /// Trials in all, those of a search that goes on included
    #[arg(long, value_name = "N", default_value = "30", value_parser = at_least_one)]
    pub(crate) trials: usize,
    /// Seeds of each trial: split, first weights and shuffles change with them
    #[arg(long, value_name = "N", default_value = "3", value_parser = at_least_one)]
    pub(crate) seeds: usize,
    /// Vary these settings in place of the usual ones: KEY=a|b|c or KEY=LOW..HIGH
    #[arg(long, value_name = "KEY=RANGE")]
    pub(crate) vary: Vec<String>,
    /// Data to learn from, as of `onebit train`
    #[arg(long, value_name = "PATH | NAME")]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) dir: DataDirArgs,
    /// Fetch the data first, if they have a name and are not there; see `onebit data get`
    #[arg(long)]
    pub(crate) download: bool,
    #[command(flatten)]
    pub(crate) table: TableArgs,
    /// Seed of the search: what is drawn
    #[arg(long, value_name = "N", default_value = "0")]
    pub(crate) seed: u64,
    /// Epochs of each phase
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) epochs: Option<usize>,
    /// Change one setting of all trials, such as network.hidden=[128]
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) set: Vec<String>,
    /// Folder of the search: its trials, ranking.txt and best.toml [default: tune/NAME]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
}

#[derive(ClapArgs)]
pub(crate) struct RunsArgs {
    /// The folder that the runs lie in
    #[arg(default_value = "runs")]
    pub(crate) folder: PathBuf,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(ClapArgs)]
pub(crate) struct ReportArgs {
    /// The folder of the run
    pub(crate) run: PathBuf,
    /// The file to write [default: report.html in the folder]
    #[arg(long, value_name = "FILE.html")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(ClapArgs)]
pub(crate) struct CompareArgs {
    /// The folders of the runs
    #[arg(required = true, num_args = 2..)]
    pub(crate) runs: Vec<PathBuf>,
    /// Write the curves side by side to this file
    #[arg(long, value_name = "FILE.html")]
    pub(crate) out: Option<PathBuf>,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(ClapArgs)]
pub(crate) struct EvalArgs {
    /// The model file
    pub(crate) model: PathBuf,
    /// Labelled data: a table, a folder of idx files (its test part), or a name of `onebit data list`
    #[arg(long, value_name = "PATH | NAME")]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) dir: DataDirArgs,
    /// Column of the table that holds the class [default: as `onebit train` finds it]
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
    /// The model file
    pub(crate) model: PathBuf,
    /// What to classify: tables (CSV with a header, Parquet, Arrow), .npy arrays (b, features), PNG or JPEG images, idx
    /// files, or folders, which stand for all such files but idx in the order of their names; `-` is standard input
    #[arg(value_name = "INPUT", default_value = "-")]
    pub(crate) inputs: Vec<PathBuf>,
    /// What the inputs are [default: what their first bytes say, else CSV]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Print the K best classes of each row with their scores, in place of all scores
    #[arg(long, value_name = "K", value_parser = at_least_one)]
    pub(crate) top: Option<usize>,
    /// Print one JSON object a row
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
}

/// What rows to classify are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table with a header line, separated by , ; or tabs
    Csv,
    /// A Parquet table
    Parquet,
    /// An Arrow IPC table, a file (Feather) or a stream
    Arrow,
    /// A NumPy array (b, features)
    Npy,
    /// One PNG or JPEG image
    Image,
    /// Images as MNIST has them; its first bytes always say so.
    #[value(skip)]
    Idx,
}

#[derive(ClapArgs)]
pub(crate) struct InspectArgs {
    /// The model file
    pub(crate) model: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(ClapArgs)]
pub(crate) struct ExportArgs {
    /// The model file
    pub(crate) model: PathBuf,
    /// Write NAME.h and NAME.c into this folder: C99 that needs nothing but stdint.h
    #[arg(long, value_name = "DIR", conflicts_with = "json")]
    pub(crate) c: Option<PathBuf>,
    /// What the names in C begin with [default: the model file's name]
    #[arg(long, value_name = "NAME", requires = "c")]
    pub(crate) name: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(ClapArgs)]
pub(crate) struct PresetsArgs {
    /// The preset to print
    pub(crate) name: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum DataCommand {
    /// What there is: samples, size of the download, and where it lies
    List(DataListArgs),
    /// Fetch published sets from their mirrors; what is there already is checked, and a broken-off download goes on
    Get(DataGetArgs),
}

/// Where published sets lie.
#[derive(ClapArgs)]
pub(crate) struct DataDirArgs {
    /// Folder of the published sets [default: $ONEBIT_DATA, or else the user's cache folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(ClapArgs)]
pub(crate) struct DataListArgs {
    #[command(flatten)]
    pub(crate) dir: DataDirArgs,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(ClapArgs)]
pub(crate) struct DataGetArgs {
    /// mnist, fashion-mnist, cifar10 or svhn
    #[arg(value_name = "NAME", required = true)]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) dir: DataDirArgs,
    /// Ask this address first, for URL/NAME/FILE and URL/FILE; may be given several times
    #[arg(long, value_name = "URL", value_parser = mirror)]
    pub(crate) mirror: Vec<String>,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum BenchCommand {
    /// Measure every kernel beside a float product of the same sizes
    ///
    /// m, n and k are the samples, outputs and inputs of a layer (for a convolution: pixels, channels and weights of
    /// one of them), so every product has m n k multiplications: forward y = x w^T, dx = dy w and dw = dy^T x. One
    /// counts as two operations.
    ///
    /// The float GEMM is the crate `gemm` in f32, with as many threads. Kernel, float GEMM and ceiling take turns, 15
    /// times; each figure is a median, and the ratio is that of two medians. The kernel is timed from packed operands;
    /// `prepare` is what packing and rounding cost, which a training step pays once more. The ceiling is a loop of
    /// the same instructions as the kernel's innermost, on registers only, as fast as it runs here and now.
    Kernels(BenchKernelsArgs),
    /// Measure training steps of a preset's network, and what they spend their time on
    ///
    /// The data are random, of the shape that the preset's have; batch and rate are those of its first phase. The time
    /// of a step is a median, the shares are of all steps together: `forward` (products), `dx` (the gradient about the
    /// inputs), `dw+update` (that about the weights, which goes to the optimizer while it is in the cache), `norm`
    /// (everything element by element), `loss`, `data`, and the rest.
    Train(BenchTrainArgs),
    /// Measure how long a model takes to classify, and how much memory
    ///
    /// The samples are random and of the range that the model's features have. Each call classifies one batch, with the
    /// weights packed before; times are those of single calls, so p99 is what one call in a hundred exceeds.
    Infer(BenchInferArgs),
}

#[derive(ClapArgs)]
pub(crate) struct BenchKernelsArgs {
    /// Only the kernel of this name, such as xnor_gemm
    #[arg(long, value_name = "NAME")]
    pub(crate) kernel: Option<String>,
    /// Small sizes and few turns, to see that it works; the figures say nothing
    #[arg(long)]
    pub(crate) quick: bool,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
}

#[derive(ClapArgs)]
pub(crate) struct BenchTrainArgs {
    /// A preset on data whose shape is known (`onebit data list`), or a TOML file
    #[arg(long, value_name = "NAME", default_value = "mnist")]
    pub(crate) preset: String,
    /// Steps that count
    #[arg(long, value_name = "N", default_value = "20", value_parser = at_least_one)]
    pub(crate) steps: usize,
    /// The float twin: the same sizes with real weights and rectified sums
    #[arg(long)]
    pub(crate) float: bool,
    /// Change one setting of the configuration, such as network.hidden=[128]
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) set: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
}

#[derive(ClapArgs)]
pub(crate) struct BenchInferArgs {
    /// The model file
    pub(crate) model: PathBuf,
    /// Samples of a call
    #[arg(long, value_name = "N", default_value = "1", value_parser = at_least_one)]
    pub(crate) batch: usize,
    /// Calls that count, at least; there are more until a second is over
    #[arg(long, value_name = "N", default_value = "100", value_parser = at_least_one)]
    pub(crate) calls: usize,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
}

fn at_least_one(text: &str) -> std::result::Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("expected at least 1".into()),
        Ok(n) => Ok(n),
        Err(_) => Err("expected a whole number, at least 1".into()),
    }
}

fn missing(text: &str) -> std::result::Result<Missing, String> {
    match text {
        "refuse" => Ok(Missing::Refuse),
        "mean" => Ok(Missing::Mean),
        _ => Err("expected refuse or mean".into()),
    }
}

fn key_value(text: &str) -> std::result::Result<String, String> {
    match text.split_once('=') {
        Some((key, _)) if !key.trim().is_empty() => Ok(text.into()),
        _ => Err("expected KEY=VALUE".into()),
    }
}
