//! What a run tells: while it goes on, after each epoch, and at its end; and to whom.

use onebit_model::Model;
use serde::{Deserialize, Serialize};

use crate::{
    contract::meter::Observation,
    error::Error,
    network::{LayerSummary, Network},
    training::inspect::StepReport,
};

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
    /// Mean loss on the validation part, of the same; of a teacher nothing enters it.
    #[serde(default)]
    pub validation_loss: Option<f64>,
    /// Accuracy on the test part: of the deployed network, or of the one that learns where it cannot be exported.
    pub test_accuracy: Option<f64>,
    /// Mean loss on the test part, of the same.
    #[serde(default)]
    pub test_loss: Option<f64>,
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
    /// Seconds spent on learning, without evaluation, since the run began or was resumed.
    pub seconds: f64,
}

/// What a run reports while it goes on.
#[non_exhaustive]
pub enum Event<'a> {
    /// The run begins, or goes on from a checkpoint.
    Begin {
        /// As it is now.
        net: &'a Network,
        /// Steps that are done.
        steps: u64,
        /// Samples that were met in them.
        samples: u64,
    },
    /// A step was looked at.
    Step(&'a StepReport),
    /// A batch is done.
    Batch(Progress),
    /// An epoch is done and evaluated.
    Epoch(&'a EpochReport),
    /// All epochs are done.
    End {
        /// The network that was kept, or where that can be deployed the last one.
        net: &'a mut Network,
        /// Whether it can be deployed.
        deployed: bool,
    },
    /// Something that the run can do without went wrong: a checkpoint was not saved, or is damaged.
    Warning(&'a str),
}

/// Who a run tells, and asks.
pub trait Listener {
    /// Hears what happens.
    fn hear(&mut self, event: Event);

    /// Whether step `step` of `steps`, from 1, is to be looked at; it comes as an [`Event::Step`].
    fn looks_at(&mut self, _step: u64, _steps: u64) -> bool {
        false
    }

    /// Whether the run is to stop now, after a batch. It is saved to its checkpoints, and ends with
    /// [`Error::Stopped`](crate::Error::Stopped).
    fn stops(&mut self) -> bool {
        false
    }
}

/// A function that only hears.
pub(crate) struct Hearing<F>(pub(crate) F);

impl<F: FnMut(Event)> Listener for Hearing<F> {
    fn hear(&mut self, event: Event) {
        (self.0)(event);
    }
}

/// Whether `step` of `steps`, from 1, is one of `looks` steps that lie as evenly as they can, the first and the last
/// among them; each step if they are fewer.
pub fn evenly(step: u64, steps: u64, looks: u64) -> bool {
    if steps <= looks || step <= 1 || step >= steps {
        return true;
    }
    let before = |step: u64| (step - 1) * (looks.max(2) - 1) / (steps - 1);
    before(step) > before(step - 1)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_looked_at_evenly() {
        let looked =
            |steps, looks| (1..=steps).filter(|&step| evenly(step, steps, looks)).collect::<Vec<_>>();
        assert_eq!(looked(5, 8), [1, 2, 3, 4, 5]);
        assert_eq!(looked(9, 3), [1, 5, 9]);
        for (steps, looks) in [(1000, 200), (1001, 7), (50_000, 200), (3, 2)] {
            let looked = looked(steps, looks);
            assert_eq!(looked.len() as u64, looks, "{steps}");
            assert_eq!((looked[0], looked[looked.len() - 1]), (1, steps));
            let gaps = || looked.windows(2).map(|w| w[1] - w[0]);
            assert!(gaps().max().unwrap() - gaps().min().unwrap() <= 1, "{steps} {looks}");
        }
    }
}
