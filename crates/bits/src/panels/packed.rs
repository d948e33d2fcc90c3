//! The right operand of every product with bits, packed once: rows side by side, so that each lane of a vector
//! counts for an output of its own and nothing is ever summed across lanes.
//!
//! The operand has `n` rows of `k` bits. A panel holds as many rows as a vector has bytes, `L`, cell by cell:
//! `(k / cell, L)`. There are three cells:
//!
//! - **bytes** (8 bits of each row) for look-up: each nibble of a byte is the index into a table of 16 sums;
//! - **words** of 32 bits for instruction sets that count ones or permute whole vectors: the bits as they are;
//! - **sevens**, for short sums where a vector has 64 bytes: two vectors are a table of 128 sums.
//!
//! Nibbles of bytes are stored [folded](super::fold), so that the tables of reals are odd and only half of each has to be kept.
//!
//! A panel's rows are either the rows of a bit matrix or its columns, without a transposition of the whole:
//! `x w^T` wants the rows of `w`, `dy w` wants its columns, and both read the same row-major bits.

use alloc::format;
use core::mem;

use super::{
    bytes,
    cell::{Cell, counts, lanes, permutes},
    words,
};
use crate::{
    error::{Error, Result},
    machine::{Buffer, Engine, Isa, SharedSlice},
    tensor::BitView,
};

/// Bits packed for one instruction set: n rows of k bits.
#[derive(Debug)]
pub struct Panels {
    isa: Isa,
    n: usize,
    k: usize,
    side: Side,
    of: Use,
    /// Rows of a panel.
    lanes: usize,
    /// Bytes of a row, in whole groups: see [`Cell::depth`].
    depth: usize,
    bytes: Buffer<u8>,
}

/// Bytes after the last panel that may be read: words are also loaded from some bytes further on.
const BEYOND: usize = 3;

/// What kind of product reads the panels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Bits,
    Votes,
    Reals,
}

impl Use {
    fn cell(self, isa: Isa) -> Cell {
        match self {
            Self::Votes if lanes(isa) == 64 => Cell::Seven,
            Self::Bits | Self::Votes if counts(isa) => Cell::Word,
            Self::Reals if permutes(isa) => Cell::Word,
            _ => Cell::Byte,
        }
    }
}

/// Which lines of the bit matrix become the panels' rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Rows,
    Columns,
}

impl Panels {
    /// The rows of `bits`: (n, k), for products of bits: [`xnor_gemm_packed`](crate::xnor_gemm_packed).
    #[must_use]
    pub fn of_rows(engine: &Engine, bits: BitView) -> Self {
        Self::pack(engine, bits, Side::Rows, Use::Bits)
    }

    /// The columns of `bits`: (k, n), for products of bits: `x bits` rather than `x bits^T`.
    #[must_use]
    pub fn of_columns(engine: &Engine, bits: BitView) -> Self {
        Self::pack(engine, bits, Side::Columns, Use::Bits)
    }

    /// The columns of `bits`: (k, n), for short sums: [`ternary_gemm_bytes`](crate::ternary_gemm_bytes).
    #[must_use]
    pub fn of_columns_for_votes(engine: &Engine, bits: BitView) -> Self {
        Self::pack(engine, bits, Side::Columns, Use::Votes)
    }

    /// The rows of `bits`: (n, k), for products of reals and integers with bits: `a bits^T`.
    #[must_use]
    pub fn of_rows_for_reals(engine: &Engine, bits: BitView) -> Self {
        Self::pack(engine, bits, Side::Rows, Use::Reals)
    }

    /// The columns of `bits`: (k, n), for products of reals and integers with bits: `a bits`.
    #[must_use]
    pub fn of_columns_for_reals(engine: &Engine, bits: BitView) -> Self {
        Self::pack(engine, bits, Side::Columns, Use::Reals)
    }

    /// Packs other bits, for the same use and from the same side, into the same memory.
    ///
    /// ```
    /// # use onebit_bits::{Engine, Panels, random_bits};
    /// # let (engine, flips) = (Engine::single(), random_bits(1, 0, 64, 100));
    /// let mut w = random_bits(2, 0, 64, 100);
    /// let mut panels = Panels::of_rows(&engine, w.view());
    /// w.flip(flips.view())?;
    /// panels.repack(&engine, w.view()); // as often as the weights flip, without an allocation
    /// # Ok::<(), onebit_bits::Error>(())
    /// ```
    pub fn repack(&mut self, engine: &Engine, bits: BitView) {
        let memory = mem::take(&mut self.bytes);
        *self = Self::pack_into(engine, bits, self.side, self.of, memory);
    }

    /// Number of rows: outputs of a product.
    #[must_use]
    pub fn n(&self) -> usize {
        self.n
    }

    /// Bits of a row: the length of the sums.
    #[must_use]
    pub fn k(&self) -> usize {
        self.k
    }

    /// The instruction set that they are packed for.
    #[must_use]
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Ok if they are packed for products of bits on this engine.
    pub(crate) fn check_bits(&self, op: &'static str, engine: &Engine) -> Result<()> {
        self.check_use(op, engine, Use::Bits)
    }

    /// Ok if they are packed for short sums on this engine.
    pub(crate) fn check_votes(&self, op: &'static str, engine: &Engine) -> Result<()> {
        self.check_use(op, engine, Use::Votes)
    }

    /// Ok if they are packed for products of reals with bits on this engine.
    pub(crate) fn check_reals(&self, op: &'static str, engine: &Engine) -> Result<()> {
        self.check_use(op, engine, Use::Reals)
    }

    fn check_use(&self, op: &'static str, engine: &Engine, of: Use) -> Result<()> {
        if (self.isa, self.of) == (engine.isa(), of) {
            return Ok(());
        }
        let name = |isa: Isa, of| match of {
            Use::Bits => format!("bits on {}", isa.name()),
            Use::Votes => format!("votes on {}", isa.name()),
            Use::Reals => format!("reals on {}", isa.name()),
        };
        Err(Error::Packed { op, expected: name(engine.isa(), of), got: name(self.isa, self.of) })
    }

    pub(crate) fn cell(&self) -> Cell {
        self.of.cell(self.isa)
    }

    /// Rows of a panel.
    pub(crate) fn lanes(&self) -> usize {
        self.lanes
    }

    /// Bytes of a row, with padding.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// Panel `index`: (depth / cell, lanes, cell) bytes, rows `index * lanes..`; arbitrary where there are none, and
    /// in the padding of bytes.
    #[inline(always)]
    pub(crate) fn panel(&self, index: usize) -> &[u8] {
        let size = self.depth * self.lanes;
        &self.bytes[index * size..][..size]
    }

    /// [`panel`](Self::panel) and all that follows, which is [`BEYOND`] bytes at least.
    #[inline(always)]
    pub(crate) fn panel_and_beyond(&self, index: usize) -> &[u8] {
        &self.bytes[index * self.depth * self.lanes..]
    }

    fn pack(engine: &Engine, bits: BitView, side: Side, of: Use) -> Self {
        Self::pack_into(engine, bits, side, of, Buffer::new())
    }

    fn pack_into(engine: &Engine, bits: BitView, side: Side, of: Use, mut bytes: Buffer<u8>) -> Self {
        let isa = engine.isa();
        let (lanes, cell) = (lanes(isa), of.cell(isa));
        let (n, k) = match side {
            Side::Rows => bits.shape(),
            Side::Columns => (bits.cols(), bits.rows()),
        };
        let depth = cell.depth(k);
        let panels = n.div_ceil(lanes);
        bytes.resize(panels * depth * lanes + BEYOND);
        if depth > 0 {
            let size = depth * lanes;
            // as many panels as are the columns of a block, so that each word is read once
            let stride = match (side, cell) {
                (Side::Rows, _) => 1,
                (Side::Columns, Cell::Byte | Cell::Seven) => 64 * bytes::ABREAST / lanes,
                (Side::Columns, Cell::Word) => 64 * words::ABREAST / lanes,
            };
            let shared = SharedSlice::new(&mut bytes);
            engine.each_index(panels.div_ceil(stride), |job| {
                let (first, last) = (job * stride, panels.min((job + 1) * stride));
                // SAFETY: within the bytes, and every job comes once, so the ranges are disjoint.
                let part = unsafe { shared.part(first * size..last * size) };
                let first = first * lanes;
                match (side, cell) {
                    (Side::Rows, Cell::Byte | Cell::Seven) => bytes::pack_rows(isa, bits, first, cell, part),
                    (Side::Columns, Cell::Byte | Cell::Seven) => {
                        bytes::pack_columns(isa, bits, first, depth, cell, part);
                    }
                    (Side::Rows, Cell::Word) => words::pack_rows(isa, bits, first, part),
                    (Side::Columns, Cell::Word) => words::pack_columns(isa, bits, first, depth, part),
                }
            });
        }
        Self { isa, n, k, side, of, lanes, depth, bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panels::{SEVEN, fold};
    use crate::tensor::BitTensor;

    /// Where byte `at` of lane `lane` lies in a panel.
    fn place(cell: Cell, lanes: usize, at: usize, lane: usize) -> usize {
        match cell {
            Cell::Byte | Cell::Seven => at * lanes + lane,
            Cell::Word => at / 4 * 4 * lanes + lane * 4 + at % 4,
        }
    }

    #[test]
    fn every_bit_has_its_place() {
        for isa in Isa::available() {
            let engine = Engine::single().with_isa(isa);
            for (n, k) in [(1, 1), (31, 7), (33, 64), (64, 65), (65, 97), (130, 200), (600, 530)] {
                let bits = crate::random_bits(1, 2, n, k);
                let turned = bits.transpose();
                let (rows, columns) = ((&bits, Side::Rows), (&turned, Side::Columns));
                for (of, sides) in [
                    (Use::Bits, &[rows, columns][..]),
                    (Use::Votes, &[columns]),
                    (Use::Reals, &[rows, columns]),
                ] {
                    let cell = of.cell(isa);
                    let per_byte = if cell == Cell::Seven { SEVEN } else { 8 };
                    for &(source, side) in sides {
                        let panels = Panels::pack(&engine, source.view(), side, of);
                        let lanes = panels.lanes;
                        let seen = BitTensor::from_fn(n, k, |r, c| {
                            let byte = panels.panel(r / lanes)[place(cell, lanes, c / per_byte, r % lanes)];
                            let byte = if cell == Cell::Byte { fold(byte.into()) as u8 } else { byte };
                            byte >> (c % per_byte) & 1 == 1
                        });
                        assert_eq!(seen, bits, "{n} {k} {side:?} {of:?} on {}", isa.name());
                    }
                }
            }
        }
    }
}
