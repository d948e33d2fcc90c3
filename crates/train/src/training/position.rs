//! The position of a run between two batches, as checkpoints save it.

use serde::{Deserialize, Serialize};

use crate::training::events::EpochReport;

/// The progress of a run, apart from the state of its network.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Position {
    /// One report for each epoch that is finished and evaluated.
    pub(crate) reports: Vec<EpochReport>,
    /// Sums over the current epoch.
    pub(crate) sums: EpochSums,
    /// The best network so far, if the run keeps the best one.
    pub(crate) best: Option<BestNetwork>,
}

/// Sums over the batches of an epoch.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct EpochSums {
    /// Number of finished batches.
    pub(crate) batch: usize,
    /// Sum of the loss over their samples.
    pub(crate) loss: f64,
    /// Number of their samples that were classified correctly.
    pub(crate) right: usize,
}

/// The network with the best validation accuracy so far.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct BestNetwork {
    /// Its epoch, from 1.
    pub(crate) epoch: usize,
    /// Whether `bytes` is a model file; otherwise it is a checkpoint of the network's state.
    pub(crate) deployed: bool,
    /// The model file or the checkpoint.
    #[serde(skip)]
    pub(crate) bytes: Vec<u8>,
}
