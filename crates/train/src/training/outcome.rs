//! The result of a run.

use onebit_model::Model;

use crate::{error::Error, network::LayerSummary, training::events::EpochReport};

/// The result of a run.
pub struct Outcome {
    /// The deployable network, unless a layer cannot be exported.
    pub model: Option<Model>,
    /// The reason that the last network could not be exported, if so.
    pub not_exported: Option<Error>,
    /// Epoch of the kept network, from 1.
    pub epoch: usize,
    /// Index and summary of each layer with parameters, after the last epoch.
    pub summary: Vec<(usize, LayerSummary)>,
    /// One report for each epoch.
    pub epochs: Vec<EpochReport>,
    /// Seconds spent on training steps, without evaluation, since the run began or was last resumed.
    pub seconds: f64,
    /// Samples trained on in that time; a sample counts once for each epoch.
    pub samples: u64,
}

impl Outcome {
    /// Returns the deployable network.
    ///
    /// # Errors
    /// [`Error::Export`] when a layer cannot be exported.
    pub fn into_model(self) -> Result<Model, Error> {
        let missing =
            || Error::shape("model", "a deployable network, or the reason for its absence", "neither");
        self.model.ok_or_else(|| self.not_exported.unwrap_or_else(missing))
    }

    /// Returns the report of the epoch whose network was kept.
    pub fn kept(&self) -> &EpochReport {
        &self.epochs[self.epoch - 1]
    }
}
