//! Where a run is: what it has behind it.

use serde::{Deserialize, Serialize};

use crate::training::events::EpochReport;

/// What a run has behind it, besides the state of its network.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Past {
    /// Epochs that are done and evaluated: one report each.
    pub(crate) reports: Vec<EpochReport>,
    /// The present epoch.
    pub(crate) sums: Sums,
    /// The best network so far, when it is to be kept.
    pub(crate) best: Option<Best>,
}

/// What the batches of an epoch add up to.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Sums {
    /// How many are done.
    pub(crate) batch: usize,
    /// The loss over their samples.
    pub(crate) loss: f64,
    /// How many of these were right.
    pub(crate) right: usize,
}

/// A network that was better than those before it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Best {
    /// Its epoch, from 1.
    pub(crate) epoch: usize,
    /// Whether it is kept as the network to deploy; else it is kept as its state.
    pub(crate) deployed: bool,
    /// The file of the one or of the other.
    #[serde(skip)]
    pub(crate) bytes: Vec<u8>,
}
