//! The report of an inspected step.

use serde::{Deserialize, Serialize};

use crate::training::inspect::{BitMeans, Histogram};

/// The report of an inspected step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// Step over all epochs, from 1.
    pub step: u64,
    /// Epoch over all phases, from 1.
    pub epoch: usize,
    /// Phase, from 1.
    pub phase: usize,
    /// Rate of the epoch.
    pub rate: f64,
    /// Mean loss over the samples of the step.
    pub loss: f64,
    /// Share of the step's samples that were classified correctly.
    pub accuracy: f64,
    /// One report for each layer.
    pub layers: Vec<LayerReport>,
}

/// The report of one layer in an inspected step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LayerReport {
    /// Index and name, such as `1 bmab`.
    pub layer: String,
    /// Means of its output, if that is bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits: Option<BitMeans>,
    /// Histogram of its output, if that is real numbers; the scores in the last layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Histogram>,
    /// Share of ones in the flip signal that it received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flip_ratio: Option<f64>,
    /// Histogram of the gradient that it received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient: Option<Histogram>,
    /// Per-weight state of its rule after the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inertia: Option<Inertia>,
}

/// The per-weight state of a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inertia {
    /// Kind of the state: `latent weights`, `counters`, `averages` or `votes`.
    pub name: String,
    /// Histogram of its values.
    pub histogram: Histogram,
}
