//! The safetensors layout: 8 bytes with the length of the header, the header in JSON, the data.
//!
//! The data are sorted by the width of their elements, so that each tensor is aligned. The last tensor, `crc32`, is the
//! CRC-32 (ISO-HDLC, little-endian) of every byte before it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    contract::state::{Item, Visitor},
    error::{CheckpointError, Result},
};

/// Texts in a header.
pub(crate) type Metadata = BTreeMap<String, String>;

/// The tensor with the checksum, and its length.
pub(crate) const CRC: &str = "crc32";
pub(crate) const CRC_BYTES: usize = 4;

/// The texts' place in a header.
const METADATA: &str = "__metadata__";

/// A longer header is a mistake; that of the safetensors library, too.
pub(crate) const LONGEST_HEADER: u64 = 100_000_000;

/// Widths of elements, in bytes, in the order of the data.
pub(crate) const WIDTHS: [usize; 3] = [8, 4, 1];

/// Type and shape of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    kind: &'static str,
    shape: Vec<usize>,
}

/// Types by name, with their width.
const KINDS: [(&str, usize); 5] = [("U64", 8), ("F32", 4), ("I32", 4), ("I8", 1), ("U8", 1)];

impl Form {
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

    /// So many plain bytes.
    pub(crate) fn blob(bytes: usize) -> Self {
        Self { kind: "U8", shape: vec![bytes] }
    }

    pub(crate) fn width(&self) -> usize {
        KINDS.iter().find(|(name, _)| *name == self.kind).map_or(1, |(_, width)| *width)
    }

    /// Length in bytes, if it is a number.
    fn bytes(&self) -> Option<usize> {
        self.shape.iter().try_fold(self.width(), |bytes, size| bytes.checked_mul(*size))
    }
}

impl std::fmt::Display for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{} {:?}", self.kind, self.shape)
    }
}

/// Names and forms of tensors, in the order in which they are met: what the first walk finds out.
#[derive(Default)]
pub(crate) struct Layout {
    tensors: Vec<(String, Form)>,
    names: BTreeSet<String>,
}

impl Visitor for Layout {
    fn visit(&mut self, name: &str, item: Item) -> Result<()> {
        Ok(self.add(name, Form::of(&item))?)
    }
}

impl Layout {
    pub(crate) fn add(&mut self, name: &str, form: Form) -> Result<(), CheckpointError> {
        if name == METADATA || !self.names.insert(name.into()) {
            return Err(CheckpointError::tensor(name, "a name of its own", "one that is taken"));
        }
        self.tensors.push((name.into(), form));
        Ok(())
    }

    /// Everything that comes before the data.
    pub(crate) fn header(mut self, metadata: &Metadata) -> Vec<u8> {
        self.tensors.sort_by_key(|(_, form)| std::cmp::Reverse(form.width())); // stable: the checksum stays the last
        let mut header = Map::new();
        header.insert(METADATA.into(), json!(metadata));
        let mut begin = 0;
        for (name, form) in self.tensors {
            let end = begin + form.bytes().expect("it is in memory");
            header
                .insert(name, json!({"dtype": form.kind, "shape": form.shape, "data_offsets": [begin, end]}));
            begin = end;
        }
        let mut text = Value::Object(header).to_string();
        text += &" ".repeat(text.len().next_multiple_of(8) - text.len());
        [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
    }
}

/// A header that was read.
pub(crate) struct Header {
    pub(crate) metadata: Metadata,
    tensors: BTreeMap<String, Place>,
}

/// Where a tensor is.
struct Place {
    form: Form,
    begin: usize,
    bytes: usize,
}

/// A tensor as a header writes it.
#[derive(Deserialize)]
struct Written {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

impl Header {
    /// Checks that the tensors fill the data without holes; returns the length of the data, too.
    pub(crate) fn parse(text: &[u8]) -> Result<(Self, usize), CheckpointError> {
        let wrong = |problem: String| CheckpointError::Header(problem);
        let mut all: Map<String, Value> = serde_json::from_slice(text).map_err(|e| wrong(e.to_string()))?;
        let metadata = all.remove(METADATA).ok_or_else(|| wrong(format!("no `{METADATA}`")))?;
        let metadata = serde_json::from_value(metadata).map_err(|e| wrong(format!("`{METADATA}`: {e}")))?;
        let mut tensors = BTreeMap::new();
        for (name, written) in all {
            let Written { dtype, shape, data_offsets: [begin, end] } =
                serde_json::from_value(written).map_err(|e| wrong(format!("tensor `{name}`: {e}")))?;
            let kind = KINDS.iter().map(|(kind, _)| *kind).find(|kind| *kind == dtype);
            let Some(kind) = kind else {
                return Err(CheckpointError::tensor(&name, "U64, F32, I32, I8 or U8", dtype));
            };
            let form = Form { kind, shape };
            match (form.bytes(), end.checked_sub(begin)) {
                (Some(expected), Some(bytes)) if expected == bytes => {
                    tensors.insert(name, Place { form, begin, bytes });
                }
                _ => {
                    let got = format!("{form} from byte {begin} to {end}");
                    return Err(CheckpointError::tensor(&name, "as many bytes as elements", got));
                }
            }
        }
        let mut in_order: Vec<_> = tensors.iter().collect();
        in_order.sort_by_key(|(_, place)| (place.begin, place.bytes));
        let mut data = 0;
        for (name, place) in in_order {
            if place.begin != data {
                return Err(CheckpointError::tensor(
                    name,
                    format!("a start at byte {data}"),
                    format!("byte {}", place.begin),
                ));
            }
            data += place.bytes;
        }
        match tensors.get(CRC) {
            Some(place) if place.form == Form::blob(CRC_BYTES) && place.begin + CRC_BYTES == data => {}
            _ => return Err(wrong(format!("no tensor `{CRC}` of {CRC_BYTES} bytes at the end"))),
        }
        Ok((Self { metadata, tensors }, data))
    }

    /// Where the data of a tensor begin, if it is there in the form that is expected.
    pub(crate) fn find(&self, name: &str, expected: &Form) -> Result<usize, CheckpointError> {
        match self.tensors.get(name) {
            Some(place) if place.form == *expected => Ok(place.begin),
            Some(place) => Err(CheckpointError::tensor(name, expected, &place.form)),
            None => Err(CheckpointError::tensor(name, expected, "none of this name")),
        }
    }

    /// Length in bytes of a tensor.
    pub(crate) fn bytes(&self, name: &str) -> Option<usize> {
        self.tensors.get(name).map(|place| place.bytes)
    }

    /// All tensors with their forms.
    pub(crate) fn forms(&self) -> impl Iterator<Item = (&str, &Form)> {
        self.tensors.iter().map(|(name, place)| (name.as_str(), &place.form))
    }
}
