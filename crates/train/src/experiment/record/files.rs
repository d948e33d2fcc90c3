//! The two JSON files of a run: what it is, and what came of it.

use onebit_data::{Dataset, ImageShape, Split};
use serde::{Deserialize, Serialize};

use crate::{
    experiment::record::{Environment, Examination, LayerBits},
    network::LayerSummary,
};

/// What a run is: `run.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    /// The format of the folder.
    pub format: String,
    /// Name of the preset or file that was trained.
    pub name: String,
    /// When it began, in UTC: `2026-11-28T02:14:55Z`.
    pub started: String,
    /// When it was resumed.
    #[serde(default)]
    pub resumed: Vec<String>,
    /// The program and the machine.
    pub environment: Environment,
    /// The data.
    pub data: DataInfo,
    /// Index and name of each layer.
    #[serde(default)]
    pub layers: Vec<String>,
    /// The first weights.
    #[serde(default)]
    pub weights: Vec<LayerBits>,
}

impl RunInfo {
    /// The format that this version writes.
    pub const FORMAT: &str = "onebit run 1";
}

/// The data of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataInfo {
    /// Numbers in a sample.
    pub features: usize,
    /// Their names, of at most 64.
    pub feature_names: Vec<String>,
    /// Height, width and channels, of images.
    pub image: Option<[usize; 3]>,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// `train`, and `validation` and `test` if they are there.
    pub parts: Vec<PartInfo>,
}

/// One part of the data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartInfo {
    /// `train`, `validation` or `test`.
    pub part: String,
    /// Samples of each class.
    pub counts: Vec<usize>,
}

/// Names of features that are kept at most.
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

/// How a run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It has no result yet: it goes on, or was killed.
    #[default]
    Unfinished,
    /// All epochs are done.
    Finished,
    /// It was stopped, and can go on.
    Stopped,
    /// An error ended it.
    Failed,
}

impl Status {
    /// One word.
    pub fn name(self) -> &'static str {
        match self {
            Status::Unfinished => "unfinished",
            Status::Finished => "finished",
            Status::Stopped => "stopped",
            Status::Failed => "failed",
        }
    }
}

/// What came of a run: `result.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunResult {
    /// How it ended.
    pub status: Status,
    /// Why, unless it finished.
    pub reason: Option<String>,
    /// When, in UTC.
    pub ended: String,
    /// Epoch whose network was kept, from 1.
    pub epoch: Option<usize>,
    /// Accuracy of the kept network while it learned.
    pub train_accuracy: Option<f64>,
    /// Its accuracy on the validation part.
    pub validation_accuracy: Option<f64>,
    /// Its accuracy on the test part.
    pub test_accuracy: Option<f64>,
    /// Seconds spent on learning, since the run began or was last resumed.
    pub seconds: f64,
    /// Samples learned from in a second of these.
    pub samples_per_second: f64,
    /// Bytes of the model file.
    pub model_bytes: Option<usize>,
    /// Why there is no model.
    pub no_model: Option<String>,
    /// The layers that have parameters.
    pub layers: Vec<(usize, LayerSummary)>,
    /// The last weights.
    pub weights: Vec<LayerBits>,
    /// Confusions and mistakes.
    pub examination: Option<Examination>,
}
