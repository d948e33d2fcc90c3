//! The right operand of products with bits, packed once.
//!
//! The operand has `n` rows of `k` bits. The simple loop reads one row after the other, and adds up within a
//! row:
//!
//! ```text
//! for row in 0..n { for at in 0..k { sum[row] += left[at] * bits[row][at] } }
//! ```
//!
//! Vectors would have to be summed across their lanes at the end of each row. So rows are packed side by side
//! instead: each lane of a vector belongs to another row, and has a sum of its own.
//!
//! - A *cell* is what a kernel reads of one row at once: some bits.
//! - A *panel* holds `L` rows, where a vector has `L` bytes, cell by cell: first the first cells of all its
//!   rows, then the second cells, and so on: `(k / cell, L)`.
//!
//! The cells are:
//!
//! - **bytes** (8 bits of each row) for look-up: each nibble of a byte is the index into a table of 16 sums;
//! - **words** of 32 bits, for instruction sets that count ones or permute whole vectors;
//! - **sevens**, for short sums where a vector has 64 bytes: seven bits are the index into a table of 128
//!   sums.
//!
//! The nibbles of bytes are stored [folded](super::fold), so that tables of reals are odd and kernels keep
//! half of each.
//!
//! The rows of a panel are either the rows of a bit matrix or its columns: `x w^T` needs the rows of `w`,
//! `dy w` needs its columns. Both are packed from the same row-major bits, without a transposed copy.

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
    /// Bytes of a row, padded: see [`Cell::depth`].
    depth: usize,
    bytes: Buffer<u8>,
}

/// Readable bytes after the last panel: kernels also load words from up to 3 bytes further on.
const BEYOND: usize = 3;

/// The kind of product that reads the panels.
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

/// Which lines of the bit matrix become the rows of panels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Rows,
    Columns,
}

impl Panels {
    /// Packs the rows of `bits`, (n, k), for products of bits and ternaries: `x bits^T`.
    #[must_use]
    pub fn of_rows(engine: &Engine, bits: BitView) -> Self {
        Self::pack(engine, bits, Side::Rows, Use::Bits)
    }

    /// Packs the columns of `bits`, (k, n), for products of bits and ternaries: `x bits`.
    #[must_use]
    pub fn of_columns(engine: &Engine, bits: BitView) -> Self {
        Self::pack(engine, bits, Side::Columns, Use::Bits)
    }

    /// Packs the columns of `bits`, (k, n), for votes: products of ternaries whose sums fit a byte.
    ///
    /// ```
    /// # use onebit_bits::{Engine, Panels, Ternary, product, random_bits};
    /// # let engine = Engine::single();
    /// # let (x, signal) = (random_bits(1, 0, 100, 300), Ternary::from_bits(random_bits(2, 0, 100, 70)));
    /// // dw = signal^T x: signal (b = 100, o = 70), x (b, i = 300)
    /// let mut dw = vec![0i8; 70 * 300];
    /// let panels = Panels::of_columns_for_votes(&engine, x.view());
    /// product(&engine, &signal.transpose(), &panels, &mut dw[..])?;
    /// # Ok::<(), onebit_bits::Error>(())
    /// ```
    #[must_use]
    pub fn of_columns_for_votes(engine: &Engine, bits: BitView) -> Self {
        Self::pack(engine, bits, Side::Columns, Use::Votes)
    }

    /// Packs the rows of `bits`, (n, k), for products of reals and bytes: `a bits^T`.
    #[must_use]
    pub fn of_rows_for_reals(engine: &Engine, bits: BitView) -> Self {
        Self::pack(engine, bits, Side::Rows, Use::Reals)
    }

    /// Packs the columns of `bits`, (k, n), for products of reals and bytes: `a bits`.
    #[must_use]
    pub fn of_columns_for_reals(engine: &Engine, bits: BitView) -> Self {
        Self::pack(engine, bits, Side::Columns, Use::Reals)
    }

    /// Packs other bits for the same use and from the same side, in the same memory.
    ///
    /// ```
    /// # use onebit_bits::{Engine, Panels, random_bits};
    /// # let (engine, flips) = (Engine::single(), random_bits(1, 0, 64, 100));
    /// let mut w = random_bits(2, 0, 64, 100);
    /// let mut panels = Panels::of_rows(&engine, w.view());
    /// w.flip(flips.view())?;
    /// panels.repack(&engine, w.view()); // without an allocation
    /// # Ok::<(), onebit_bits::Error>(())
    /// ```
    pub fn repack(&mut self, engine: &Engine, bits: BitView) {
        let memory = mem::take(&mut self.bytes);
        *self = Self::pack_into(engine, bits, self.side, self.of, memory);
    }

    /// Number of rows: the outputs of a product.
    #[must_use]
    pub fn n(&self) -> usize {
        self.n
    }

    /// Bits of a row: the length of the sums.
    #[must_use]
    pub fn k(&self) -> usize {
        self.k
    }

    /// The instruction set that the panels are packed for.
    #[must_use]
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Ok if the panels are packed for products of bits on this engine.
    pub(crate) fn check_bits(&self, op: &'static str, engine: &Engine) -> Result<()> {
        self.check_use(op, engine, Use::Bits)
    }

    /// Ok if the panels are packed for votes on this engine.
    pub(crate) fn check_votes(&self, op: &'static str, engine: &Engine) -> Result<()> {
        self.check_use(op, engine, Use::Votes)
    }

    /// Ok if the panels are packed for products of reals on this engine.
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

    /// Panel `index`, with rows `index * lanes..`: (depth / cell, lanes, cell) bytes. Rows beyond n and the
    /// padding of bytes are arbitrary.
    #[inline(always)]
    pub(crate) fn panel(&self, index: usize) -> &[u8] {
        let size = self.depth * self.lanes;
        &self.bytes[index * size..][..size]
    }

    /// [`panel`](Self::panel) and everything after it, at least [`BEYOND`] bytes.
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
            // the panels of a whole block of columns, so that each word is read once
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
