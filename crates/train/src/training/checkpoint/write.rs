//! Networks to bytes: one walk measures, then one walk for each width of elements writes. Nothing is copied as a whole.

use std::io::Write;

use crc32fast::Hasher;

use crate::{
    contract::state::{Item, State, Visitor},
    error::{CheckpointError, Result},
    network::Network,
    training::checkpoint::layout::{CRC, CRC_BYTES, Form, Layout, Metadata, WIDTHS},
};

/// Bytes that are converted at once.
pub(crate) const PIECE: usize = 1 << 14;

/// Writes texts, the state of a network and some plain bytes, each with a name.
pub(crate) fn write(
    to: &mut dyn Write,
    metadata: &Metadata,
    net: &mut Network,
    blobs: &[(&str, &[u8])],
) -> Result<()> {
    let mut layout = Layout::default();
    net.state(&mut State::new(&mut layout))?;
    for (name, bytes) in blobs {
        layout.add(name, Form::blob(bytes.len()))?;
    }
    layout.add(CRC, Form::blob(CRC_BYTES))?;
    let mut to = Hashed { to, hasher: Hasher::new() };
    to.put(&layout.header(metadata))?;
    for width in WIDTHS {
        net.state(&mut State::new(&mut Put { width, to: &mut to }))?;
    }
    for (_, bytes) in blobs {
        to.put(bytes)?;
    }
    let crc = to.hasher.clone().finalize();
    to.put(&crc.to_le_bytes())?;
    Ok(())
}

/// Counts in the checksum what goes through.
struct Hashed<'a> {
    to: &'a mut dyn Write,
    hasher: Hasher,
}

impl Hashed<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), CheckpointError> {
        self.hasher.update(bytes);
        Ok(self.to.write_all(bytes)?)
    }

    fn put_all<T: Copy, const N: usize>(
        &mut self,
        values: &[T],
        bytes: impl Fn(T) -> [u8; N],
    ) -> Result<(), CheckpointError> {
        let mut piece = [0; PIECE];
        for values in values.chunks(PIECE / N) {
            piece.chunks_exact_mut(N).zip(values).for_each(|(to, value)| to.copy_from_slice(&bytes(*value)));
            self.put(&piece[..values.len() * N])?;
        }
        Ok(())
    }
}

/// Writes what has elements of this width.
struct Put<'a, 'b> {
    width: usize,
    to: &'a mut Hashed<'b>,
}

impl Visitor for Put<'_, '_> {
    fn visit(&mut self, _: &str, item: Item) -> Result<()> {
        if Form::of(&item).width() == self.width {
            match item {
                Item::Reals(values) => self.to.put_all(values, f32::to_le_bytes),
                Item::Integers(values) => self.to.put_all(values, i32::to_le_bytes),
                Item::Bytes(values) => self.to.put_all(values, i8::to_le_bytes),
                Item::Bits(bits) => self.to.put_all(bits.words(), u64::to_le_bytes),
                Item::Count(count) => self.to.put(&count.to_le_bytes()),
            }?;
        }
        Ok(())
    }
}
