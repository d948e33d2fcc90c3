//! The `.onebit` file, byte by byte; `docs/reference/format.md` is its specification.
//!
//! A header of 64 bytes, layer records of 32, tensor records of 64, then the tensors, each at the next
//! multiple of 64. Everything is little-endian. This module knows records and tensors; what they mean is
//! in `file.rs`.

use alloc::{borrow::Cow, collections::BTreeMap, format, string::String, vec::Vec};

use onebit_bits::Bits;

use crate::error::{Error, Result};

/// The first eight bytes of every file. The first is not ASCII and the last is a line feed, so that a
/// transfer in text mode is noticed.
pub const MAGIC: [u8; 8] = *b"\x89ONEBIT\n";
/// The newest version of the format that this crate reads and writes. It writes the oldest that can say what a model is:
/// 1, 2 for one with convolutions, 3 for one with a thermometer, 4 for one that takes bytes, or 5 for one with columns.
pub const VERSION: u32 = 5;

pub(crate) const HEADER: usize = 64;
pub(crate) const LAYER_RECORD: usize = 32;
pub(crate) const TENSOR_RECORD: usize = 64;
const NAME: usize = 32;
pub(crate) const ALIGN: usize = 64;
/// The checksum covers everything from here on.
const CHECKED_FROM: usize = 16;

/// One layer record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LayerRecord {
    pub(crate) kind: u32,
    pub(crate) inputs: u32,
    pub(crate) outputs: u32,
    pub(crate) depth: u32,
}

/// The type of a tensor's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Rows of 64-bit words, the padding zero.
    Bits,
    /// 32-bit IEEE 754.
    F32,
    /// 32-bit two's complement.
    I32,
    /// Strings: a 32-bit length and UTF-8 bytes, `rows` times.
    Text,
}

impl Kind {
    const ALL: [(u32, Kind); 4] = [(1, Kind::Bits), (2, Kind::F32), (3, Kind::I32), (4, Kind::Text)];

    fn code(self) -> u32 {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or(0, |(code, _)| *code)
    }

    fn from_code(code: u32) -> Option<Self> {
        Self::ALL.iter().find(|(c, _)| *c == code).map(|(_, kind)| *kind)
    }

    /// Bytes of a tensor of this kind, `None` for text (any length) or on overflow.
    fn bytes(self, rows: u32, cols: u32) -> Option<u64> {
        let row = match self {
            Kind::Bits => u64::from(cols.div_ceil(64)) * 8,
            Kind::F32 | Kind::I32 => u64::from(cols) * 4,
            Kind::Text => return None,
        };
        u64::from(rows).checked_mul(row)
    }
}

/// What a file says about one of its tensors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name, for example `1.weights`.
    pub name: String,
    /// Type of the elements.
    pub kind: Kind,
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
    /// Position of the first byte in the file.
    pub offset: usize,
    /// Number of bytes.
    pub bytes: usize,
}

// === writing ===

/// Collects records and tensors, and writes them out.
#[derive(Default)]
pub(crate) struct Writer {
    layers: Vec<LayerRecord>,
    tensors: Vec<(String, Kind, u32, u32, Vec<u8>)>,
}

impl Writer {
    pub(crate) fn layer(&mut self, record: LayerRecord) -> usize {
        self.layers.push(record);
        self.layers.len() - 1
    }

    pub(crate) fn bits<W: AsRef<[u64]>>(&mut self, name: String, bits: &Bits<W>) {
        let data = bits.words().iter().flat_map(|word| word.to_le_bytes()).collect();
        self.tensors.push((name, Kind::Bits, bits.rows() as u32, bits.cols() as u32, data));
    }

    pub(crate) fn f32s(&mut self, name: String, rows: usize, values: &[f32]) {
        let data = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.tensors.push((name, Kind::F32, rows as u32, (values.len() / rows.max(1)) as u32, data));
    }

    pub(crate) fn i32s(&mut self, name: String, rows: usize, values: &[i32]) {
        let data = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.tensors.push((name, Kind::I32, rows as u32, (values.len() / rows.max(1)) as u32, data));
    }

    pub(crate) fn text(&mut self, name: String, strings: &[String]) {
        let mut data = Vec::new();
        for s in strings {
            data.extend((s.len() as u32).to_le_bytes());
            data.extend(s.as_bytes());
        }
        self.tensors.push((name, Kind::Text, strings.len() as u32, 1, data));
    }

    pub(crate) fn finish(self, version: u32, inputs: usize, classes: usize) -> Vec<u8> {
        let records = HEADER + LAYER_RECORD * self.layers.len() + TENSOR_RECORD * self.tensors.len();
        let mut offsets = Vec::new();
        let mut end = records;
        for (.., data) in &self.tensors {
            let start = end.next_multiple_of(ALIGN);
            offsets.push(start);
            end = start + data.len();
        }
        let mut file = Vec::with_capacity(end);
        file.extend(MAGIC);
        file.extend(version.to_le_bytes());
        file.extend([0; 4]); // the checksum, once the rest is there
        file.extend((end as u64).to_le_bytes());
        for n in [self.tensors.len(), self.layers.len(), inputs, classes] {
            file.extend((n as u32).to_le_bytes());
        }
        file.resize(HEADER, 0);
        for l in &self.layers {
            for n in [l.kind, l.inputs, l.outputs, l.depth, 0, 0, 0, 0] {
                file.extend(n.to_le_bytes());
            }
        }
        for ((name, kind, rows, cols, data), offset) in self.tensors.iter().zip(&offsets) {
            let start = file.len();
            file.extend(name.as_bytes());
            file.resize(start + NAME, 0);
            for n in [kind.code(), *rows, *cols, 0] {
                file.extend(n.to_le_bytes());
            }
            file.extend((*offset as u64).to_le_bytes());
            file.extend((data.len() as u64).to_le_bytes());
        }
        for ((.., data), offset) in self.tensors.iter().zip(&offsets) {
            file.resize(*offset, 0);
            file.extend(data);
        }
        let checksum = crc32fast::hash(&file[CHECKED_FROM..]);
        file[12..16].copy_from_slice(&checksum.to_le_bytes());
        file
    }
}

// === reading ===

/// What can hold the words of weights that are read: a `Vec`, or a `Cow` that borrows them from the file.
pub(crate) trait Words<'a>: AsRef<[u64]> + From<Cow<'a, [u64]>> {}

impl<'a, W: AsRef<[u64]> + From<Cow<'a, [u64]>>> Words<'a> for W {}

/// A file whose records have been checked; tensors are taken by name.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    pub(crate) version: u32,
    pub(crate) inputs: usize,
    pub(crate) classes: usize,
    pub(crate) layers: Vec<LayerRecord>,
    pub(crate) tensors: Vec<TensorInfo>,
    by_name: BTreeMap<&'a str, usize>, // so that a file of many tensors is read in little time
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
    /// Checks header, checksum and records. Allocates a small multiple of the file's size at most.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self> {
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
            return record_error("header".into(), "more records than bytes");
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

    /// Checks one tensor record; returns where its bytes end.
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
        // The one place that the format allows: no overlaps, no holes but zero padding.
        let start = previous_end.next_multiple_of(ALIGN);
        if offset != start as u64 {
            return record_error(what(), "not at the next multiple of 64");
        }
        let end = offset.checked_add(bytes).and_then(|end| usize::try_from(end).ok());
        let Some(end) = end.filter(|&end| end <= self.bytes.len()) else {
            return record_error(what(), "ends after the end of the file");
        };
        if self.bytes[previous_end..start].iter().any(|&b| b != 0) {
            return record_error(what(), "padding before it is not zero");
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

    /// The bytes of the tensor of this name, if it has this kind and shape.
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

    /// The words as they lie in the file, where the machine can read them there; `W` may want a copy all the same.
    pub(crate) fn bits<W: Words<'a>>(&self, name: &str, rows: usize, cols: usize) -> Result<Bits<W>> {
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

    pub(crate) fn f32s(&self, name: &str, rows: usize, cols: usize) -> Result<Vec<f32>> {
        let data = self.data(name, Kind::F32, rows, cols)?;
        Ok(data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().expect("four bytes"))).collect())
    }

    pub(crate) fn i32s(&self, name: &str, rows: usize, cols: usize) -> Result<Vec<i32>> {
        let data = self.data(name, Kind::I32, rows, cols)?;
        Ok(data.chunks_exact(4).map(|b| i32::from_le_bytes(b.try_into().expect("four bytes"))).collect())
    }

    pub(crate) fn text(&self, name: &str, rows: usize) -> Result<Vec<String>> {
        let mut data = self.data(name, Kind::Text, rows, 1)?;
        let mut strings = Vec::with_capacity(rows); // `rows` is at most a quarter of the tensor's bytes
        let broken = || Error::Record { what: format!("tensor `{name}`"), problem: "broken text" };
        for _ in 0..rows {
            let (length, rest) = data.split_first_chunk::<4>().ok_or_else(broken)?;
            let length = u32::from_le_bytes(*length) as usize;
            let (text, rest) = rest.split_at_checked(length).ok_or_else(broken)?;
            strings.push(core::str::from_utf8(text).map_err(|_| broken())?.into());
            data = rest;
        }
        if data.is_empty() { Ok(strings) } else { Err(broken()) }
    }

    /// The rows of the tensor of this name, 0 without one.
    pub(crate) fn rows(&self, name: &str) -> usize {
        self.by_name.get(name).map_or(0, |&index| self.tensors[index].rows)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
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

const _: () = assert!(NAME + 32 == TENSOR_RECORD && HEADER.is_multiple_of(ALIGN));
