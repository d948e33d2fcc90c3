//! Tables: CSV, Parquet and Arrow IPC files with a class in every row.
//!
//! | module | contents |
//! |---|---|
//! | `format` | the format of a file, and its rows |
//! | `csv`, `parquet`, `arrow` | the rows of one format; `columnar` serves the last two |
//! | `cell`, `raw_column` | a cell, and the kind of a column of cells |
//! | `header`, `target`, `options` | column names, the target column, and how to read the rest |
//! | `encode`, `labels` | from cells to features, and from labels to classes |
//! | `learn` | a table as training data, or to evaluate a model |
//! | `predict` | rows to predict from |

#[cfg(feature = "columnar")]
mod arrow;
mod cell;
#[cfg(feature = "columnar")]
mod columnar;
mod csv;
mod encode;
mod format;
mod header;
mod labels;
mod learn;
mod options;
#[cfg(feature = "columnar")]
mod parquet;
mod predict;
mod raw_column;
mod target;
#[cfg(test)]
mod tests;

pub use encode::UnknownCategory;
pub(crate) use format::TableFile;
pub use format::{EXTENSIONS, TableFormat};
pub(crate) use learn::{evaluate, learn};
pub use learn::{read_table, read_table_from, read_table_with, read_table_with_labels};
pub use options::{Missing, TableOptions};
pub use predict::{FeatureRows, Table, read_features};
pub use target::default_target;
pub(crate) use target::guess_target;
