//! What a table is written in.

use std::{
    fs::File,
    io::{Cursor, Read},
    path::Path,
};

use crate::{
    error::{DataError, open},
    tables::{cell::Rows, csv::CsvRows},
};

/// A format of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFormat {
    /// Text with a header line; separated by `,` `;` or tabs.
    Csv,
    /// Apache Parquet.
    Parquet,
    /// Arrow IPC, as a file (also called Feather, version 2) or as a stream.
    Arrow,
}

/// As many bytes tell all formats apart.
const START: u64 = 8;

impl TableFormat {
    /// What a file is by its first four bytes or more; nothing if it is none of these, or CSV.
    pub fn of_start(start: &[u8]) -> Option<Self> {
        match start {
            [b'P', b'A', b'R', b'1', ..] => Some(Self::Parquet),
            [b'A', b'R', b'R', b'O', b'W', b'1', ..] => Some(Self::Arrow),
            [b'F', b'E', b'A', b'1', ..] => Some(Self::Arrow), // which refuses it
            [0xff, 0xff, 0xff, 0xff, ..] => Some(Self::Arrow),
            _ => None,
        }
    }

    /// Whether a file that starts with these two bytes may be one of these, other than CSV.
    pub fn may_start(start: &[u8]) -> bool {
        matches!(start, b"PA" | b"AR" | b"FE" | b"\xff\xff")
    }

    /// Whether a file of this name is one of these.
    pub fn is_name(path: &Path) -> bool {
        let extension = path.extension().unwrap_or_default();
        EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known))
    }
}

/// How the names of tables end.
pub const EXTENSIONS: [&str; 7] = ["csv", "tsv", "parquet", "pq", "arrow", "feather", "ipc"];

/// The rows of a file, whose format its first bytes say.
pub(crate) fn open_table(path: &Path) -> Result<Box<dyn Rows>, DataError> {
    let (mut reader, name) = open(path)?;
    let mut start = Vec::new();
    let read = reader.by_ref().take(START).read_to_end(&mut start);
    read.map_err(|reason| DataError::Read { file: name.clone(), reason })?;
    match TableFormat::of_start(&start) {
        Some(TableFormat::Parquet) if reader.metadata().is_ok_and(|found| found.is_file()) => {
            parquet(Source::File(reader), &name)
        }
        format => {
            // Put back instead of opened anew: a pipe can be read only once.
            let reader = Cursor::new(start).chain(reader);
            table_of(reader, &name, format.unwrap_or(TableFormat::Csv))
        }
    }
}

/// The rows of what is read.
pub(crate) fn table_of<'a>(
    reader: impl Read + 'a,
    name: &str,
    format: TableFormat,
) -> Result<Box<dyn Rows + 'a>, DataError> {
    match format {
        TableFormat::Csv => Ok(Box::new(CsvRows::new(reader, name)?)),
        TableFormat::Parquet => parquet(Source::Stream(Box::new(reader)), name),
        TableFormat::Arrow => arrow(reader, name),
    }
}

/// Where the bytes of a Parquet file are.
#[cfg_attr(not(feature = "columnar"), allow(dead_code, reason = "nothing reads them"))]
enum Source<'a> {
    File(File),
    Stream(Box<dyn Read + 'a>),
}

#[cfg(feature = "columnar")]
fn parquet<'a>(source: Source<'a>, name: &str) -> Result<Box<dyn Rows + 'a>, DataError> {
    use crate::tables::parquet::ParquetRows;
    Ok(match source {
        Source::File(file) => Box::new(ParquetRows::open(file, name)?),
        Source::Stream(reader) => Box::new(ParquetRows::of_stream(reader, name)?),
    })
}

#[cfg(feature = "columnar")]
fn arrow<'a>(reader: impl Read + 'a, name: &str) -> Result<Box<dyn Rows + 'a>, DataError> {
    Ok(Box::new(crate::tables::arrow::ArrowRows::new(reader, name)?))
}

#[cfg(not(feature = "columnar"))]
fn parquet<'a>(_source: Source<'a>, name: &str) -> Result<Box<dyn Rows + 'a>, DataError> {
    Err(not_built(name, "Parquet"))
}

#[cfg(not(feature = "columnar"))]
fn arrow<'a>(_reader: impl Read + 'a, name: &str) -> Result<Box<dyn Rows + 'a>, DataError> {
    Err(not_built(name, "Arrow IPC"))
}

#[cfg(not(feature = "columnar"))]
fn not_built(name: &str, format: &str) -> DataError {
    let what = format!("{format}: this build has no feature `columnar`; write the table as CSV");
    DataError::Unsupported { file: name.into(), what }
}
