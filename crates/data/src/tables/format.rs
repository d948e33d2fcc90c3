//! The formats of tables.

use std::{
    fs::File,
    io::{Cursor, Read, Seek, SeekFrom},
    path::Path,
};

use crate::{
    error::DataError,
    files::open,
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

/// Number of first bytes that tell all formats apart.
const START: u64 = 8;

impl TableFormat {
    /// The format of a file with these first bytes, four or more; `None` for CSV and everything else.
    pub fn of_start(start: &[u8]) -> Option<Self> {
        match start {
            [b'P', b'A', b'R', b'1', ..] => Some(Self::Parquet),
            [b'A', b'R', b'R', b'O', b'W', b'1', ..] => Some(Self::Arrow),
            [b'F', b'E', b'A', b'1', ..] => Some(Self::Arrow), // Feather version 1, which the reader refuses
            [0xff, 0xff, 0xff, 0xff, ..] => Some(Self::Arrow),
            _ => None,
        }
    }

    /// Whether a file with these first two bytes may be in a format other than CSV.
    pub fn may_start(start: &[u8]) -> bool {
        matches!(start, b"PA" | b"AR" | b"FE" | b"\xff\xff")
    }

    /// Whether the extension of a path is that of a table.
    pub fn is_name(path: &Path) -> bool {
        let extension = path.extension().unwrap_or_default();
        EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known))
    }
}

/// The extensions of tables.
pub const EXTENSIONS: [&str; 7] = ["csv", "tsv", "parquet", "pq", "arrow", "feather", "ipc"];

/// An open file with a table, in the format that its first bytes show.
pub(crate) struct TableFile {
    file: File,
    name: String,
    /// The first bytes, which were read to find out the format.
    start: Vec<u8>,
    is_regular: bool,
}

impl TableFile {
    /// Opens a file and reads its first bytes.
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        let (mut file, name) = open(path)?;
        let is_regular = file.metadata().is_ok_and(|metadata| metadata.is_file());
        let mut start = Vec::new();
        let read = file.by_ref().take(START).read_to_end(&mut start);
        read.map_err(|reason| DataError::Read { file: name.clone(), reason })?;
        Ok(Self { file, name, start, is_regular })
    }

    /// The name of the file in messages.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The rows, from the first on.
    pub(crate) fn into_rows(mut self) -> Result<Box<dyn Rows>, DataError> {
        let format = TableFormat::of_start(&self.start).unwrap_or(TableFormat::Csv);
        if self.is_regular && format == TableFormat::Parquet {
            return parquet(Source::File(self.file), &self.name);
        }
        if self.is_regular {
            let behind_start = self.file.seek(SeekFrom::Start(self.start.len() as u64));
            behind_start.map_err(|reason| DataError::Read { file: self.name.clone(), reason })?;
        }
        // A pipe can be read only once, so the first bytes are put back.
        table_of(Cursor::new(self.start).chain(self.file), &self.name, format)
    }

    /// The rows of a regular file, which can then be read again; `None` for a stream.
    pub(super) fn peek(&self) -> Option<Result<Box<dyn Rows>, DataError>> {
        if !self.is_regular {
            return None;
        }
        let failed = |reason| DataError::Read { file: self.name.clone(), reason };
        // Both share one position; `into_rows` goes back to the first row.
        Some(self.file.try_clone().map_err(failed).and_then(|file| {
            Self { file, name: self.name.clone(), start: self.start.clone(), is_regular: true }.into_rows()
        }))
    }
}

/// The rows of a stream.
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

/// The bytes of a Parquet file.
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
    crate::error::TableError::Unsupported { file: name.into(), what }.into()
}
