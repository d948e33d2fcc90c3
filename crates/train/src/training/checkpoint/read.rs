//! Bytes to networks. A file is checked as a whole before anything is taken from it, and hostile until then.

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
        layout::{CRC, CRC_BYTES, Form, Header, LONGEST_HEADER},
        write::PIECE,
    },
};

/// Bytes before the header.
const PREFIX: u64 = 8;

/// A checkpoint whose length, header and checksum are right.
pub(crate) struct Saved<R> {
    from: R,
    header: Header,
    /// Where the data begin.
    data: u64,
}

impl<R: Read + Seek> Saved<R> {
    pub(crate) fn open(mut from: R) -> Result<Self, CheckpointError> {
        let length = from.seek(SeekFrom::End(0))?;
        let check = |expected| match length < expected {
            true => Err(CheckpointError::Length { expected, got: length }),
            false => Ok(()),
        };
        check(PREFIX)?;
        from.seek(SeekFrom::Start(0))?;
        let mut prefix = [0; PREFIX as usize];
        from.read_exact(&mut prefix)?;
        let of_header = u64::from_le_bytes(prefix);
        if of_header > LONGEST_HEADER {
            let problem =
                format!("expected at most {LONGEST_HEADER} bytes, got {of_header}; this is no checkpoint");
            return Err(CheckpointError::Header(problem));
        }
        check(PREFIX + of_header)?;
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

    /// Checks that the checksum is that of the first `length` bytes.
    fn check(&mut self, length: u64) -> Result<(), CheckpointError> {
        self.from.seek(SeekFrom::Start(0))?;
        let (mut hasher, mut piece, mut left) = (Hasher::new(), [0; PIECE], length);
        while left > 0 {
            let piece = &mut piece[..left.min(PIECE as u64) as usize];
            self.from.read_exact(piece)?;
            hasher.update(piece);
            left -= piece.len() as u64;
        }
        let mut crc = [0; CRC_BYTES];
        self.from.read_exact(&mut crc)?;
        match (u32::from_le_bytes(crc), hasher.finalize()) {
            (expected, got) if expected != got => Err(CheckpointError::Checksum { expected, got }),
            _ => Ok(()),
        }
    }

    /// A text of the header.
    pub(crate) fn text(&self, name: &str) -> Result<&str, CheckpointError> {
        let text = self.header.metadata.get(name).map(String::as_str);
        text.ok_or_else(|| {
            CheckpointError::Header(format!("no text `{name}`; this is no checkpoint of onebit"))
        })
    }

    /// Plain bytes, if there are any of this name.
    pub(crate) fn blob(&mut self, name: &str) -> Result<Option<Vec<u8>>, CheckpointError> {
        let Some(bytes) = self.header.bytes(name) else { return Ok(None) };
        self.seek(name, &Form::blob(bytes))?;
        let mut blob = vec![0; bytes]; // no more than the file, which has been measured
        self.from.read_exact(&mut blob)?;
        Ok(Some(blob))
    }

    /// Gives a network its state back. `blobs` are names that do not belong to it. After an error it is neither what it
    /// was nor what was saved.
    pub(crate) fn restore(&mut self, net: &mut Network, blobs: &[&str]) -> Result<()> {
        let mut visitor = Restore { saved: self, met: BTreeSet::new() };
        net.state(&mut State::new(&mut visitor))?;
        let Restore { met, .. } = visitor;
        let known = |name: &str| met.contains(name) || name == CRC || blobs.contains(&name);
        match self.header.forms().find(|(name, _)| !known(name)) {
            Some((name, form)) => Err(CheckpointError::tensor(name, "none of this name", form).into()),
            None => Ok(()),
        }
    }

    fn seek(&mut self, name: &str, form: &Form) -> Result<(), CheckpointError> {
        let begin = self.header.find(name, form)? as u64;
        self.from.seek(SeekFrom::Start(self.data + begin))?;
        Ok(())
    }

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

struct Restore<'a, R> {
    saved: &'a mut Saved<R>,
    met: BTreeSet<String>,
}

impl<R: Read + Seek> Visitor for Restore<'_, R> {
    fn visit(&mut self, name: &str, item: Item) -> Result<()> {
        self.saved.seek(name, &Form::of(&item))?;
        self.met.insert(name.into());
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
