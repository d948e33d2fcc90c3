//! The lines of `metrics.jsonl`.

use serde::{Deserialize, Serialize};

use crate::{
    contract::meter::Observation,
    training::{EpochReport, inspect::StepReport},
};

/// One line: a JSON object whose field `event` names its kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Line {
    /// An inspected step.
    Step(StepLine),
    /// A finished epoch.
    Epoch(EpochLine),
}

impl Line {
    /// Returns the number of steps finished by then.
    pub fn step(&self) -> u64 {
        match self {
            Line::Step(line) => line.report.step,
            Line::Epoch(line) => line.step,
        }
    }
}

/// The line of an inspected step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepLine {
    /// Seconds spent on training steps since the run began or was last resumed.
    pub seconds: f64,
    /// Report of the step; its fields are on the level of `seconds`.
    #[serde(flatten)]
    pub report: StepReport,
}

/// The line of a finished epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochLine {
    /// Number of finished steps.
    pub step: u64,
    /// Epoch over all phases, from 1.
    pub epoch: usize,
    /// Phase, from 1.
    pub phase: usize,
    /// Rate of the epoch.
    pub rate: f64,
    /// Mean training loss, measured before each update.
    pub loss: f64,
    /// Training accuracy, measured before each update.
    pub train_accuracy: f64,
    /// Mean loss on the validation part.
    pub validation_loss: Option<f64>,
    /// Accuracy on the validation part.
    pub validation_accuracy: Option<f64>,
    /// Mean loss on the test part.
    pub test_loss: Option<f64>,
    /// Accuracy on the test part.
    pub test_accuracy: Option<f64>,
    /// Seconds spent on training steps since the run began or was last resumed.
    pub seconds: f64,
    /// Training samples per second in this epoch.
    pub samples_per_second: f64,
    /// Measures of the layers that have some.
    pub layers: Vec<LayerLine>,
}

/// The measures of a layer over an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerLine {
    /// Index and name, such as `1 bmab`.
    pub layer: String,
    /// Measures of the layer; their fields are on the level of `layer`.
    #[serde(flatten)]
    pub measures: Observation,
}

impl EpochLine {
    /// Creates the line of a report; `labels` are those of its layers, `rate` is in samples per second.
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
