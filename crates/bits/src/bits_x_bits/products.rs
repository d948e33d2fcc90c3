//! Bits x bits: the +-1 matrix product by XNOR and popcount.
//!
//! `y_bo = sum_i x_bi w_oi` with x, w in {-1, +1}. A product is -1 exactly where the bits differ, so
//! `y = i - 2 popcount(x ^ w)`: x: (b, i) bits, weights: (o, i) bits, y: (b, o) integers.
//! With zeros among the x, only nonzero products count: `y = popcount(nz) - 2 popcount((x ^ w) & nz)`.

use super::{short_sums::short_sums, signs::Signs, tiles::multiply};
use crate::{
    error::{Error, Result, check_len, check_shape},
    machine::{Engine, Tile, simd},
    panels::{Cell, Panels},
    product::{Multiply, PRODUCT, Put, Sink, Store},
    tensor::{BitView, Ternary},
};

impl<K: Sink<i32>> Multiply<&Panels, K> for BitView<'_> {
    fn multiply(self, engine: &Engine, right: &Panels, sink: K) -> Result<()> {
        packed(engine, Signs::bits(self), right, sink)
    }
}

impl<K: Sink<i32>> Multiply<BitView<'_>, K> for BitView<'_> {
    fn multiply(self, engine: &Engine, right: BitView<'_>, sink: K) -> Result<()> {
        unpacked(engine, Signs::bits(self), right, sink)
    }
}

impl<K: Sink<i32>> Multiply<&Panels, K> for &Ternary {
    fn multiply(self, engine: &Engine, right: &Panels, sink: K) -> Result<()> {
        packed(engine, Signs::ternary(self), right, sink)
    }
}

impl<K: Sink<i32>> Multiply<BitView<'_>, K> for &Ternary {
    fn multiply(self, engine: &Engine, right: BitView<'_>, sink: K) -> Result<()> {
        unpacked(engine, Signs::ternary(self), right, sink)
    }
}

/// Sums of at most 127 values in one byte each: the votes of a batch, four times less to write.
impl Multiply<&Panels, &mut [i8]> for &Ternary {
    fn multiply(self, engine: &Engine, right: &Panels, sink: &mut [i8]) -> Result<()> {
        check_shape(PRODUCT, "left", (self.rows(), right.k()), self.shape())?;
        right.check_votes(PRODUCT, engine)?;
        check_len(PRODUCT, "out", (self.rows(), right.n()), sink.len())?;
        let (rows, cols) = self.shape();
        i8::try_from(cols).map_err(|_| Error::TooLarge { op: PRODUCT, rows, cols })?;
        let (isa, n) = (engine.isa(), right.n());
        if right.cell() == Cell::Seven {
            let work = sink.len().saturating_mul(cols.div_ceil(64));
            engine.tiles(sink, n, work, |tile| short_sums(isa, self, right, tile));
        } else {
            multiply(engine, Signs::ternary(self), right, &Store::new(n, sink));
        }
        Ok(())
    }
}

fn packed<K: Sink<i32>>(engine: &Engine, left: Signs, right: &Panels, sink: K) -> Result<()> {
    check(engine, left.sign.shape(), right)?;
    multiply(engine, left, right, &sink.open(PRODUCT, (left.sign.rows(), right.n()))?);
    Ok(())
}

/// left: (m, k) fits the panels, and these the engine.
pub(super) fn check(engine: &Engine, left: (usize, usize), right: &Panels) -> Result<()> {
    check_shape(PRODUCT, "left", (left.0, right.k()), left)?;
    right.check_bits(PRODUCT, engine)?;
    check_sums(left)
}

/// Sums of k products fit into 32 bits.
fn check_sums((rows, cols): (usize, usize)) -> Result<()> {
    i32::try_from(cols).map_err(|_| Error::TooLarge { op: PRODUCT, rows, cols })?;
    Ok(())
}

/// Rows of the left operand from which packing the right one pays for itself.
const FEW: usize = 4;

fn unpacked<K: Sink<i32>>(engine: &Engine, left: Signs, right: BitView, sink: K) -> Result<()> {
    let ((m, k), n) = (left.sign.shape(), right.rows());
    check_shape(PRODUCT, "right", (n, k), right.shape())?;
    check_sums((m, k))?;
    let mut sink = sink.open(PRODUCT, (m, n))?;
    if m < FEW
        && let Some(out) = sink.whole()
    {
        let work = right.words().len().saturating_mul(m);
        engine.tiles(out, n, work, |tile| dots(engine.isa(), left, right, tile));
    } else {
        multiply(engine, left, &Panels::of_rows(engine, right), &sink);
    }
    Ok(())
}

simd! {
    /// One row of x with one row of the weights at a time.
    fn dots<S>(_s: S, x: Signs, weights: BitView, tile: &mut Tile<i32>) {
        let (first, col) = (tile.row, tile.col);
        for r in 0..tile.rows() {
            let nonzeros = x.nonzeros(first + r);
            let sign = x.sign.row(first + r);
            for (o, y) in (col..).zip(tile.row(r)) {
                let pairs = sign.iter().zip(weights.row(o));
                let mut differ = 0;
                match x.nonzero {
                    None => {
                        for (x, w) in pairs {
                            differ += (x ^ w).count_ones();
                        }
                    }
                    Some(nonzero) => {
                        for ((x, w), nonzero) in pairs.zip(nonzero.row(first + r)) {
                            differ += ((x ^ w) & nonzero).count_ones();
                        }
                    }
                }
                *y = nonzeros - 2 * differ as i32;
            }
        }
    }
}
