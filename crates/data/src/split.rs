//! The parts of a data set: to learn from, to choose by, to report on.

use crate::{
    dataset::{Dataset, Samples},
    error::DataError,
    prepare::Standardize,
};

/// The parts of a data set.
#[derive(Clone, Debug)]
pub struct Split {
    /// Learned from.
    pub train: Dataset,
    /// Chosen by, by a run that keeps its best network, or by a person who tunes settings.
    pub validation: Option<Dataset>,
    /// Reported on.
    pub test: Option<Dataset>,
    /// What is done to the features, fitted on the training part.
    pub standardize: Standardize,
    /// Whether something was done to the samples that a model file cannot hold.
    pub preprocessed: bool,
}

impl Split {
    /// Holds out a share for the test, by `seed`, and fits the standardization on the rest: pixels go to
    /// [-1, 1], other features to mean 0 and deviation 1.
    ///
    /// # Errors
    /// [`DataError::Split`] when one of the two would be empty.
    pub fn random(data: &Dataset, test: f64, seed: u64) -> Result<Self, DataError> {
        let (train, test) = data.split(test, seed)?;
        Ok(Self::new(train, None, Some(test)))
    }

    /// Sets that exist already. Where numbers were missing, the mean of the training part stands in all of them.
    pub fn new(mut train: Dataset, mut validation: Option<Dataset>, mut test: Option<Dataset>) -> Self {
        Dataset::refill(&mut train, [validation.as_mut(), test.as_mut()]);
        let standardize = match train.samples() {
            Samples::Bytes { .. } => Standardize::uniform(127.5, 1.0 / 127.5, train.features()),
            Samples::Real { .. } => Standardize::fit(&train),
        };
        Self { train, validation, test, standardize, preprocessed: false }
    }
}
