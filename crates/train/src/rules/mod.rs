//! Rules: from a signal to the flips of binary weights. Whatever inertia a training method needs
//! is the state of its rule.
//!
//! | rule | bits | method |
//! |---|---|---|
//! | [`Latent`] | `sgn(w)` | BinaryNet, arXiv:1602.02830 |
//! | [`Xnor`] | `sgn(w)`, scaled by `mean \|w\|` | XNOR-Net, arXiv:1603.05279 |
//! | [`Standardized`] | signs of standardized weights | IR-Net, arXiv:1909.10788; ReCU, arXiv:2103.12369 |
//! | [`Rbnn`] | signs of rotated weights | RBNN, arXiv:2009.13055 |
//! | [`Counter`] | signs of small saturating counters | integer flip backprop |
//! | [`Vote`] | where enough samples ask, they flip | flip backprop |

mod angle;
mod beyond;
pub mod binary_tensor;
mod bop;
mod bop2;
mod choice;
mod counter;
mod derivative;
mod latent;
mod latents;
mod rbnn;
mod rotation;
mod standardize;
mod standardized;
mod vote;
mod xnor;

pub use angle::mean_angle;
pub use bop::Bop;
pub use bop2::{Bop2, Correction};
pub use choice::RuleConfig;
pub use counter::{Counter, Counting, Hold};
pub use latent::{Latent, glorot_scale};
pub use rbnn::{Rbnn, Through};
pub use standardized::{Standardization, Standardized};
pub use vote::Vote;
pub use xnor::Xnor;

pub use crate::contract::rule::Rule;
