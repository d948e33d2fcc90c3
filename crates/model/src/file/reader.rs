//! The bytes of a file to checked layer records and tensors. The bytes may come from anywhere.

use alloc::{borrow::Cow, collections::BTreeMap, format, string::String, vec::Vec};

use onebit_bits::Bits;

use super::layout::{
    ALIGN, CHECKED_FROM, HEADER, Kind, LAYER_RECORD, LayerRecord, MAGIC, NAME, TENSOR_RECORD, TensorInfo,
    VERSION,
};
use crate::error::{Error, Result};

/// Storage for the words of weights: a `Vec` that copies them, or a `Cow` that borrows them from the file.
pub(super) trait Words<'a>: AsRef<[u64]> + From<Cow<'a, [u64]>> {}

impl<'a, W: AsRef<[u64]> + From<Cow<'a, [u64]>>> Words<'a> for W {}

/// A file whose header and records have been checked. Tensors are looked up by name.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    pub(super) version: u32,
    pub(super) inputs: usize,
    pub(super) classes: usize,
    pub(super) layers: Vec<LayerRecord>,
    pub(super) tensors: Vec<TensorInfo>,
    /// Index of each tensor; a map, so that a file of many tensors is read quickly.
    by_name: BTreeMap<&'a str, usize>,
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(0, |b| u32::from_le_bytes(b.try_into().expect("four bytes")))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).map_or(0, |b| u64::from_le_bytes(b.try_into().expect("eight bytes")))
}

fn record_error<T>(what: String, problem: &'static str) -> Result<T> {
    Err(Error::Record { what, problem })
}

impl<'a> Reader<'a> {
    /// Checks header, checksum and records. Allocates at most a small multiple of the file's size.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self> {
        if bytes.get(..8) != Some(MAGIC.as_slice()) {
            return Err(Error::Magic);
        }
        if bytes.len() < HEADER {
            return Err(Error::Length { expected: HEADER as u64, got: bytes.len() as u64 });
        }
        let version = u32_at(bytes, 8);
        if !(1..=VERSION).contains(&version) {
            return Err(Error::Version { got: version, known: VERSION });
        }
        let length = u64_at(bytes, 16);
        if length != bytes.len() as u64 {
            return Err(Error::Length { expected: length, got: bytes.len() as u64 });
        }
        let (expected, got) = (u32_at(bytes, 12), crc32fast::hash(&bytes[CHECKED_FROM..]));
        if expected != got {
            return Err(Error::Checksum { expected, got });
        }
        let [n_tensors, n_layers, inputs, classes] = [24, 28, 32, 36].map(|at| u32_at(bytes, at) as usize);
        let records = n_layers
            .checked_mul(LAYER_RECORD)
            .zip(n_tensors.checked_mul(TENSOR_RECORD))
            .and_then(|(l, t)| l.checked_add(t))
            .and_then(|n| n.checked_add(HEADER));
        let Some(end_of_records) = records.filter(|&end| end <= bytes.len()) else {
            return record_error("header".into(), "the records do not fit into the file");
        };
        if bytes[40..HEADER].iter().any(|&b| b != 0) {
            return record_error("header".into(), "reserved bytes are not zero");
        }
        let start_of_tensors = HEADER + n_layers * LAYER_RECORD;
        let layers = bytes[HEADER..start_of_tensors]
            .chunks_exact(LAYER_RECORD)
            .enumerate()
            .map(|(index, record)| read_layer(index, record))
            .collect::<Result<_>>()?;
        let mut reader =
            Self { bytes, version, inputs, classes, layers, tensors: Vec::new(), by_name: BTreeMap::new() };
        let mut end = end_of_records;
        for (index, record) in bytes[start_of_tensors..end_of_records].chunks_exact(TENSOR_RECORD).enumerate()
        {
            end = reader.read_tensor(index, record, end)?;
        }
        if end != bytes.len() {
            return record_error("file".into(), "bytes after the last tensor");
        }
        Ok(reader)
    }

    /// Checks one tensor record; returns the position after the last byte of the tensor.
    fn read_tensor(&mut self, index: usize, record: &'a [u8], previous_end: usize) -> Result<usize> {
        let what = || format!("tensor {index}");
        let (name, padding) =
            record[..NAME].split_at(record[..NAME].iter().position(|&b| b == 0).unwrap_or(NAME));
        let Ok(name) = core::str::from_utf8(name) else {
            return record_error(what(), "name is not UTF-8");
        };
        if name.is_empty() || padding.iter().any(|&b| b != 0) {
            return record_error(what(), "name is empty or not padded with zeros");
        }
        if self.by_name.insert(name, index).is_some() {
            return record_error(what(), "a second tensor of this name");
        }
        let Some(kind) = Kind::from_code(u32_at(record, NAME)) else {
            return record_error(what(), "unknown element type");
        };
        let (rows, cols) = (u32_at(record, NAME + 4), u32_at(record, NAME + 8));
        if u32_at(record, NAME + 12) != 0 {
            return record_error(what(), "reserved bytes are not zero");
        }
        let (offset, bytes) = (u64_at(record, NAME + 16), u64_at(record, NAME + 24));
        if kind.bytes(rows, cols).is_some_and(|expected| expected != bytes)
            || (kind == Kind::Text && (cols != 1 || bytes / 4 < u64::from(rows)))
            || (kind != Kind::Text && kind.bytes(rows, cols).is_none())
        {
            return record_error(what(), "length does not fit type and shape");
        }
        // The format allows one place only: no overlaps, and no gaps except zero padding.
        let start = previous_end.next_multiple_of(ALIGN);
        if offset != start as u64 {
            return record_error(what(), "does not start at the next multiple of 64");
        }
        let end = offset.checked_add(bytes).and_then(|end| usize::try_from(end).ok());
        let Some(end) = end.filter(|&end| end <= self.bytes.len()) else {
            return record_error(what(), "ends after the end of the file");
        };
        if self.bytes[previous_end..start].iter().any(|&b| b != 0) {
            return record_error(what(), "the padding before it is not zero");
        }
        let (rows, cols) = (rows as usize, cols as usize);
        self.tensors.push(TensorInfo {
            name: name.into(),
            kind,
            rows,
            cols,
            offset: start,
            bytes: end - start,
        });
        Ok(end)
    }

    /// The bytes of the tensor called `name`; an error unless it has this kind and shape.
    fn data(&self, name: &str, kind: Kind, rows: usize, cols: usize) -> Result<&'a [u8]> {
        let found = self.by_name.get(name).map(|&index| &self.tensors[index]);
        match found {
            Some(t) if (t.kind, t.rows, t.cols) == (kind, rows, cols) => {
                Ok(&self.bytes[t.offset..t.offset + t.bytes])
            }
            _ => Err(Error::Tensor {
                name: name.into(),
                expected: format!("{kind:?} of {rows} x {cols}"),
                got: found.map_or("nothing".into(), |t| format!("{:?} of {} x {}", t.kind, t.rows, t.cols)),
            }),
        }
    }

    /// A matrix of bits. Its words are borrowed from the file where alignment and byte order allow it; `W`
    /// may still copy them.
    pub(super) fn bits<W: Words<'a>>(&self, name: &str, rows: usize, cols: usize) -> Result<Bits<W>> {
        let data = self.data(name, Kind::Bits, rows, cols)?;
        let words: Cow<[u64]> = match bytemuck::try_cast_slice(data) {
            Ok(words) if cfg!(target_endian = "little") => Cow::Borrowed(words),
            _ => {
                let word = |b: &[u8]| u64::from_le_bytes(b.try_into().expect("eight bytes"));
                Cow::Owned(data.chunks_exact(8).map(word).collect())
            }
        };
        Ok(Bits::from_words(rows, cols, words.into())?)
    }

    pub(super) fn f32s(&self, name: &str, rows: usize, cols: usize) -> Result<Vec<f32>> {
        let data = self.data(name, Kind::F32, rows, cols)?;
        Ok(data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().expect("four bytes"))).collect())
    }

    pub(super) fn i32s(&self, name: &str, rows: usize, cols: usize) -> Result<Vec<i32>> {
        let data = self.data(name, Kind::I32, rows, cols)?;
        Ok(data.chunks_exact(4).map(|b| i32::from_le_bytes(b.try_into().expect("four bytes"))).collect())
    }

    pub(super) fn text(&self, name: &str, rows: usize) -> Result<Vec<String>> {
        let mut data = self.data(name, Kind::Text, rows, 1)?;
        let mut strings = Vec::with_capacity(rows); // `rows` is at most a quarter of the tensor's bytes
        let broken = || Error::Record {
            what: format!("tensor `{name}`"),
            problem: "its strings are not UTF-8, or do not fit its length",
        };
        for _ in 0..rows {
            let (length, rest) = data.split_first_chunk::<4>().ok_or_else(broken)?;
            let length = u32::from_le_bytes(*length) as usize;
            let (text, rest) = rest.split_at_checked(length).ok_or_else(broken)?;
            strings.push(core::str::from_utf8(text).map_err(|_| broken())?.into());
            data = rest;
        }
        if data.is_empty() { Ok(strings) } else { Err(broken()) }
    }

    /// Number of rows of the tensor called `name`; 0 if the file has none.
    pub(super) fn rows(&self, name: &str) -> usize {
        self.by_name.get(name).map_or(0, |&index| self.tensors[index].rows)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }
}

fn read_layer(index: usize, record: &[u8]) -> Result<LayerRecord> {
    if record[16..].iter().any(|&b| b != 0) {
        return record_error(format!("layer {index}"), "reserved bytes are not zero");
    }
    let [kind, inputs, outputs, depth] = [0, 4, 8, 12].map(|at| u32_at(record, at));
    Ok(LayerRecord { kind, inputs, outputs, depth })
}
