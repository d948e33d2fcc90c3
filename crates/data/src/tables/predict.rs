//! Features to predict from: the columns that a model needs, read from any table row by row.
//!
//! ```
//! use onebit_data::FeatureRows;
//!
//! let file = "height,name,width\n2,anna,1\n4,bert,3\n".as_bytes(); // any `Read`: stdin as well
//! let wanted = ["width", "height"].map(String::from);
//! let rows: Vec<Vec<f32>> = FeatureRows::new(file, "stdin", &wanted)?.collect::<Result<_, _>>()?;
//! assert_eq!(rows, [[1.0, 2.0], [3.0, 4.0]]);
//! # Ok::<(), onebit_data::DataError>(())
//! ```

use std::{io::Read, path::Path};

use onebit_model::Columns;

use crate::{
    dataset::first_duplicate,
    error::{DataError, TableError, listed},
    tables::{
        cell::Rows,
        encode::{Encoder, UnknownCategory},
        format::{TableFile, TableFormat, table_of},
        header::is_no_header,
    },
};

/// The rows of a table as the features of a model: an iterator over `(i)` numbers in constant memory.
pub struct FeatureRows<'a> {
    rows: Box<dyn Rows + 'a>,
    encoder: Encoder,
}

impl<'a> FeatureRows<'a> {
    /// Reads the header line of a CSV text, which messages call `name`. Number columns are chosen
    ///
    /// 1. by name if all `wanted` names are in the header; other columns are ignored;
    /// 2. otherwise by position if the number of columns is right and no wanted name is in another position.
    ///
    /// # Errors
    /// [`TableError::MissingColumns`] if neither is possible, [`TableError::NoHeader`] if a choice by
    /// position would take a row of numbers for the header, [`TableError::Empty`], [`DataError::Duplicate`]
    /// if a column or a wanted name occurs twice, [`DataError::NoFeatures`] if nothing is wanted,
    /// [`DataError::Read`] and [`DataError::NotText`].
    ///
    /// Each row can be an error: [`TableError::Ragged`], [`TableError::MissingForModel`],
    /// [`TableError::NotANumber`], [`DataError::NotFinite`], [`DataError::NotText`], [`TableError::LongRow`]
    /// above 4 MiB, [`DataError::Read`].
    pub fn new(reader: impl Read + 'a, name: &str, wanted: &[String]) -> Result<Self, DataError> {
        if wanted.is_empty() {
            return Err(DataError::NoFeatures { name: name.to_string() });
        }
        Self::with_columns(reader, name, TableFormat::Csv, &plain(name, wanted)?)
    }

    /// [`new`](Self::new) for any format and any kind of columns. A Parquet stream is buffered whole; prefer
    /// [`open`](Self::open) for files.
    ///
    /// # Errors
    /// Returns the errors of [`new`](Self::new), and [`TableError::Damaged`], [`TableError::Unsupported`],
    /// [`DataError::Oversize`] or [`TableError::ColumnType`] for Parquet and Arrow.
    pub fn with_columns(
        reader: impl Read + 'a,
        name: &str,
        format: TableFormat,
        columns: &Columns,
    ) -> Result<Self, DataError> {
        Self::of(table_of(reader, name, format)?, columns)
    }

    /// [`with_columns`](Self::with_columns) for a file, in the format that its first bytes show.
    ///
    /// # Errors
    /// [`DataError::Open`], and the errors of [`with_columns`](Self::with_columns).
    pub fn open(path: impl AsRef<Path>, columns: &Columns) -> Result<FeatureRows<'static>, DataError> {
        FeatureRows::of(TableFile::open(path.as_ref())?.into_rows()?, columns)
    }

    fn of(mut rows: Box<dyn Rows + 'a>, columns: &Columns) -> Result<Self, DataError> {
        let encoder = Encoder::new(&mut *rows, columns, None)?;
        let header = rows.columns();
        let named = columns.as_slice().iter().any(|column| header.contains(&column.name));
        if !named && is_no_header(header) {
            return Err(
                TableError::NoHeader { file: rows.file().into(), columns: listed(header.iter()) }.into()
            );
        }
        Ok(Self { rows, encoder })
    }

    /// The categories so far that the model does not know, one per column.
    pub fn unknown(&self) -> &[UnknownCategory] {
        self.encoder.unknown()
    }
}

fn plain(name: &str, wanted: &[String]) -> Result<Columns, DataError> {
    let name = || name.to_string();
    match first_duplicate(wanted) {
        Some(twice) => Err(DataError::Duplicate { name: name(), what: "column", twice }),
        None => Ok(Columns::numbers(wanted.iter().cloned()).expect("names are unique")),
    }
}

impl Iterator for FeatureRows<'_> {
    type Item = Result<Vec<f32>, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.rows.advance() {
            Ok(true) => Some(self.encoder.encode(&*self.rows)),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

/// Rows of features without labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Number of features, `i`; at least 1.
    pub cols: usize,
    /// The values, `(b, i)`.
    pub values: Vec<f32>,
}

impl Table {
    /// Number of rows, `b`.
    pub fn rows(&self) -> usize {
        self.values.len() / self.cols
    }
}

/// Reads all rows of the columns that a model needs, chosen as by [`FeatureRows::new`].
///
/// # Errors
/// [`DataError::Open`], [`DataError::NoRows`], and the errors of [`FeatureRows::new`] and of its rows.
pub fn read_features(path: impl AsRef<Path>, wanted: &[String]) -> Result<Table, DataError> {
    let name = path.as_ref().display().to_string();
    if wanted.is_empty() {
        return Err(DataError::NoFeatures { name });
    }
    let mut values = Vec::new();
    for row in FeatureRows::open(path, &plain(&name, wanted)?)? {
        values.extend(row?);
    }
    match values.len() {
        0 => Err(DataError::NoRows { name }),
        _ => Ok(Table { cols: wanted.len(), values }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All rows of the columns `width` and `height`.
    fn rows(text: &str) -> Result<Vec<Vec<f32>>, String> {
        let wanted = ["width", "height"].map(String::from);
        let rows = FeatureRows::new(text.as_bytes(), "f.csv", &wanted).map_err(|error| error.to_string())?;
        rows.collect::<Result<_, _>>().map_err(|error| error.to_string())
    }

    #[test]
    fn columns_are_chosen_by_name_before_position() {
        let expected = Ok(vec![vec![1.0, 2.0], vec![3.0, 4.0]]);
        for text in [
            "width,height\n1,2\n3,4\n",
            "height,width\n2,1\n4,3\n",
            ",height,name,width,\n7,2,anna,1,\n8,4,,3,x\n",
            "w,h\n1,2\n3,4\n",
            "width,h\n1,2\n3,4\n",
        ] {
            assert_eq!(rows(text), expected, "{text}");
        }
        assert_eq!(rows("width,height\n"), Ok(vec![]));
    }

    #[test]
    fn columns_that_cannot_be_chosen() {
        let missing = |columns: &str, got: usize| {
            Err(format!("f.csv: missing column {columns}; the model needs 2 columns, the file has {got}"))
        };
        assert_eq!(rows("w,h,d\n1,2,3\n"), missing("width, height", 3));
        assert_eq!(rows("width\n1\n"), missing("height", 1));
        assert_eq!(rows("height,w\n2,1\n"), missing("width", 2)); // by position, they would be swapped
        assert_eq!(
            rows("1.5,2\n3,4\n"),
            Err("f.csv: expected a header line with the column names, got only numbers: 1.5, 2; put one before it".into())
        );
        assert_eq!(rows("w,w\n1,2\n"), Err("f.csv: column `w` appears twice".into()));
        let none = FeatureRows::new(&b"w\n1\n"[..], "f.csv", &[]).err().unwrap().to_string();
        assert_eq!(none, "f.csv: expected at least one feature column, got none");
        let twice = FeatureRows::new(&b"w\n1\n"[..], "f.csv", &["w", "w"].map(String::from));
        assert_eq!(twice.err().unwrap().to_string(), "f.csv: column `w` appears twice");
    }

    #[test]
    fn a_bad_row_does_not_hide_the_next() {
        let wanted = ["x".to_string()];
        let text = b"x,y\n1,\nno,2\n3\n4,4\n";
        let rows: Vec<_> = FeatureRows::new(&text[..], "f.csv", &wanted).unwrap().collect();
        let shown =
            |row: &Result<Vec<f32>, DataError>| row.as_ref().map_err(|error| error.to_string()).cloned();
        assert_eq!(
            rows.iter().map(shown).collect::<Vec<_>>(),
            [
                Ok(vec![1.0]),
                Err("f.csv, line 3, column `x`: expected a number, got `no`".into()),
                Err("f.csv, line 4: expected 2 fields, got 1".into()),
                Ok(vec![4.0]),
            ]
        );
    }

    #[test]
    fn rows_of_every_kind_of_column() {
        use onebit_model::{Column, ColumnKind};
        let column = |name: &str, kind| Column { name: name.into(), kind };
        let colours = ["", "blue", "red"].map(String::from).to_vec();
        let doors = ["2", "5more"].map(String::from).to_vec();
        let columns = Columns::new(vec![
            column("colour", ColumnKind::Categories(colours)),
            column("width", ColumnKind::Number { missing: Some(7.0) }),
            column("doors", ColumnKind::Categories(doors)),
        ])
        .unwrap();
        let read = |text: &'static str| {
            FeatureRows::with_columns(text.as_bytes(), "f.csv", TableFormat::Csv, &columns).unwrap()
        };
        let mut rows =
            read("width,doors,colour\n1,2,red\n?,5more,\n2,9,green\n2,9,black\n1,?,red\nx,2,red\n");
        let mut next = || rows.next().unwrap().map_err(|error| error.to_string());
        assert_eq!(next(), Ok(vec![0.0, 0.0, 1.0, 1.0, 1.0, 0.0]));
        assert_eq!(next(), Ok(vec![1.0, 0.0, 0.0, 7.0, 0.0, 1.0]));
        assert_eq!(next(), Ok(vec![0.0, 0.0, 0.0, 2.0, 0.0, 0.0]));
        assert!(next().is_ok());
        let hint = "missing value, which the model was not trained to fill in";
        assert_eq!(next(), Err(format!("f.csv, line 6, column `doors`: {hint}")));
        assert_eq!(next(), Err("f.csv, line 7, column `width`: expected a number, got `x`".into()));
        let unknown: Vec<_> = rows.unknown().iter().map(|u| (&*u.column, &*u.category)).collect();
        assert_eq!(unknown, [("colour", "green"), ("doors", "9")]);
    }

    /// Yields a header and a row, then only errors.
    struct Broken(&'static [u8]);

    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(std::io::Error::other("the cable was pulled")),
                read => Ok(read),
            }
        }
    }

    #[test]
    fn a_failing_reader_is_reported_once() {
        let rows = FeatureRows::new(Broken(b"x\n1\n"), "stdin", &["x".to_string()]).unwrap();
        let rows: Vec<_> = rows.collect();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1].as_ref().unwrap_err().to_string(), "cannot read stdin: the cable was pulled");
    }

    #[test]
    fn whole_files() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f.csv");
        std::fs::write(&path, "x,y\n1,2\n3,4\n").unwrap();
        let table = read_features(&path, &["y".to_string()]).unwrap();
        assert_eq!((table.rows(), table), (2, Table { cols: 1, values: vec![2.0, 4.0] }));
        std::fs::write(&path, "x,y\n").unwrap();
        let error = read_features(&path, &["y".to_string()]).unwrap_err();
        assert!(matches!(error, DataError::NoRows { .. }), "{error}");
        let error = read_features(dir.path().join("g.csv"), &["y".to_string()]).unwrap_err();
        assert!(matches!(error, DataError::Open { .. }), "{error}");
    }
}
