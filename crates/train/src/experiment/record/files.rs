//! The two JSON files of a run: its description and its result.

use onebit_data::{Dataset, ImageShape, Split};
use serde::{Deserialize, Serialize};

use crate::{
    experiment::record::{Environment, Examination, LayerBits},
    network::LayerSummary,
};

/// The description of a run: `run.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    /// Format of the folder.
    pub format: String,
    /// Name of the preset or configuration file.
    pub name: String,
    /// Start time in UTC, such as `2026-11-28T02:14:55Z`.
    pub started: String,
    /// Times at which the run was resumed, in UTC.
    #[serde(default)]
    pub resumed: Vec<String>,
    /// Program and machine.
    pub environment: Environment,
    /// Data.
    pub data: DataInfo,
    /// Index and name of each layer.
    #[serde(default)]
    pub layers: Vec<String>,
    /// Corners of the initial weights.
    #[serde(default)]
    pub weights: Vec<LayerBits>,
}

impl RunInfo {
    /// Format that this version writes.
    pub const FORMAT: &str = "onebit run 1";
}

/// The data of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataInfo {
    /// Number of features.
    pub features: usize,
    /// Names of the first 64 features.
    pub feature_names: Vec<String>,
    /// Height, width and channels, for images.
    pub image: Option<[usize; 3]>,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// The parts: `train`, and `validation` and `test` if present.
    pub parts: Vec<PartInfo>,
}

/// One part of the data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartInfo {
    /// `train`, `validation` or `test`.
    pub part: String,
    /// Number of samples of each class.
    pub counts: Vec<usize>,
}

/// Maximum number of feature names.
const NAMES: usize = 64;

impl DataInfo {
    pub(crate) fn of(parts: &Split) -> Self {
        let train = &parts.train;
        let part = |(part, data): (&str, Option<&Dataset>)| {
            data.map(|data| PartInfo { part: part.into(), counts: data.class_counts() })
        };
        let all = [
            ("train", Some(train)),
            ("validation", parts.validation.as_ref()),
            ("test", parts.test.as_ref()),
        ];
        Self {
            features: train.features(),
            feature_names: train.feature_names().iter().take(NAMES).cloned().collect(),
            image: train.image().map(|ImageShape { height, width, channels }| [height, width, channels]),
            classes: train.label_names().to_vec(),
            parts: all.into_iter().filter_map(part).collect(),
        }
    }
}

/// The state of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// No result yet: the run continues, or was killed.
    #[default]
    Unfinished,
    /// All epochs are finished.
    Finished,
    /// Stopped; the run can be resumed.
    Stopped,
    /// Ended by an error.
    Failed,
}

impl Status {
    /// Returns the state as one word.
    pub fn name(self) -> &'static str {
        match self {
            Status::Unfinished => "unfinished",
            Status::Finished => "finished",
            Status::Stopped => "stopped",
            Status::Failed => "failed",
        }
    }
}

/// The result of a run: `result.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunResult {
    /// State of the run.
    pub status: Status,
    /// Reason of the state, unless the run finished.
    pub reason: Option<String>,
    /// End time in UTC.
    pub ended: String,
    /// Epoch of the kept network, from 1.
    pub epoch: Option<usize>,
    /// Training accuracy in that epoch, measured before each update.
    pub train_accuracy: Option<f64>,
    /// Accuracy of the kept network on the validation part.
    pub validation_accuracy: Option<f64>,
    /// Accuracy of the kept network on the test part.
    pub test_accuracy: Option<f64>,
    /// Seconds spent on training steps since the run began or was last resumed.
    pub seconds: f64,
    /// Training samples per second of that time.
    pub samples_per_second: f64,
    /// Size of the model file in bytes.
    pub model_bytes: Option<usize>,
    /// Reason that there is no model.
    pub no_model: Option<String>,
    /// Index and summary of each layer with parameters.
    pub layers: Vec<(usize, LayerSummary)>,
    /// Corners of the final weights.
    pub weights: Vec<LayerBits>,
    /// Confusion matrix and mistakes.
    pub examination: Option<Examination>,
}
