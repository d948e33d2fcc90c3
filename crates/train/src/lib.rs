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

mod ap2;
mod architecture;
mod batch_parts;
mod batch_sums;
pub mod bench;
pub mod binary_tensor;
pub mod checkpoint;
pub mod config;
pub mod data;
mod error;
mod evaluate;
pub mod experiment;
pub mod export;
pub mod flip;
pub mod inspect;
pub mod layer;
pub mod layers;
pub mod losses;
mod network;
pub mod optimizers;
mod phase;
mod pool;
pub mod real_tensor;
pub mod record;
mod report;
pub mod rules;
mod run;
pub mod schedule;
mod source;
pub mod state;
pub mod step;
mod straight_through;
mod summary;
pub mod teacher;
mod trainer;
pub mod tune;
mod value;
mod vectorized;
pub mod weight_gradient;

pub use architecture::{Architecture, Stage};
pub use error::{Error, Result};
pub use evaluate::{Judgement, accuracy, confusion, judge, judge_network};
pub use network::{FlipOptions, Network};
pub use phase::{Batch, Phase};
pub use report::{EpochReport, Event, Listener, Outcome, Progress, evenly};
pub use schedule::Schedule;
pub use straight_through::{Activation, Border, DropoutShares, Norm, RealWeights, StraightThroughOptions};
pub use summary::LayerSummary;
pub use trainer::{Keep, Parts, Trainer};
pub use value::{Bytes, Matrix, Signal, Value, Votes};
pub use weight_gradient::Precision;
