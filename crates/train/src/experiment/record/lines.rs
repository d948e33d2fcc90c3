//! The lines of `metrics.jsonl`.

use serde::{Deserialize, Serialize};

use crate::{
    contract::meter::Observation,
    training::{EpochReport, inspect::StepReport},
};

/// One line, a JSON object whose `event` says what it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Line {
    /// A step that was looked at.
    Step(StepLine),
    /// An epoch is over.
    Epoch(EpochLine),
}

impl Line {
    /// Steps that were done by then.
    pub fn step(&self) -> u64 {
        match self {
            Line::Step(line) => line.report.step,
            Line::Epoch(line) => line.step,
        }
    }
}

/// A step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepLine {
    /// Seconds of learning until its end, since the run began or was last resumed.
    pub seconds: f64,
    /// Its fields stand beside `seconds`.
    #[serde(flatten)]
    pub report: StepReport,
}

/// An epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochLine {
    /// Steps that are done.
    pub step: u64,
    /// Epoch over all phases, from 1.
    pub epoch: usize,
    /// Phase, from 1.
    pub phase: usize,
    /// The epoch's rate.
    pub rate: f64,
    /// Mean loss of the epoch, as the samples were met.
    pub loss: f64,
    /// Share of right samples, as they were met.
    pub train_accuracy: f64,
    /// Mean loss on the validation part.
    pub validation_loss: Option<f64>,
    /// Accuracy on the validation part.
    pub validation_accuracy: Option<f64>,
    /// Mean loss on the test part.
    pub test_loss: Option<f64>,
    /// Accuracy on the test part.
    pub test_accuracy: Option<f64>,
    /// Seconds of learning until its end, since the run began or was last resumed.
    pub seconds: f64,
    /// Samples learned from in a second of this epoch.
    pub samples_per_second: f64,
    /// Measures of each layer that has some.
    pub layers: Vec<LayerLine>,
}

/// The measures of a layer over an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerLine {
    /// Index and name, such as `1 bmab`.
    pub layer: String,
    /// Its fields stand beside `layer`.
    #[serde(flatten)]
    pub measures: Observation,
}

impl EpochLine {
    /// Of a report, with the labels of its layers.
    pub(crate) fn new(report: &EpochReport, labels: &[String], step: u64, seconds: f64, rate: f64) -> Self {
        let layers = labels.iter().zip(&report.layers).filter(|(_, (_, o))| *o != Observation::default());
        Self {
            step,
            epoch: report.epoch,
            phase: report.phase,
            rate: report.rate,
            loss: report.loss,
            train_accuracy: report.train_accuracy,
            validation_loss: report.validation_loss,
            validation_accuracy: report.validation_accuracy,
            test_loss: report.test_loss,
            test_accuracy: report.test_accuracy,
            seconds,
            samples_per_second: rate,
            layers: layers.map(|(layer, (_, o))| LayerLine { layer: layer.clone(), measures: *o }).collect(),
        }
    }
}
