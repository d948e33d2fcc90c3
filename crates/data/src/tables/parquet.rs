//! The rows of a Parquet file, decoded in batches, row group by row group.

use std::{fs::File, io::Read, sync::Arc};

use bytes::Bytes;
use parquet::{
    basic::{Compression, ConvertedType, LogicalType, Repetition, Type},
    column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader},
    data_type::{ByteArray, DataType},
    errors::ParquetError,
    file::{
        metadata::{ParquetMetaData, ParquetMetaDataReader},
        reader::{ChunkReader, Length},
        serialized_reader::SerializedPageReader,
    },
    schema::types::ColumnDescriptor,
};

use crate::{
    error::{DataError, TableError, shown},
    tables::{
        cell::{Cell, Rows, check_names},
        columnar::{damaged, decimal, guard, unknown_codec},
    },
};

/// Number of rows in a batch.
const ROWS: usize = 1024;
/// Maximum size in bytes of a file that comes as a stream and must be buffered: 1 GiB.
const STREAM_LIMIT: u64 = 1 << 30;
/// The start of the name of an index column that pandas writes.
const INDEX: &str = "__index_level_";

const FORMAT: &str = "Parquet";

/// The rows of a Parquet file.
pub(crate) struct ParquetRows {
    file: String,
    names: Vec<String>,
    leaves: Vec<Leaf>, // one per column
    chunks: Arc<Chunks>,
    metadata: ParquetMetaData,
    group: usize, // the next row group
    left: i64,    // rows left in the current group
    open: Vec<(usize, ColumnReader)>,
    selected: Vec<usize>,
    batch: Vec<Vec<Value>>, // values of each column
    at: usize,              // row in the batch
    row: u64,               // row in the file, from 1; 0 before the first
}

/// The position and meaning of the values of a column.
type Leaf = Result<(usize, Kind), String>;

/// The meaning of the values of a physical type.
#[derive(Clone, Copy)]
enum Kind {
    Plain,
    Unsigned,
    Decimal(i32),
    Text,
}

enum Value {
    Missing,
    Text(Box<str>),
    Integer(i128),
    Real(f64),
    Bool(bool),
}

impl ParquetRows {
    pub(crate) fn open(file: File, name: &str) -> Result<Self, DataError> {
        Self::new(Chunks::File(file), name)
    }

    /// Buffers the whole stream, because the metadata of a Parquet file are at its end.
    pub(crate) fn of_stream(reader: impl Read, name: &str) -> Result<Self, DataError> {
        let (mut bytes, file) = (Vec::new(), || name.to_string());
        let read = reader.take(STREAM_LIMIT + 1).read_to_end(&mut bytes);
        read.map_err(|reason| DataError::Read { file: file(), reason })?;
        if bytes.len() as u64 > STREAM_LIMIT {
            return Err(DataError::Oversize { file: file(), limit: STREAM_LIMIT });
        }
        Self::new(Chunks::Bytes(bytes.into()), name)
    }

    fn new(chunks: Chunks, name: &str) -> Result<Self, DataError> {
        guard(name, FORMAT, || {
            let metadata = ParquetMetaDataReader::new().parse_and_finish(&chunks);
            let metadata = metadata.map_err(|error| damaged(name, FORMAT, error))?;
            let schema = metadata.file_metadata().schema_descr_ptr();
            let mut names = Vec::new();
            let mut leaves = Vec::new();
            let mut leaf = 0;
            for (root, field) in schema.root_schema().get_fields().iter().enumerate() {
                let first = leaf;
                while leaf < schema.num_columns() && schema.get_column_root_idx(leaf) == root {
                    leaf += 1;
                }
                if field.name().starts_with(INDEX) {
                    continue;
                }
                names.push(field.name().trim().to_string());
                leaves.push(if field.is_primitive() && leaf == first + 1 {
                    kind(&schema.column(first)).map(|kind| (first, kind))
                } else {
                    Err("a list, a map or a structure".into())
                });
            }
            check_names(name, &names)?;
            let batch = names.iter().map(|_| Vec::new()).collect();
            let file = name.to_string();
            let chunks = Arc::new(chunks);
            let (open, selected, group, left, at, row) = Default::default();
            Ok(Self { file, names, leaves, chunks, metadata, group, left, open, selected, batch, at, row })
        })
    }

    /// Decodes the next batch; returns false at the end.
    fn fill(&mut self) -> Result<bool, DataError> {
        while self.left == 0 {
            if self.group == self.metadata.num_row_groups() {
                return Ok(false);
            }
            self.open_group()?;
        }
        let mut rows = None;
        for (column, reader) in &mut self.open {
            let values = &mut self.batch[*column];
            values.clear();
            let Ok((leaf, kind)) = self.leaves[*column] else { continue };
            let descriptor = self.metadata.file_metadata().schema_descr().column(leaf);
            decode(reader, &descriptor, kind, values).map_err(|error| damaged(&self.file, FORMAT, error))?;
            let more = values.len();
            if more == 0 || more as i64 > self.left || rows.is_some_and(|rows| rows != more) {
                return Err(damaged(&self.file, FORMAT, "its columns have different numbers of rows"));
            }
            rows = Some(more);
        }
        self.left -= rows.map_or(self.left, |rows| rows as i64);
        self.at = 0;
        Ok(rows.is_some())
    }

    fn open_group(&mut self) -> Result<(), DataError> {
        let wrong = |error: ParquetError| damaged(&self.file, FORMAT, error);
        let group = self.metadata.row_group(self.group);
        let Ok(rows) = usize::try_from(group.num_rows()) else {
            return Err(damaged(&self.file, FORMAT, "a negative number of rows"));
        };
        self.open.clear();
        for &column in &self.selected {
            let Ok((leaf, _)) = self.leaves[column] else { continue };
            let codec = match group.column(leaf).compression() {
                Compression::UNCOMPRESSED
                | Compression::SNAPPY
                | Compression::GZIP(_)
                | Compression::LZ4
                | Compression::LZ4_RAW => None,
                Compression::ZSTD(_) => Some("zstd"),
                Compression::BROTLI(_) => Some("brotli"),
                Compression::LZO => Some("lzo"),
            };
            if let Some(codec) = codec {
                return Err(unknown_codec(&self.file, codec, "compression=\"snappy\", \"gzip\" or \"lz4\""));
            }
            let pages = SerializedPageReader::new(self.chunks.clone(), group.column(leaf), rows, None);
            let descriptor = self.metadata.file_metadata().schema_descr().column(leaf);
            self.open.push((column, get_column_reader(descriptor, Box::new(pages.map_err(wrong)?))));
        }
        self.left = group.num_rows();
        self.group += 1;
        Ok(())
    }
}

/// The bytes of the file: one type for files and buffers, so that the decoder is compiled only once.
enum Chunks {
    File(File),
    Bytes(Bytes),
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        match self {
            Chunks::File(file) => Length::len(file),
            Chunks::Bytes(bytes) => Length::len(bytes),
        }
    }
}

impl ChunkReader for Chunks {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(match self {
            Chunks::File(file) => Box::new(file.get_read(start)?),
            Chunks::Bytes(bytes) => Box::new(bytes.get_read(start)?),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        match self {
            Chunks::File(file) => file.get_bytes(start, length),
            Chunks::Bytes(bytes) => bytes.get_bytes(start, length),
        }
    }
}

impl Rows for ParquetRows {
    fn file(&self) -> &str {
        &self.file
    }

    fn columns(&self) -> &[String] {
        &self.names
    }

    fn select(&mut self, columns: &[usize]) -> Result<(), DataError> {
        for &column in columns {
            if let Err(kind) = &self.leaves[column] {
                let (file, column) = (self.file.clone(), shown(&self.names[column]));
                return Err(TableError::ColumnType { file, column, kind: kind.clone() }.into());
            }
        }
        self.selected = columns.to_vec();
        Ok(())
    }

    fn advance(&mut self) -> Result<bool, DataError> {
        self.at += 1;
        let rows = self.selected.first().map_or(0, |&column| self.batch[column].len());
        if self.at >= rows {
            let file = self.file.clone();
            let more = guard(&file, FORMAT, || self.fill());
            if !matches!(more, Ok(true)) {
                (self.left, self.group) = (0, self.metadata.num_row_groups()); // an error ends the rows
                self.batch.iter_mut().for_each(Vec::clear);
                return more;
            }
        }
        self.row += 1;
        Ok(true)
    }

    fn cell(&self, column: usize) -> Cell<'_> {
        match &self.batch[column][self.at] {
            Value::Missing => Cell::Missing,
            Value::Text(text) => Cell::of_text(text.trim()),
            Value::Integer(number) => Cell::Integer(*number),
            Value::Real(number) => Cell::of_real(*number),
            Value::Bool(bit) => Cell::Bool(*bit),
        }
    }

    fn place(&self, column: usize) -> String {
        format!("{}, row {}, column `{}`", self.file, self.row.saturating_sub(1), shown(&self.names[column]))
    }
}

/// The meaning of the values of a column, or the name of a type that this reader does not support.
fn kind(column: &ColumnDescriptor) -> Result<Kind, String> {
    let (logical, converted) = (column.logical_type_ref(), column.converted_type());
    if column.self_type().get_basic_info().repetition() == Repetition::REPEATED {
        return Err("a list".into());
    }
    let is = |kind: &str| Err(kind.into());
    if let Some(LogicalType::Decimal(decimal)) = logical {
        return Ok(Kind::Decimal(decimal.scale));
    }
    match (column.physical_type(), logical, converted) {
        (_, _, ConvertedType::DECIMAL) => Ok(Kind::Decimal(column.type_scale())),
        (Type::BOOLEAN | Type::FLOAT | Type::DOUBLE, ..) => Ok(Kind::Plain),
        (Type::INT32 | Type::INT64, Some(LogicalType::Integer(integer)), _) => {
            Ok(if integer.is_signed { Kind::Plain } else { Kind::Unsigned })
        }
        (Type::INT32 | Type::INT64, None, converted) => match converted {
            ConvertedType::UINT_8
            | ConvertedType::UINT_16
            | ConvertedType::UINT_32
            | ConvertedType::UINT_64 => Ok(Kind::Unsigned),
            ConvertedType::NONE
            | ConvertedType::INT_8
            | ConvertedType::INT_16
            | ConvertedType::INT_32
            | ConvertedType::INT_64 => Ok(Kind::Plain),
            _ => is("a date or a time"),
        },
        // All values are missing, so their type does not matter.
        (Type::INT32 | Type::INT64, Some(LogicalType::Unknown), _) => Ok(Kind::Plain),
        (Type::INT32 | Type::INT64 | Type::INT96, ..) => is("a date or a time"),
        (Type::BYTE_ARRAY, Some(LogicalType::String | LogicalType::Enum), _) => Ok(Kind::Text),
        (Type::BYTE_ARRAY, None, ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::NONE) => {
            Ok(Kind::Text)
        }
        (Type::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Float16), _) => is("of numbers of 16 bits"),
        (Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY, ..) => is("of bytes"),
    }
}

/// Appends the next values, for up to [`ROWS`] rows.
fn decode(
    reader: &mut ColumnReader,
    column: &Arc<ColumnDescriptor>,
    kind: Kind,
    values: &mut Vec<Value>,
) -> Result<(), ParquetError> {
    let most = column.max_def_level();
    let integer = |number: i128| match kind {
        Kind::Decimal(scale) => Value::Real(decimal(number, scale)),
        _ => Value::Integer(number),
    };
    let unsigned = matches!(kind, Kind::Unsigned);
    let bytes = |bytes: &ByteArray| {
        Ok(match kind {
            Kind::Decimal(scale) => Value::Real(decimal(big_endian(bytes.data())?, scale)),
            _ => Value::Text(bytes.as_utf8()?.into()),
        })
    };
    match reader {
        ColumnReader::BoolColumnReader(r) => read(r, most, values, |&bit| Ok(Value::Bool(bit))),
        ColumnReader::Int32ColumnReader(r) => read(r, most, values, |&n| {
            Ok(integer(if unsigned { i128::from(n as u32) } else { i128::from(n) }))
        }),
        ColumnReader::Int64ColumnReader(r) => read(r, most, values, |&n| {
            Ok(integer(if unsigned { i128::from(n as u64) } else { i128::from(n) }))
        }),
        ColumnReader::FloatColumnReader(r) => read(r, most, values, |&n| Ok(Value::Real(n.into()))),
        ColumnReader::DoubleColumnReader(r) => read(r, most, values, |&n| Ok(Value::Real(n))),
        ColumnReader::ByteArrayColumnReader(r) => read(r, most, values, bytes),
        ColumnReader::FixedLenByteArrayColumnReader(r) => read(r, most, values, |v| bytes(v)),
        ColumnReader::Int96ColumnReader(_) => Err(ParquetError::General("a time".into())),
    }
}

fn read<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    most: i16,
    cells: &mut Vec<Value>,
    value: impl Fn(&T::T) -> Result<Value, ParquetError>,
) -> Result<(), ParquetError> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let (rows, ..) = reader.read_records(ROWS, Some(&mut levels), None, &mut values)?;
    let mut values = values.iter();
    for row in 0..rows {
        let is_missing = most > 0 && levels.get(row) != Some(&most);
        if is_missing {
            cells.push(Value::Missing);
            continue;
        }
        let found = values.next().ok_or_else(|| ParquetError::General("fewer values than rows".into()))?;
        cells.push(value(found)?);
    }
    Ok(())
}

/// The unscaled integer of a decimal.
fn big_endian(bytes: &[u8]) -> Result<i128, ParquetError> {
    if bytes.is_empty() || bytes.len() > 16 {
        return Err(ParquetError::General("a decimal of more than 16 bytes".into()));
    }
    let sign = if bytes[0] & 0x80 == 0 { 0 } else { -1 };
    Ok(bytes.iter().fold(sign, |number, &byte| (number << 8) | i128::from(byte)))
}
