//! What a run tells: while it goes on, after each epoch, and at its end.

use onebit_model::Model;
use serde::{Deserialize, Serialize};

use crate::{error::Error, layer::Observation, summary::LayerSummary};

/// What happened in an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochReport {
    /// Epoch over all phases, from 1.
    pub epoch: usize,
    /// Phase, from 1.
    pub phase: usize,
    /// The epoch's rate.
    pub rate: f64,
    /// Mean loss over the epoch's batches, as they were met.
    pub loss: f64,
    /// Share of the epoch's samples that were right, as they were met.
    pub train_accuracy: f64,
    /// Accuracy on the validation part: of the deployed network, or of the one that learns where it cannot be exported.
    pub validation_accuracy: Option<f64>,
    /// Accuracy on the test part: of the deployed network, or of the one that learns where it cannot be exported.
    pub test_accuracy: Option<f64>,
    /// Name and measures of each layer.
    pub layers: Vec<(String, Observation)>,
}

impl EpochReport {
    /// Share of all observed weights that flipped in a step: the mean over layers.
    pub fn update_ratio(&self) -> Option<f64> {
        let ratios: Vec<f64> = self.layers.iter().filter_map(|(_, o)| o.update_ratio).collect();
        (!ratios.is_empty()).then(|| ratios.iter().sum::<f64>() / ratios.len() as f64)
    }
}

/// Where a run is, after each batch.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Samples met since the start of the run.
    pub done: u64,
    /// Samples that the whole run will meet.
    pub total: u64,
    /// Epoch over all phases, from 1.
    pub epoch: usize,
    /// Epochs of the whole run.
    pub epochs: usize,
    /// Mean loss of the epoch so far.
    pub loss: f64,
    /// Share of right samples of the epoch so far.
    pub accuracy: f64,
}

/// What a run reports while it goes on.
pub enum Event<'a> {
    /// A batch is done.
    Batch(Progress),
    /// An epoch is done and evaluated.
    Epoch(&'a EpochReport),
    /// Something that the run can do without went wrong: a checkpoint was not saved, or is damaged.
    Warning(&'a str),
}

/// What a run leaves behind.
pub struct Outcome {
    /// The network to deploy, unless a layer cannot be exported.
    pub model: Option<Model>,
    /// Why there is no model.
    pub not_exported: Option<Error>,
    /// Epoch of that network, from 1.
    pub epoch: usize,
    /// Layers that have parameters, as they are after the last epoch, each with its index.
    pub summary: Vec<(usize, LayerSummary)>,
    /// One report an epoch.
    pub epochs: Vec<EpochReport>,
    /// Seconds spent on learning, without evaluation, since the run began or was resumed.
    pub seconds: f64,
    /// Samples learned from in that time, counted as often as they were met.
    pub samples: u64,
}

impl Outcome {
    /// The network to deploy.
    ///
    /// # Errors
    /// [`Error::Export`] when a layer cannot be exported.
    pub fn into_model(self) -> Result<Model, Error> {
        let missing =
            || Error::shape("model", "a network to deploy, or a reason why there is none", "neither");
        self.model.ok_or_else(|| self.not_exported.unwrap_or_else(missing))
    }

    /// The report of the epoch whose network was kept.
    pub fn kept(&self) -> &EpochReport {
        &self.epochs[self.epoch - 1]
    }
}
