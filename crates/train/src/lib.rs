//! Trains networks whose weights and activations are single bits.
//!
//! Two methods share one engine: **straight-through training** (arXiv:1602.02830), which keeps a real latent
//! weight for each bit, and **flip backprop** with FBF learning, which has no real weights: its backward pass
//! carries *flips*, requests to change a bit. A layer owns only bits; everything else that a method keeps for
//! a weight is the state of its [rule](rules::Rule). Both methods therefore update weights the same way:
//! `weights ^= flips`.
//!
//! | module or type | contents |
//! |---|---|
//! | [`Network`], [`layers`] | networks and their layers |
//! | [`rules`], [`optimizers`], [`losses`] | which weights flip, what moves real numbers, what is minimized |
//! | [`Training`], [`Trainer`], [`Phase`] | a training run and its settings |
//! | [`evaluate()`], [`confusion`], [`accuracy`] | evaluation of a network |
//! | [`checkpoint`], [`inspect`], [`teacher`] | resuming a run, looking into steps, knowledge distillation |
//! | [`config`], [`experiment`] | a run as a TOML text, and its execution |
//! | [`record`], [`tune`], [`mod@bench`] | a run on disk, hyper-parameter search, speed of training steps |
//! | [`data`] | data sets: the crate `onebit-data` |
//! | [`layer`], [`step`], [`state`], [`export`] | the interfaces for new layers and rules |
//!
//! Conventions: bit 1 is +1, bit 0 is -1; `sgn(0) = +1`; padding bits are always zero. Letters: `b` batch,
//! `d` depth (thresholds), `i` inputs, `o` outputs. The gradient of `x` is `dx`, its flip signal `x_flip`.
//!
//! ```
//! use onebit_train::{config, experiment};
//!
//! let config = config::preset("iris")?;
//! let split = experiment::load(&config, None)?;
//! let outcome = experiment::training(&config, &split)?.run()?;
//! assert!(outcome.kept().test_accuracy > Some(0.6));
//! # Ok::<(), onebit_train::Error>(())
//! ```

#![forbid(unsafe_code)]

pub mod config;
mod contract;
mod error;
pub mod experiment;
pub mod layers;
pub mod losses;
mod network;
mod numeric;
pub mod optimizers;
pub mod rules;
mod training;

pub use contract::{
    export, layer,
    rounding::Precision,
    state, step,
    value::{ByteScale, Bytes, Signal, Value, Votes},
    weight_gradient,
};
pub use error::{Error, Result};
pub use experiment::{bench, record, tune};
pub use layers::flip::signals as flip;
pub use network::{
    Activation, Architecture, Border, DropoutShares, FlipOptions, LayerSummary, Network, Norm, RealWeights,
    Stage, StraightThroughOptions,
};
pub use numeric::Matrix;
pub use onebit_data as data;
pub use onebit_data::Split;
pub use optimizers::{real_tensor, schedule, schedule::Schedule};
pub use rules::binary_tensor;
pub use training::{
    Batch, EpochReport, Evaluation, Event, Keep, Listener, Outcome, Phase, Progress, Trainer, Training,
    accuracy, checkpoint, confusion, evaluate, evaluate_network, inspect, is_sampled, teacher,
};
