//! The flags of `onebit bench`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::shared::{EngineArgs, at_least_one, key_value};

#[derive(Subcommand)]
pub(crate) enum BenchCommand {
    /// Measure every kernel next to a float product of the same sizes
    ///
    /// m, n and k are the samples, outputs and inputs of a layer; for a convolution they are pixels, channels
    /// and weights of one kernel. Each of the products forward y = x w^T, dx = dy w and dw = dy^T x has m n k
    /// multiplications. One multiplication counts as two operations.
    ///
    /// The float product is f32 by the crate `gemm`, with the same number of threads. Kernel, float product
    /// and ceiling are timed in turn, 15 times; each figure is a median, and the ratio is that of two
    /// medians. The kernel is timed with packed operands; `prepare` is the time for packing and rounding,
    /// which a training step adds once. The ceiling is the speed of a loop with the same instructions as the
    /// kernel's inner loop, on registers only.
    Kernels(BenchKernelsArgs),
    /// Measure the training steps of a preset's network, and where their time goes
    ///
    /// The data are random and have the shape of the preset's data; batch size and rate are those of its
    /// first phase. The time of a step is a median; the shares are of all steps together: `forward`
    /// (products), `dx` (gradient of the inputs), `dw+update` (gradient of the weights with the optimizer's
    /// step), `norm` (element-wise layers), `loss`, `data` and the rest.
    Train(BenchTrainArgs),
    /// Measure how long a model takes to classify, and its memory
    ///
    /// The samples are random, in the range of the model's features. Each call classifies one batch; the
    /// weights are packed before the first call. Times are those of single calls, so one call in a hundred
    /// takes longer than p99.
    Infer(BenchInferArgs),
}

#[derive(ClapArgs)]
pub(crate) struct BenchKernelsArgs {
    /// Kernel to measure, such as xnor_gemm [default: all]
    #[arg(long, value_name = "NAME")]
    pub(crate) kernel: Option<String>,
    /// Use small sizes and few repetitions, to check that everything runs; the figures mean nothing
    #[arg(long)]
    pub(crate) quick: bool,
    /// Print JSON, one object per line
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
}

#[derive(ClapArgs)]
pub(crate) struct BenchTrainArgs {
    /// Preset for a data set of known shape (see `onebit data list`), or a TOML file
    #[arg(long, value_name = "NAME", default_value = "mnist")]
    pub(crate) preset: String,
    /// Number of steps to measure
    #[arg(long, value_name = "N", default_value = "20", value_parser = at_least_one)]
    pub(crate) steps: usize,
    /// Measure the float twin: the same sizes with real weights and ReLU
    #[arg(long)]
    pub(crate) float: bool,
    /// Setting to change in the configuration, such as network.hidden=[128]; repeat the flag for several
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
    /// Model file
    pub(crate) model: PathBuf,
    /// Number of samples in each call
    #[arg(long, value_name = "N", default_value = "1", value_parser = at_least_one)]
    pub(crate) batch: usize,
    /// Minimum number of calls; calls go on until a second has passed
    #[arg(long, value_name = "N", default_value = "100", value_parser = at_least_one)]
    pub(crate) calls: usize,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
}
