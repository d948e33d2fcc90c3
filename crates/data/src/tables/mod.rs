//! Tables: CSV, Parquet and Arrow IPC files with a class in every row.
//!
//! | module | contents |
//! |---|---|
//! | `format` | which format a file has, and its rows |
//! | `csv`, `parquet`, `arrow` | the rows of one format; `columnar` serves the last two |
//! | `cell`, `raw_column` | one cell, and what a column of them is read as |
//! | `header`, `target`, `options` | names of columns, which one holds the class, and how to read the rest |
//! | `encode`, `labels` | columns to features, and classes to numbers |
//! | `learn` | a table with classes |
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
