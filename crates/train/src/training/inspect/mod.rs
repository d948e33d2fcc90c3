//! Inspection of single steps: outputs, gradients, and the per-weight state of the rules.
//!
//! An inspected step computes the same as any other. Its report is small for networks of any size: histograms
//! of evenly spaced samples, and the bit means of a few features.

mod bit_means;
mod histogram;
mod inspector;
mod report;

pub use bit_means::BitMeans;
pub use histogram::Histogram;
pub(crate) use inspector::Inspector;
pub use report::{Inertia, LayerReport, StepReport};
