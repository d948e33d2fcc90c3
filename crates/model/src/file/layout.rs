//! The vocabulary of the file: a header of 64 bytes, layer records of 32, tensor records of 64, then the
//! tensors, each at the next multiple of 64. Everything is little-endian.

use alloc::string::String;

/// The first eight bytes of every file. The first is not ASCII and the last is a line feed, so that a
/// transfer in text mode is noticed.
pub const MAGIC: [u8; 8] = *b"\x89ONEBIT\n";
/// The newest version of the format that this crate reads and writes.
///
/// A model is written in the oldest version that can represent it: 1, or 2 with convolutions, 3 with a
/// thermometer, 4 with a first layer on bytes, 5 with columns.
pub const VERSION: u32 = 5;

/// Bytes of the header.
pub(crate) const HEADER: usize = 64;
/// Bytes of a layer record.
pub(crate) const LAYER_RECORD: usize = 32;
/// Bytes of a tensor record.
pub(crate) const TENSOR_RECORD: usize = 64;
/// Bytes of the name in a tensor record, padded with zeros.
pub(super) const NAME: usize = 32;
/// Tensors start at multiples of this many bytes.
pub(crate) const ALIGN: usize = 64;
/// The checksum covers the file from this byte to its end.
pub(super) const CHECKED_FROM: usize = 16;

const _: () = assert!(NAME + 32 == TENSOR_RECORD && HEADER.is_multiple_of(ALIGN));

/// One layer record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LayerRecord {
    pub(super) kind: u32,
    pub(super) inputs: u32,
    pub(super) outputs: u32,
    pub(super) depth: u32,
}

/// The element type of a tensor in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Rows of 64-bit words whose padding bits are zero.
    Bits,
    /// 32-bit IEEE 754 floating-point numbers.
    F32,
    /// 32-bit two's complement integers.
    I32,
    /// Strings, one a row: a 32-bit length, then that many bytes of UTF-8.
    Text,
}

impl Kind {
    const ALL: [(u32, Kind); 4] = [(1, Kind::Bits), (2, Kind::F32), (3, Kind::I32), (4, Kind::Text)];

    /// The name in tables: `bits`, `f32`, `i32` or `text`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Bits => "bits",
            Kind::F32 => "f32",
            Kind::I32 => "i32",
            Kind::Text => "text",
        }
    }

    pub(super) fn code(self) -> u32 {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or(0, |(code, _)| *code)
    }

    pub(super) fn from_code(code: u32) -> Option<Self> {
        Self::ALL.iter().find(|(c, _)| *c == code).map(|(_, kind)| *kind)
    }

    /// Bytes of a tensor of this kind; `None` for text, which has any length, and on overflow.
    pub(super) fn bytes(self, rows: u32, cols: u32) -> Option<u64> {
        let row = match self {
            Kind::Bits => u64::from(cols.div_ceil(64)) * 8,
            Kind::F32 | Kind::I32 => u64::from(cols) * 4,
            Kind::Text => return None,
        };
        u64::from(rows).checked_mul(row)
    }
}

/// The record of one tensor in a file: see [`Model::tensors`](crate::Model::tensors).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Name of the tensor, for example `1.weights`.
    pub name: String,
    /// Type of the elements.
    pub kind: Kind,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
    /// Position of the first byte in the file.
    pub offset: usize,
    /// Number of bytes.
    pub bytes: usize,
}
