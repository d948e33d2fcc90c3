//! Phases of training: number of epochs, batch size, and rate.

use std::fmt::Display;

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    optimizers::schedule::Schedule,
};

/// Maximum number of epochs; a larger number is taken for a mistake.
const MOST_EPOCHS: usize = 1_000_000;

/// Number of samples in a step; in a configuration a number or `"all"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BatchText", into = "BatchText")]
pub enum Batch {
    /// A fixed number. An epoch skips the remainder of its shuffled order; a training set smaller than this
    /// is one batch.
    Size(usize),
    /// The whole training set.
    All,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number of samples or \"all\"")]
enum BatchText {
    Size(usize),
    Word(String),
}

impl TryFrom<BatchText> for Batch {
    type Error = String;

    fn try_from(text: BatchText) -> std::result::Result<Self, String> {
        match text {
            BatchText::Size(size) => Ok(Batch::Size(size)),
            BatchText::Word(word) if word == "all" => Ok(Batch::All),
            BatchText::Word(word) => {
                Err(format!("batch: expected a number of samples or \"all\", got \"{word}\""))
            }
        }
    }
}

impl From<Batch> for BatchText {
    fn from(batch: Batch) -> Self {
        match batch {
            Batch::Size(size) => BatchText::Size(size),
            Batch::All => BatchText::Word("all".into()),
        }
    }
}

/// Epochs with the same settings.
///
/// ```
/// use onebit_train::{Batch, Phase, Schedule};
///
/// let constant = Phase::new(10, Batch::Size(32), 0.5);
/// assert_eq!(constant.rate_at(9), 0.5);
/// let halved = Phase { schedule: Schedule::Step { factor: 0.5, every: 4 }, ..constant };
/// assert_eq!([0, 3, 4, 8].map(|epoch| halved.rate_at(epoch)), [0.5, 0.5, 0.25, 0.125]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Phase {
    /// Passes over the training set.
    pub epochs: usize,
    /// Samples in a step.
    pub batch: Batch,
    /// Rate in the first epoch. In flip backprop, the share of requested flips that are carried out, `2^-s`
    /// at suppressor level `s`; in integer flip backprop, the mean change of a counter in a step as a share
    /// of its range; in straight-through training, the learning rate.
    pub rate: f64,
    /// Change of the rate over the phase.
    pub schedule: Schedule,
}

impl Phase {
    /// A phase with a constant rate.
    pub fn new(epochs: usize, batch: Batch, rate: f64) -> Self {
        Self { epochs, batch, rate, schedule: Schedule::Constant }
    }

    /// Returns the rate of epoch `epoch` of this phase, counted from 0.
    pub fn rate_at(&self, epoch: usize) -> f64 {
        self.schedule.rate_at(self.rate, epoch, self.epochs)
    }

    /// Checks the settings; error messages prepend `prefix` to their names.
    pub(crate) fn check(&self, prefix: &str) -> Result<()> {
        let setting = |name, expected: &str, got: &dyn Display| {
            Err(Error::setting(format!("{prefix}{name}"), expected, got))
        };
        if !(1..=MOST_EPOCHS).contains(&self.epochs) {
            return setting("epochs", &format!("1 to {MOST_EPOCHS}"), &self.epochs);
        }
        if self.batch == Batch::Size(0) {
            return setting("batch", "at least 1 sample, or \"all\"", &0);
        }
        if !(self.rate > 0.0 && self.rate.is_finite()) {
            return setting("rate", "a positive number", &self.rate);
        }
        self.schedule.check(prefix, self.epochs)
    }
}
