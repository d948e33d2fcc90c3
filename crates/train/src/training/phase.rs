//! Phases of training: how long, how many samples a step, at what rate.

use std::fmt::Display;

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    optimizers::schedule::Schedule,
};

/// More epochs than this are a mistake.
const MOST_EPOCHS: usize = 1_000_000;

/// How many samples make a step: in a text a number, or `"all"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BatchText", into = "BatchText")]
pub enum Batch {
    /// So many. What is left over at the end of an epoch waits for the next shuffle; a set smaller than
    /// this is one batch.
    Size(usize),
    /// The whole training set: offline learning.
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

/// A stretch of training with the same settings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Phase {
    /// Passes over the training set.
    pub epochs: usize,
    /// Samples of a step.
    pub batch: Batch,
    /// Rate in the first epoch. In flip training the share of requested flips that is carried out,
    /// `2^-s` at suppressor level `s`; in straight-through training the learning rate.
    pub rate: f64,
    /// What becomes of the rate over the phase.
    pub schedule: Schedule,
}

impl Phase {
    /// A phase with one rate.
    pub fn new(epochs: usize, batch: Batch, rate: f64) -> Self {
        Self { epochs, batch, rate, schedule: Schedule::Constant }
    }

    /// The rate of epoch `epoch` of this phase, from 0.
    pub fn rate_at(&self, epoch: usize) -> f64 {
        self.schedule.rate_at(self.rate, epoch, self.epochs)
    }

    /// Says what is wrong with the phase; `prefix` stands before the names of its settings.
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
