//! How a table is read to learn from.

use serde::{Deserialize, Serialize};

/// What becomes of missing values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// They are errors.
    #[default]
    Refuse,
    /// A missing number is the mean of its column over the training part, a missing text a category of its own.
    Mean,
}

/// How a table is read to learn from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableOptions {
    /// The column with the classes.
    pub target: String,
    /// Columns that are left out.
    pub drop: Vec<String>,
    /// What becomes of missing values.
    pub missing: Missing,
}
