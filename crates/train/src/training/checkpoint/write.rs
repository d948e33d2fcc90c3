//! Writes a network: one walk over its state measures, then one walk for each element width writes. No copy
//! of the whole state is made.

use std::io::Write;

use crc32fast::Hasher;

use crate::{
    contract::state::{Item, State, Visitor},
    error::{CheckpointError, Result},
    network::Network,
    training::checkpoint::layout::{CRC, CRC_BYTES, Layout, Metadata, TensorType, WIDTHS},
};

/// Bytes converted at a time.
pub(crate) const PIECE: usize = 1 << 14;

/// Writes a checkpoint: the texts `metadata`, the state of `net`, and named plain bytes.
pub(crate) fn write(
    to: &mut dyn Write,
    metadata: &Metadata,
    net: &mut Network,
    blobs: &[(&str, &[u8])],
) -> Result<()> {
    let mut layout = Layout::default();
    net.state(&mut State::new(&mut layout))?;
    for (name, bytes) in blobs {
        layout.add(name, TensorType::blob(bytes.len()))?;
    }
    layout.add(CRC, TensorType::blob(CRC_BYTES))?;
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

/// A writer that computes the CRC-32 of its output.
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

/// Writes the items whose elements have a given width.
struct Put<'a, 'b> {
    width: usize,
    to: &'a mut Hashed<'b>,
}

impl Visitor for Put<'_, '_> {
    fn visit(&mut self, _: &str, item: Item) -> Result<()> {
        if TensorType::of(&item).width() == self.width {
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
