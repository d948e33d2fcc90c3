//! The training, validation and test sets of an experiment.

use onebit_model::{Column, ColumnKind, Columns};

use crate::{dataset::Dataset, error::DataError, prepare::Standardize, samples::Samples};

/// The training, validation and test sets of an experiment, with the standardization of their features.
///
/// ```
/// use onebit_data::{Split, iris};
///
/// let split = Split::random(&iris(), 0.2, 42)?;
/// assert_eq!(split.train.len(), 120);
/// assert_eq!(split.test.map(|test| test.len()), Some(30));
/// # Ok::<(), onebit_data::DataError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Split {
    /// The set to learn from.
    pub train: Dataset,
    /// The set to choose by: a run keeps the network that is best on it, and a person tunes settings on it.
    pub validation: Option<Dataset>,
    /// The set to report on.
    pub test: Option<Dataset>,
    /// The standardization of the features, fitted on the training set.
    pub standardize: Standardize,
    /// Whether the samples were preprocessed in a way that a model file cannot hold.
    pub preprocessed: bool,
}

impl Split {
    /// Holds out a random share `test` of the rows for the test set and fits the standardization on the rest:
    /// pixels go to [-1, 1], other features to mean 0 and deviation 1.
    ///
    /// # Errors
    /// [`DataError::Split`] if one of the two sets would be empty.
    pub fn random(data: &Dataset, test: f64, seed: u64) -> Result<Self, DataError> {
        let (train, test) = data.split(test, seed)?;
        Ok(Self::new(train, None, Some(test)))
    }

    /// Combines existing sets. In all of them, missing numbers become the column means of the training set.
    /// The standardization is that of [`random`](Self::random).
    pub fn new(mut train: Dataset, mut validation: Option<Dataset>, mut test: Option<Dataset>) -> Self {
        Dataset::refill(&mut train, [validation.as_mut(), test.as_mut()]);
        let standardize = match train.samples() {
            Samples::Bytes { .. } => Standardize::uniform(127.5, 1.0 / 127.5, train.features()),
            Samples::Real { .. } => Standardize::fit(&train),
        };
        Self { train, validation, test, standardize, preprocessed: false }
    }
}

impl Dataset {
    /// Replaces the missing numbers of all sets, including `train`, by the column means of `train`. A column
    /// without a number there keeps its mean.
    pub fn refill(train: &mut Dataset, others: [Option<&mut Dataset>; 2]) {
        let Some(columns) = train.columns.take() else { return };
        let (cols, mut at) = (train.features(), 0);
        let mut means = vec![0.0; cols];
        let fill = |mut column: Column| {
            if let ColumnKind::Number { missing: Some(mean) } = &mut column.kind {
                if let Samples::Real { values, .. } = &train.samples {
                    *mean = train.gaps.mean(values, cols, at).unwrap_or(*mean);
                }
                means[at] = *mean;
            }
            at += column.features();
            column
        };
        let columns = columns.as_slice().iter().cloned().map(fill).collect();
        let columns = Columns::new(columns).expect("the columns were valid, and a mean is finite");
        for set in [Some(train)].into_iter().chain(others).flatten() {
            if let Samples::Real { values, .. } = &mut set.samples {
                set.gaps.0.iter().for_each(|&gap| values[gap] = means[gap % cols]);
            }
            set.columns = Some(columns.clone());
        }
    }
}
