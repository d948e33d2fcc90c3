//! Restores a network. A file is untrusted until its length, header and checksum are checked.

use std::{
    collections::BTreeSet,
    io::{Read, Seek, SeekFrom},
};

use crc32fast::Hasher;
use onebit_bits::BitTensor;

use crate::{
    contract::state::{Item, State, Visitor},
    error::{CheckpointError, Result},
    network::Network,
    training::checkpoint::{
        layout::{CRC, CRC_BYTES, Header, LONGEST_HEADER, TensorType},
        write::PIECE,
    },
};

/// Length of the header's length, in bytes.
const PREFIX: u64 = 8;

/// A checkpoint whose length, header and checksum are valid.
pub(crate) struct Saved<R> {
    from: R,
    header: Header,
    /// Offset of the data in the file.
    data: u64,
}

impl<R: Read + Seek> Saved<R> {
    /// Opens and checks a checkpoint.
    pub(crate) fn open(mut from: R) -> Result<Self, CheckpointError> {
        let length = from.seek(SeekFrom::End(0))?;
        let at_least = |expected| {
            if length < expected { Err(CheckpointError::Length { expected, got: length }) } else { Ok(()) }
        };
        at_least(PREFIX)?;
        from.seek(SeekFrom::Start(0))?;
        let mut prefix = [0; PREFIX as usize];
        from.read_exact(&mut prefix)?;
        let of_header = u64::from_le_bytes(prefix);
        if of_header > LONGEST_HEADER {
            let problem =
                format!("expected at most {LONGEST_HEADER} bytes, got {of_header}; this is not a checkpoint");
            return Err(CheckpointError::Header(problem));
        }
        at_least(PREFIX + of_header)?;
        let mut text = vec![0; of_header as usize];
        from.read_exact(&mut text)?;
        let (header, of_data) = Header::parse(&text)?;
        let data = PREFIX + of_header;
        let expected = data.saturating_add(of_data as u64);
        if length != expected {
            return Err(CheckpointError::Length { expected, got: length });
        }
        let mut saved = Self { from, header, data };
        saved.check(length - CRC_BYTES as u64)?;
        Ok(saved)
    }

    /// Compares the checksum with that of the first `length` bytes.
    fn check(&mut self, length: u64) -> Result<(), CheckpointError> {
        self.from.seek(SeekFrom::Start(0))?;
        let mut hasher = Hasher::new();
        let mut piece = [0; PIECE];
        let mut left = length;
        while left > 0 {
            let piece = &mut piece[..left.min(PIECE as u64) as usize];
            self.from.read_exact(piece)?;
            hasher.update(piece);
            left -= piece.len() as u64;
        }
        let mut crc = [0; CRC_BYTES];
        self.from.read_exact(&mut crc)?;
        let (expected, got) = (u32::from_le_bytes(crc), hasher.finalize());
        if expected == got { Ok(()) } else { Err(CheckpointError::Checksum { expected, got }) }
    }

    /// Returns a text of the header.
    pub(crate) fn text(&self, name: &str) -> Result<&str, CheckpointError> {
        let text = self.header.metadata.get(name).map(String::as_str);
        text.ok_or_else(|| {
            CheckpointError::Header(format!("no text `{name}`; this is not a onebit checkpoint"))
        })
    }

    /// Reads the plain bytes called `name`, if there are any.
    pub(crate) fn blob(&mut self, name: &str) -> Result<Option<Vec<u8>>, CheckpointError> {
        let Some(bytes) = self.header.bytes(name) else { return Ok(None) };
        self.seek(name, &TensorType::blob(bytes))?;
        let mut blob = vec![0; bytes]; // the header was checked against the length of the file
        self.from.read_exact(&mut blob)?;
        Ok(Some(blob))
    }

    /// Restores the state of a network. `blobs` are the names of tensors that do not belong to it. After an
    /// error the state of the network is unspecified.
    pub(crate) fn restore(&mut self, net: &mut Network, blobs: &[&str]) -> Result<()> {
        let mut visitor = Restore { saved: self, visited: BTreeSet::new() };
        net.state(&mut State::new(&mut visitor))?;
        let Restore { visited, .. } = visitor;
        let known = |name: &str| visited.contains(name) || name == CRC || blobs.contains(&name);
        match self.header.types().find(|(name, _)| !known(name)) {
            Some((name, tensor_type)) => {
                Err(CheckpointError::tensor(name, "none of this name", tensor_type).into())
            }
            None => Ok(()),
        }
    }

    /// Moves to the data of the tensor `name`, which must have the type `tensor_type`.
    fn seek(&mut self, name: &str, tensor_type: &TensorType) -> Result<(), CheckpointError> {
        let begin = self.header.find(name, tensor_type)? as u64;
        self.from.seek(SeekFrom::Start(self.data + begin))?;
        Ok(())
    }

    /// Reads `values.len()` elements of `N` bytes each.
    fn fill<T, const N: usize>(
        &mut self,
        values: &mut [T],
        value: impl Fn([u8; N]) -> T,
    ) -> Result<(), CheckpointError> {
        let mut piece = [0; PIECE];
        for values in values.chunks_mut(PIECE / N) {
            let bytes = &mut piece[..values.len() * N];
            self.from.read_exact(bytes)?;
            for (to, bytes) in values.iter_mut().zip(bytes.as_chunks().0) {
                *to = value(*bytes);
            }
        }
        Ok(())
    }
}

/// Restores the items of a state, and records their names.
struct Restore<'a, R> {
    saved: &'a mut Saved<R>,
    visited: BTreeSet<String>,
}

impl<R: Read + Seek> Visitor for Restore<'_, R> {
    fn visit(&mut self, name: &str, item: Item) -> Result<()> {
        self.saved.seek(name, &TensorType::of(&item))?;
        self.visited.insert(name.into());
        match item {
            Item::Reals(values) => self.saved.fill(values, f32::from_le_bytes)?,
            Item::Integers(values) => self.saved.fill(values, i32::from_le_bytes)?,
            Item::Bytes(values) => self.saved.fill(values, i8::from_le_bytes)?,
            Item::Bits(bits) => {
                let mut words = vec![0; bits.words().len()];
                self.saved.fill(&mut words, u64::from_le_bytes)?;
                *bits = BitTensor::from_words(bits.rows(), bits.cols(), words).map_err(|e| {
                    CheckpointError::tensor(name, format!("{} columns of bits", bits.cols()), e)
                })?;
            }
            Item::Count(count) => self.saved.fill(std::slice::from_mut(count), u64::from_le_bytes)?,
        }
        Ok(())
    }
}
