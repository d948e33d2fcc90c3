//! The rows of an Arrow IPC stream or file, read batch by batch.
//!
//! A file (Feather version 2) is a stream between eight bytes and a footer, so it is read like a stream, also
//! from a pipe. Messages are checked before `arrow-ipc` decodes them, because it allocates the size that a
//! compressed buffer claims.

use std::{
    collections::HashMap,
    io::{Cursor, ErrorKind, Read},
    sync::Arc,
};

use arrow_array::{
    Array, ArrayRef, RecordBatch,
    cast::AsArray,
    types::{
        Decimal32Type, Decimal64Type, Decimal128Type, Float16Type, Float32Type, Float64Type, Int8Type,
        Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
    },
};
use arrow_buffer::Buffer;
use arrow_ipc::{
    CompressionType, MessageHeader, MetadataVersion, convert::try_fb_to_schema, reader, root_as_message,
};
use arrow_schema::{ArrowError, DataType, Field, Schema};

use crate::{
    error::{DataError, TableError, shown},
    tables::{
        cell::{Cell, Rows, check_names},
        columnar::{damaged, decimal, guard, unknown_codec},
    },
};

const FORMAT: &str = "Arrow IPC";
/// The first bytes of a file; two zeros follow.
const MAGIC: &[u8] = b"ARROW1";
const CONTINUATION: [u8; 4] = [0xff; 4];
/// LZ4 expands a byte to fewer bytes than this.
const MOST_OF_A_BYTE: i64 = 256;
/// The start of the name of an index column that pandas writes.
const INDEX: &str = "__index_level_";

/// The rows of an Arrow IPC stream or file.
pub(crate) struct ArrowRows<'a> {
    file: String,
    names: Vec<String>,
    places: Vec<usize>, // positions of the columns in the schema
    reader: Box<dyn Read + 'a>,
    schema: Arc<Schema>,
    dictionaries: HashMap<i64, ArrayRef>,
    selected: Vec<usize>,       // positions in the schema, ascending
    arrays: Vec<Option<usize>>, // position of each column among the selected ones
    batch: Option<RecordBatch>,
    at: usize, // row in the batch
    row: u64,  // row in the file, from 1; 0 before the first
}

impl<'a> ArrowRows<'a> {
    pub(crate) fn new(mut reader: impl Read + 'a, name: &str) -> Result<Self, DataError> {
        let file = || name.to_string();
        let mut start = Vec::new();
        let read = reader.by_ref().take(8).read_to_end(&mut start);
        read.map_err(|reason| DataError::Read { file: file(), reason })?;
        if start.starts_with(b"FEA1") {
            let what = "it is Feather version 1, which onebit does not read; write it as version 2".into();
            return Err(TableError::Unsupported { file: file(), what }.into());
        }
        let start = if start.starts_with(MAGIC) { Vec::new() } else { start };
        let mut reader: Box<dyn Read + 'a> = Box::new(Cursor::new(start).chain(reader));
        guard(name, FORMAT, || {
            let Some(message) = Message::read(&mut reader, name)? else {
                return Err(damaged(name, FORMAT, "it ends before its schema"));
            };
            let head = message.head(name)?;
            let Some(schema) = head.header_as_schema() else {
                return Err(damaged(name, FORMAT, "it does not start with a schema"));
            };
            let schema = Arc::new(try_fb_to_schema(schema).map_err(|error| wrong(name, error))?);
            let fields = schema.fields().iter().enumerate();
            let columns = fields.filter(|(_, field)| !field.name().starts_with(INDEX));
            let (places, names): (Vec<_>, Vec<_>) =
                columns.map(|(at, field)| (at, field.name().trim().to_string())).unzip();
            check_names(name, &names)?;
            let (dictionaries, selected, batch) = Default::default();
            let arrays = vec![None; names.len()];
            let file = file();
            Ok(Self {
                file,
                names,
                places,
                reader,
                schema,
                dictionaries,
                selected,
                arrays,
                batch,
                at: 0,
                row: 0,
            })
        })
    }

    /// Reads up to the next batch with rows; returns false at the end.
    fn fill(&mut self) -> Result<bool, DataError> {
        let file = self.file.as_str();
        loop {
            self.batch = None;
            let Some(message) = Message::read(&mut self.reader, file)? else { return Ok(false) };
            let (head, body) = (message.head(file)?, &message.body);
            let version: MetadataVersion = head.version();
            let missing = || damaged(file, FORMAT, "a message without its header");
            match head.header_type() {
                MessageHeader::DictionaryBatch => {
                    let dictionary = head.header_as_dictionary_batch().ok_or_else(missing)?;
                    let batch = dictionary.data().ok_or_else(missing)?;
                    check(batch, body, file)?;
                    if dictionary.isDelta() {
                        let what = "it has dictionaries that grow, which onebit does not read; write it without deltas";
                        return Err(TableError::Unsupported { file: file.into(), what: what.into() }.into());
                    }
                    let values = values_of(&self.schema, dictionary.id());
                    let values = values.ok_or_else(|| damaged(file, FORMAT, "a dictionary of no column"))?;
                    let decoded =
                        reader::read_record_batch(body, batch, values, &self.dictionaries, None, &version);
                    let decoded = decoded.map_err(|error| wrong(file, error))?;
                    self.dictionaries.insert(dictionary.id(), decoded.column(0).clone());
                }
                MessageHeader::RecordBatch => {
                    let batch = head.header_as_record_batch().ok_or_else(missing)?;
                    check(batch, body, file)?;
                    let schema = self.schema.clone();
                    let decoded = reader::read_record_batch(
                        body,
                        batch,
                        schema,
                        &self.dictionaries,
                        Some(&self.selected),
                        &version,
                    );
                    let decoded = decoded.map_err(|error| wrong(file, error))?;
                    if decoded.num_rows() > 0 {
                        (self.batch, self.at) = (Some(decoded), 0);
                        return Ok(true);
                    }
                }
                _ => return Err(damaged(file, FORMAT, "a message that is neither rows nor a dictionary")),
            }
        }
    }
}

impl Rows for ArrowRows<'_> {
    fn file(&self) -> &str {
        &self.file
    }

    fn columns(&self) -> &[String] {
        &self.names
    }

    fn select(&mut self, columns: &[usize]) -> Result<(), DataError> {
        self.selected = columns.iter().map(|&column| self.places[column]).collect();
        self.selected.sort_unstable();
        self.selected.dedup();
        for &column in columns {
            let kind = self.schema.field(self.places[column]).data_type();
            if !is_known(kind) {
                let (file, column) = (self.file.clone(), shown(&self.names[column]));
                let kind = if kind.is_nested() {
                    "a list, a map or a structure".into()
                } else {
                    shown(&format!("of type {kind}"))
                };
                return Err(TableError::ColumnType { file, column, kind }.into());
            }
            self.arrays[column] = self.selected.binary_search(&self.places[column]).ok();
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<bool, DataError> {
        self.at += 1;
        if self.batch.as_ref().is_none_or(|batch| self.at >= batch.num_rows()) {
            let file = self.file.clone();
            let more = guard(&file, FORMAT, || self.fill());
            if !matches!(more, Ok(true)) {
                self.reader = Box::new(std::io::empty()); // an error ends the rows
                self.batch = None;
                return more;
            }
        }
        self.row += 1;
        Ok(true)
    }

    fn cell(&self, column: usize) -> Cell<'_> {
        match (&self.batch, self.arrays[column]) {
            (Some(batch), Some(array)) => cell(batch.column(array), self.at),
            _ => Cell::Missing,
        }
    }

    fn place(&self, column: usize) -> String {
        format!("{}, row {}, column `{}`", self.file, self.row.saturating_sub(1), shown(&self.names[column]))
    }
}

/// A schema of one column: the values of the dictionary of this number. `arrow-ipc` can read them itself, but
/// that function would link another that concatenates arrays of every type.
#[expect(deprecated, reason = "the number is how a file says which dictionary it is")]
fn values_of(schema: &Schema, id: i64) -> Option<Arc<Schema>> {
    match schema.fields_with_dict_id(id).first()?.data_type() {
        DataType::Dictionary(_, values) => {
            Some(Arc::new(Schema::new(vec![Field::new("", values.as_ref().clone(), true)])))
        }
        _ => None,
    }
}

/// A message: a head that describes its body.
struct Message {
    head: Vec<u8>,
    body: Buffer,
}

impl Message {
    /// Reads the next message; `None` at the end. Memory grows with the bytes that exist, not with those
    /// announced.
    fn read(reader: &mut dyn Read, file: &str) -> Result<Option<Self>, DataError> {
        let mut length = [0; 4];
        match reader.read_exact(&mut length) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            Err(reason) => return Err(DataError::Read { file: file.into(), reason }),
            Ok(()) => {}
        }
        if length == CONTINUATION {
            length = read(reader, 4, file)?.try_into().expect("four bytes");
        }
        let Ok(length) = u64::try_from(i32::from_le_bytes(length)) else {
            return Err(damaged(file, FORMAT, "a negative length"));
        };
        if length == 0 {
            return Ok(None);
        }
        let mut message =
            Self { head: read(reader, length, file)?, body: Buffer::from_vec(Vec::<u8>::new()) };
        let Ok(length) = u64::try_from(message.head(file)?.bodyLength()) else {
            return Err(damaged(file, FORMAT, "a negative length"));
        };
        message.body = Buffer::from_vec(read(reader, length, file)?);
        Ok(Some(message))
    }

    fn head(&self, file: &str) -> Result<arrow_ipc::Message<'_>, DataError> {
        root_as_message(&self.head).map_err(|error| damaged(file, FORMAT, error))
    }
}

fn read(reader: &mut dyn Read, length: u64, file: &str) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    let read = reader.take(length).read_to_end(&mut bytes);
    read.map_err(|reason| DataError::Read { file: file.into(), reason })?;
    if (bytes.len() as u64) < length {
        return Err(damaged(file, FORMAT, "it ends early"));
    }
    Ok(bytes)
}

/// Checks that buffers lie within the body, and that their claimed sizes after decompression are possible.
fn check(batch: arrow_ipc::RecordBatch, body: &[u8], file: &str) -> Result<(), DataError> {
    let codec = batch.compression().map(|compression| compression.codec());
    if codec == Some(CompressionType::ZSTD) {
        return Err(unknown_codec(file, "zstd", "compression=\"lz4\" or \"uncompressed\""));
    }
    for buffer in batch.buffers().into_iter().flatten() {
        let (start, length) = (buffer.offset(), buffer.length());
        let place = usize::try_from(start).ok().zip(usize::try_from(length).ok());
        let bytes = place.and_then(|(start, length)| body.get(start..start.checked_add(length)?));
        let Some(bytes) = bytes else {
            return Err(damaged(file, FORMAT, "a buffer outside of its message"));
        };
        if let (Some(_), Some(becomes)) = (codec, bytes.first_chunk::<8>()) {
            // -1 means not compressed
            if i64::from_le_bytes(*becomes) > length.saturating_mul(MOST_OF_A_BYTE) {
                return Err(damaged(file, FORMAT, "a buffer that promises more than its bytes can hold"));
            }
        }
    }
    Ok(())
}

fn wrong(file: &str, error: ArrowError) -> DataError {
    damaged(file, FORMAT, error)
}

/// Whether the type of a column is a number, text or boolean.
fn is_known(kind: &DataType) -> bool {
    use DataType::*;
    match kind {
        Dictionary(_, values) => is_known(values),
        Null | Boolean | Utf8 | LargeUtf8 | Utf8View | Float16 | Float32 | Float64 => true,
        Decimal32(..) | Decimal64(..) | Decimal128(..) => true,
        kind => kind.is_integer(),
    }
}

fn cell(array: &dyn Array, row: usize) -> Cell<'_> {
    use DataType::*;
    if array.is_null(row) {
        return Cell::Missing;
    }
    macro_rules! integer {
        ($kind:ty) => {
            Cell::Integer(array.as_primitive::<$kind>().value(row).into())
        };
    }
    macro_rules! decimal {
        ($kind:ty, $scale:expr) => {
            Cell::Real(decimal(array.as_primitive::<$kind>().value(row).into(), i32::from(*$scale)))
        };
    }
    match array.data_type() {
        Boolean => Cell::Bool(array.as_boolean().value(row)),
        Int8 => integer!(Int8Type),
        Int16 => integer!(Int16Type),
        Int32 => integer!(Int32Type),
        Int64 => integer!(Int64Type),
        UInt8 => integer!(UInt8Type),
        UInt16 => integer!(UInt16Type),
        UInt32 => integer!(UInt32Type),
        UInt64 => integer!(UInt64Type),
        Float16 => Cell::of_real(array.as_primitive::<Float16Type>().value(row).to_f64()),
        Float32 => Cell::of_real(array.as_primitive::<Float32Type>().value(row).into()),
        Float64 => Cell::of_real(array.as_primitive::<Float64Type>().value(row)),
        Decimal32(_, scale) => decimal!(Decimal32Type, scale),
        Decimal64(_, scale) => decimal!(Decimal64Type, scale),
        Decimal128(_, scale) => decimal!(Decimal128Type, scale),
        Utf8 => Cell::of_text(array.as_string::<i32>().value(row).trim()),
        LargeUtf8 => Cell::of_text(array.as_string::<i64>().value(row).trim()),
        Utf8View => Cell::of_text(array.as_string_view().value(row).trim()),
        Dictionary(key, _) => {
            macro_rules! key {
                ($kind:ty) => {
                    array.as_dictionary::<$kind>().key(row)
                };
            }
            let key = match **key {
                Int8 => key!(Int8Type),
                Int16 => key!(Int16Type),
                Int32 => key!(Int32Type),
                Int64 => key!(Int64Type),
                UInt8 => key!(UInt8Type),
                UInt16 => key!(UInt16Type),
                UInt32 => key!(UInt32Type),
                _ => key!(UInt64Type),
            };
            key.map_or(Cell::Missing, |key| cell(array.as_any_dictionary().values(), key))
        }
        _ => Cell::Missing,
    }
}
