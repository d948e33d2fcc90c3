//! Rules: from a signal to the flips of binary weights. A training method keeps its inertia, such as latent
//! weights or averages, in the state of its rule.
//!
//! | rule | bits | method |
//! |---|---|---|
//! | [`Latent`] | `sgn(w)` | BinaryNet, arXiv:1602.02830 |
//! | [`Xnor`] | `sgn(w)`, scaled by `mean \|w\|` | XNOR-Net, arXiv:1603.05279 |
//! | [`Standardized`] | signs of standardized weights | IR-Net, arXiv:1909.10788; ReCU, arXiv:2103.12369 |
//! | [`Rbnn`] | signs of rotated weights | RBNN, arXiv:2009.13055 |
//! | [`Bop`] | flip where an average gradient exceeds a threshold | Bop, arXiv:1906.02107 |
//! | [`Bop2`] | the same, relative to the gradients' size | second-order Bop, arXiv:2104.05124 |
//! | [`Counter`] | signs of small saturating counters | integer flip backprop |
//! | [`Vote`] | flip where enough samples ask for it | flip backprop |

mod angle;
pub mod binary_tensor;
mod bop;
mod bop2;
mod choice;
mod counter;
mod derivative;
mod flip_beyond;
mod latent;
mod latent_weights;
mod one_pass;
mod rbnn;
mod rotation;
mod standardized;
mod vote;
mod weight_standardization;
mod xnor;

pub use angle::mean_angle;
pub use bop::Bop;
pub use bop2::{Bop2, Correction};
pub use choice::RuleConfig;
pub use counter::{Counter, Counting, RateTarget};
pub use latent::Latent;
pub use latent_weights::glorot_scale;
pub use rbnn::{GradientPath, Rbnn};
pub use standardized::{Standardization, Standardized};
pub use vote::Vote;
pub use xnor::Xnor;

pub use crate::contract::rule::Rule;
