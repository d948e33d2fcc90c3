//! How to read a table as training data.

use serde::{Deserialize, Serialize};

/// How to treat missing values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// Refuse them with an error.
    #[default]
    Refuse,
    /// Replace a missing number by the mean of its column over the training part; make a missing text a
    /// separate category.
    Mean,
}

/// How to read a table as training data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableOptions {
    /// The target column, which contains the classes.
    pub target: String,
    /// Columns to leave out.
    pub drop: Vec<String>,
    /// How to treat missing values.
    pub missing: Missing,
}
