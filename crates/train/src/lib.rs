//! Train networks whose weights and activations are single bits.
//!
//! Two methods share one engine: **straight-through training** (arXiv:1602.02830), with real latent weights
//! behind the bits, and **flip backprop** with FBF learning, with none: what travels back is *flips*.
//! One idea holds them together: a layer owns only bits; whatever inertia a method needs is the state of
//! its [rule](rules::Rule). So there is one verb for both, `weights ^= flips`.
//!
//! Conventions: bit 1 is +1, bit 0 is -1; `sgn(0) = +1`; padding bits are zero, always. Letters: `b` batch,
//! `d` depth (thresholds), `i` inputs, `o` outputs. The gradient of `x` is `dx`, its flip signal `x_flip`.
//!
//! ```
//! use onebit_train::{config, experiment};
//!
//! let config = config::preset("iris")?;
//! let parts = experiment::load(&config, None)?;
//! let outcome = experiment::run(&config, &parts, &onebit_bits::Engine::single(), |_| {})?;
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
    value::{Bytes, Signal, Value, Votes},
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
pub use onebit_data::Parts;
pub use optimizers::{real_tensor, schedule, schedule::Schedule};
pub use rules::binary_tensor;
pub use training::{
    Batch, EpochReport, Event, Judgement, Keep, Listener, Outcome, Phase, Progress, Trainer, accuracy,
    checkpoint, confusion, evenly, inspect, judge, judge_network, teacher,
};
