//! Tables as data sets: one column is the target, the others become features.
//!
//! ```
//! use onebit_data::read_table_from;
//!
//! let file = "width,colour,kind\n1,red,tall\n3,blue,wide\n".as_bytes();
//! let set = read_table_from(file, "boxes.csv", "kind")?;
//! assert_eq!(set.feature_names(), ["width", "colour=blue", "colour=red"]);
//! assert_eq!(set.label_names(), ["tall", "wide"]);
//! assert_eq!(set.gather(&[1]), [3.0, 1.0, 0.0]);
//! # Ok::<(), onebit_data::DataError>(())
//! ```

use std::{collections::HashMap, io::Read, path::Path};

use onebit_model::{ColumnKind, Columns};

use crate::{
    dataset::Dataset,
    error::{DataError, TableError, listed, shown},
    samples::Samples,
    tables::{
        cell::Rows,
        csv::CsvRows,
        encode::{Encoder, UnknownCategory},
        format::TableFile,
        header::is_no_header,
        labels::Labels,
        options::TableOptions,
        raw_column::{RawColumn, Strided, is_gap},
    },
};

/// Maximum number of values in a table, 4 GiB: a small file can claim any number of rows.
const MOST_CELLS: usize = 1 << 30;

/// Reads a CSV, Parquet or Arrow IPC file as training data, with all columns and without missing values. The
/// classes are the distinct values in column `target`, in numeric order if all are numbers, otherwise in
/// alphabetical order. A column of numbers becomes one feature, a text column one feature per distinct text,
/// in alphabetical order.
///
/// # Errors
/// [`DataError::Open`], and the errors of [`read_table_from`].
pub fn read_table(path: impl AsRef<Path>, target: &str) -> Result<Dataset, DataError> {
    read_table_with(path, &TableOptions { target: target.into(), ..TableOptions::default() })
}

/// [`read_table`] with options.
///
/// # Errors
/// Returns the errors of [`read_table`].
pub fn read_table_with(path: impl AsRef<Path>, options: &TableOptions) -> Result<Dataset, DataError> {
    learn(&mut *TableFile::open(path.as_ref())?.into_rows()?, options)
}

/// Reads a CSV text as training data, like [`read_table`]. Messages call it `name`.
///
/// # Errors
/// The header: [`TableError::Empty`], [`TableError::NoHeader`], [`DataError::Duplicate`],
/// [`TableError::NoColumn`], [`TableError::Unnamed`], [`DataError::NoFeatures`]. A column:
/// [`TableError::Identifier`], [`TableError::Categories`], [`TableError::NoValue`],
/// [`TableError::ColumnType`]. A row: [`TableError::Ragged`], [`TableError::Missing`],
/// [`TableError::NotANumber`], [`DataError::NotFinite`]. The target: [`TableError::OneClass`],
/// [`TableError::SameNumber`], [`TableError::Regression`], [`TableError::TooManyClasses`]. The file:
/// [`DataError::NoRows`], [`DataError::Read`], [`DataError::NotText`], [`DataError::Oversize`].
pub fn read_table_from(reader: impl Read, name: &str, target: &str) -> Result<Dataset, DataError> {
    let options = TableOptions { target: target.into(), ..TableOptions::default() };
    learn(&mut CsvRows::new(reader, name)?, &options)
}

/// [`read_table_with`] for rows.
pub(crate) fn learn(rows: &mut dyn Rows, options: &TableOptions) -> Result<Dataset, DataError> {
    let file = rows.file().to_string();
    let names = rows.columns().to_vec();
    let target = find_target(rows, &options.target)?;
    if let Some(unknown) = options.drop.iter().find(|name| !names.contains(name)) {
        let columns = listed(names.iter());
        return Err(TableError::NoColumn { file, column: shown(unknown), columns }.into());
    }
    let features: Vec<usize> =
        (0..names.len()).filter(|&at| at != target && !options.drop.contains(&names[at])).collect();
    if let Some(at) = features.iter().find(|&&at| names[at].is_empty()) {
        return Err(TableError::Unnamed { file, column: at + 1 }.into());
    }
    if features.is_empty() {
        return Err(DataError::NoFeatures { name: file });
    }
    rows.select(&[&features[..], &[target]].concat())?;
    let mut columns: Vec<RawColumn> = features.iter().map(|&at| RawColumn::new(at, &names[at])).collect();
    let step = columns.len();
    let missing = options.missing;
    let mut cells = Vec::new();
    let mut labels = Labels::default();
    while rows.advance()? {
        if cells.len() > MOST_CELLS - step {
            return Err(DataError::Oversize { file, limit: 4 * MOST_CELLS as u64 });
        }
        for (first, column) in columns.iter_mut().enumerate() {
            let cell = column.read(rows, missing, &mut cells, Strided { first, step })?;
            cells.push(cell);
        }
        labels.push(&label(rows, target)?);
    }
    if cells.is_empty() {
        return Err(DataError::NoRows { name: file });
    }
    let (labels, label_names) = labels.finish(&file, &options.target)?;
    let columns = columns.into_iter().enumerate();
    let columns = columns
        .map(|(first, column)| column.finish(&file, missing, &mut cells, Strided { first, step }))
        .collect::<Result<Vec<_>, _>>()?;
    let columns = Columns::new(columns).expect("names are unique, means finite and categories sorted");
    dataset(columns, cells, labels, label_names)
}

/// Expands cells, which are numbers or indices of categories, to features.
fn dataset(
    columns: Columns,
    cells: Vec<u32>,
    labels: Vec<u32>,
    label_names: Vec<String>,
) -> Result<Dataset, DataError> {
    let (cols, names) = (columns.features(), columns.feature_names());
    if columns.are_plain() {
        let values = cells.into_iter().map(f32::from_bits).collect(); // reuses the memory
        return Dataset::new(Samples::Real { cols, values }, labels, label_names, names);
    }
    let numbers = labels.len().saturating_mul(cols);
    if numbers > MOST_CELLS {
        return Err(DataError::Oversize { file: "features".into(), limit: 4 * MOST_CELLS as u64 });
    }
    let (mut values, mut gaps) = (Vec::with_capacity(numbers), Vec::new());
    for row in cells.chunks_exact(columns.as_slice().len()) {
        for (column, &cell) in columns.as_slice().iter().zip(row) {
            match &column.kind {
                ColumnKind::Number { missing: Some(mean) } if is_gap(cell) => {
                    gaps.push(values.len());
                    values.push(*mean);
                }
                ColumnKind::Number { .. } => values.push(f32::from_bits(cell)),
                ColumnKind::Categories(categories) => {
                    values.extend((0..categories.len()).map(|at| f32::from(at as u32 == cell)));
                }
            }
        }
    }
    let set = Dataset::new(Samples::Real { cols, values }, labels, label_names, names)?;
    Ok(set.with_columns(columns, gaps))
}

/// Reads a CSV, Parquet or Arrow IPC file to evaluate a model with these classes and columns, and returns the
/// categories that the model does not know. Columns are chosen by name, otherwise by position if there are as
/// many and none of the model's names occurs elsewhere. Other columns may contain anything.
///
/// # Errors
/// [`TableError::UnknownLabel`] for a label that is not in `label_names`, [`DataError::Duplicate`] if those
/// are not unique, [`TableError::MissingColumns`], and the errors of [`read_table`], except that one class is
/// enough.
pub fn read_table_with_labels(
    path: impl AsRef<Path>,
    target: &str,
    label_names: &[String],
    columns: &Columns,
) -> Result<(Dataset, Vec<UnknownCategory>), DataError> {
    evaluate(&mut *TableFile::open(path.as_ref())?.into_rows()?, target, label_names, columns)
}

/// [`read_table_with_labels`] for rows.
pub(crate) fn evaluate(
    rows: &mut dyn Rows,
    target: &str,
    label_names: &[String],
    columns: &Columns,
) -> Result<(Dataset, Vec<UnknownCategory>), DataError> {
    let target = find_target(rows, target)?;
    let known = KnownLabels::new(label_names);
    let mut encoder = Encoder::new(rows, columns, Some(target))?;
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    while rows.advance()? {
        if values.len() > MOST_CELLS - columns.features() {
            return Err(DataError::Oversize { file: rows.file().into(), limit: 4 * MOST_CELLS as u64 });
        }
        values.extend(encoder.encode(rows)?);
        let name = label(rows, target)?;
        labels.push(known.find(&name).ok_or_else(|| TableError::UnknownLabel {
            place: rows.place(target),
            label: shown(&name),
            known: listed(label_names.iter()),
        })?);
    }
    if labels.is_empty() {
        return Err(DataError::NoRows { name: rows.file().into() });
    }
    let samples = Samples::Real { cols: columns.features(), values };
    let set = Dataset::new(samples, labels, label_names.to_vec(), columns.feature_names())?;
    Ok((set, encoder.unknown().to_vec()))
}

/// The labels of a model as texts and as numbers, because one file may write `1` and another `1.0`.
struct KnownLabels<'a> {
    texts: HashMap<&'a str, u32>,
    numbers: Vec<Option<f64>>,
}

impl<'a> KnownLabels<'a> {
    fn new(names: &'a [String]) -> Self {
        let texts = names.iter().map(String::as_str).zip(0..).collect();
        Self { texts, numbers: names.iter().map(|name| name.parse().ok()).collect() }
    }

    fn find(&self, name: &str) -> Option<u32> {
        self.texts.get(name).copied().or_else(|| {
            let number: f64 = name.parse().ok()?;
            self.numbers.iter().zip(0..).find(|(known, _)| **known == Some(number)).map(|(_, label)| label)
        })
    }
}

/// The position of the target column.
fn find_target(rows: &dyn Rows, target: &str) -> Result<usize, DataError> {
    let names = rows.columns();
    let found = names.iter().position(|name| name == target && !name.is_empty());
    let (file, columns) = (|| rows.file().to_string(), || listed(names.iter()));
    match found {
        _ if is_no_header(names) => Err(TableError::NoHeader { file: file(), columns: columns() }.into()),
        Some(at) => Ok(at),
        None => Err(TableError::NoColumn { file: file(), column: shown(target), columns: columns() }.into()),
    }
}

fn label(rows: &dyn Rows, target: usize) -> Result<std::borrow::Cow<'_, str>, DataError> {
    let missing = || TableError::MissingLabel { place: rows.place(target) }.into();
    rows.cell(target).name().ok_or_else(missing)
}
