//! The safetensors layout: 8 bytes with the length of the header, the header in JSON, the data.
//!
//! The tensors are sorted by the width of their elements, widest first, so that each one is aligned. The last
//! tensor, `crc32`, is the CRC-32 (ISO-HDLC, little-endian) of all preceding bytes.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    contract::state::{Item, Visitor},
    error::{CheckpointError, Result},
};

/// The named texts of a header.
pub(crate) type Metadata = BTreeMap<String, String>;

/// Name of the tensor with the checksum.
pub(crate) const CRC: &str = "crc32";
/// Length of the checksum in bytes.
pub(crate) const CRC_BYTES: usize = 4;

/// Key of the texts in a header.
const METADATA: &str = "__metadata__";

/// Maximum length of a header in bytes, the same as in the safetensors library.
pub(crate) const LONGEST_HEADER: u64 = 100_000_000;

/// Element widths in bytes, in the order of the data.
pub(crate) const WIDTHS: [usize; 3] = [8, 4, 1];

/// Element type and shape of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TensorType {
    kind: &'static str,
    shape: Vec<usize>,
}

/// Names and widths of the element types.
const KINDS: [(&str, usize); 5] = [("U64", 8), ("F32", 4), ("I32", 4), ("I8", 1), ("U8", 1)];

impl TensorType {
    pub(crate) fn of(item: &Item) -> Self {
        let (kind, shape) = match item {
            Item::Reals(values) => ("F32", vec![values.len()]),
            Item::Integers(values) => ("I32", vec![values.len()]),
            Item::Bytes(values) => ("I8", vec![values.len()]),
            Item::Bits(bits) => ("U64", vec![bits.rows(), bits.words_per_row()]),
            Item::Count(_) => ("U64", vec![]),
        };
        Self { kind, shape }
    }

    /// `bytes` plain bytes.
    pub(crate) fn blob(bytes: usize) -> Self {
        Self { kind: "U8", shape: vec![bytes] }
    }

    /// Width of an element in bytes.
    pub(crate) fn width(&self) -> usize {
        KINDS.iter().find(|(name, _)| *name == self.kind).map_or(1, |(_, width)| *width)
    }

    /// Length in bytes; `None` if it overflows.
    fn bytes(&self) -> Option<usize> {
        self.shape.iter().try_fold(self.width(), |bytes, size| bytes.checked_mul(*size))
    }
}

impl std::fmt::Display for TensorType {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{} {:?}", self.kind, self.shape)
    }
}

/// Names and types of tensors, in the order of the walk that measures them.
#[derive(Default)]
pub(crate) struct Layout {
    tensors: Vec<(String, TensorType)>,
    names: BTreeSet<String>,
}

impl Visitor for Layout {
    fn visit(&mut self, name: &str, item: Item) -> Result<()> {
        Ok(self.add(name, TensorType::of(&item))?)
    }
}

impl Layout {
    /// Appends a tensor, whose name must be new.
    pub(crate) fn add(&mut self, name: &str, tensor_type: TensorType) -> Result<(), CheckpointError> {
        if name == METADATA || !self.names.insert(name.into()) {
            return Err(CheckpointError::tensor(name, "a unique name", "a name that is taken"));
        }
        self.tensors.push((name.into(), tensor_type));
        Ok(())
    }

    /// Returns the bytes that precede the data.
    pub(crate) fn header(mut self, metadata: &Metadata) -> Vec<u8> {
        self.tensors.sort_by_key(|(_, tensor_type)| std::cmp::Reverse(tensor_type.width())); // stable: the checksum stays last
        let mut header = Map::new();
        header.insert(METADATA.into(), json!(metadata));
        let mut begin = 0;
        for (name, tensor_type) in self.tensors {
            let end = begin + tensor_type.bytes().expect("the tensor is in memory");
            header.insert(
                name,
                json!({"dtype": tensor_type.kind, "shape": tensor_type.shape, "data_offsets": [begin, end]}),
            );
            begin = end;
        }
        let mut text = Value::Object(header).to_string();
        text += &" ".repeat(text.len().next_multiple_of(8) - text.len());
        [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
    }
}

/// A header from a file.
pub(crate) struct Header {
    pub(crate) metadata: Metadata,
    tensors: BTreeMap<String, TensorEntry>,
}

/// Type and position of a tensor in the data.
struct TensorEntry {
    tensor_type: TensorType,
    begin: usize,
    bytes: usize,
}

/// A tensor in the JSON of a header.
#[derive(Deserialize)]
struct HeaderEntry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

impl Header {
    /// Parses a header and checks that its tensors fill the data without gaps. Also returns the length of the
    /// data.
    pub(crate) fn parse(text: &[u8]) -> Result<(Self, usize), CheckpointError> {
        let wrong = |problem: String| CheckpointError::Header(problem);
        let mut all: Map<String, Value> = serde_json::from_slice(text).map_err(|e| wrong(e.to_string()))?;
        let metadata = all.remove(METADATA).ok_or_else(|| wrong(format!("no `{METADATA}`")))?;
        let metadata = serde_json::from_value(metadata).map_err(|e| wrong(format!("`{METADATA}`: {e}")))?;
        let mut tensors = BTreeMap::new();
        for (name, written) in all {
            let HeaderEntry { dtype, shape, data_offsets: [begin, end] } =
                serde_json::from_value(written).map_err(|e| wrong(format!("tensor `{name}`: {e}")))?;
            let kind = KINDS.iter().map(|(kind, _)| *kind).find(|kind| *kind == dtype);
            let Some(kind) = kind else {
                return Err(CheckpointError::tensor(&name, "U64, F32, I32, I8 or U8", dtype));
            };
            let tensor_type = TensorType { kind, shape };
            match (tensor_type.bytes(), end.checked_sub(begin)) {
                (Some(expected), Some(bytes)) if expected == bytes => {
                    tensors.insert(name, TensorEntry { tensor_type, begin, bytes });
                }
                _ => {
                    let got = format!("{tensor_type} from byte {begin} to {end}");
                    return Err(CheckpointError::tensor(&name, "offsets that fit its type and shape", got));
                }
            }
        }
        let mut in_order: Vec<_> = tensors.iter().collect();
        in_order.sort_by_key(|(_, entry)| (entry.begin, entry.bytes));
        let mut data = 0;
        for (name, entry) in in_order {
            if entry.begin != data {
                return Err(CheckpointError::tensor(
                    name,
                    format!("a start at byte {data}"),
                    format!("byte {}", entry.begin),
                ));
            }
            data += entry.bytes;
        }
        match tensors.get(CRC) {
            Some(entry)
                if entry.tensor_type == TensorType::blob(CRC_BYTES) && entry.begin + CRC_BYTES == data => {}
            _ => return Err(wrong(format!("no tensor `{CRC}` of {CRC_BYTES} bytes at the end"))),
        }
        Ok((Self { metadata, tensors }, data))
    }

    /// Returns the offset of a tensor of the expected type.
    pub(crate) fn find(&self, name: &str, expected: &TensorType) -> Result<usize, CheckpointError> {
        match self.tensors.get(name) {
            Some(entry) if entry.tensor_type == *expected => Ok(entry.begin),
            Some(entry) => Err(CheckpointError::tensor(name, expected, &entry.tensor_type)),
            None => Err(CheckpointError::tensor(name, expected, "none of this name")),
        }
    }

    /// Returns the length of a tensor in bytes.
    pub(crate) fn bytes(&self, name: &str) -> Option<usize> {
        self.tensors.get(name).map(|entry| entry.bytes)
    }

    /// Iterates over all tensors and their types.
    pub(crate) fn types(&self) -> impl Iterator<Item = (&str, &TensorType)> {
        self.tensors.iter().map(|(name, entry)| (name.as_str(), &entry.tensor_type))
    }
}
