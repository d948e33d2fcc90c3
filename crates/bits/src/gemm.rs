//! Bits x bits: the +-1 matrix product by XNOR and popcount.
//!
//! `y_bo = sum_i x_bi w_oi` with x, w in {-1, +1}. A product is -1 exactly where the bits differ, so
//! `y = i - 2 popcount(x ^ w)`: x: (b, i) bits, weights: (o, i) bits, y: (b, o) integers.
//! With zeros among the x, only nonzero products count: `y = popcount(nz) - 2 popcount((x ^ w) & nz)`.
//!
//! ```
//! use onebit_bits::{BitTensor, Engine, Ternary, ternary_gemm};
//!
//! let x = Ternary::from_i32(1, 3, &[4, 0, 7])?;
//! let weights = BitTensor::from_fn(2, 3, |o, _| o == 0); // +1 +1 +1, -1 -1 -1
//! let mut y = [0; 2];
//! ternary_gemm(&Engine::single(), &x, weights.view(), &mut y)?;
//! assert_eq!(y, [2, -2]);
//! # Ok::<(), onebit_bits::Error>(())
//! ```

use crate::{
    engine::{Engine, Tile},
    error::{Error, Result, check_len, check_shape},
    isa::multiversion,
    panel::{Counts, Panels, count_lanes},
    tensor::BitView,
    ternary::Ternary,
};

/// `y = x * weights^T` over +-1. x: (b, i), weights: (o, i), y: (b, o).
///
/// # Errors
/// [`Error::Shape`], [`Error::Length`] unless the operands fit; [`Error::TooLarge`] if i exceeds `i32`.
pub fn xnor_gemm(engine: &Engine, x: BitView, weights: BitView, y: &mut [i32]) -> Result<()> {
    product(engine, "xnor_gemm", x.shape(), x, weights, y)
}

/// `y = x * weights^T` over x in {-1, 0, +1}, weights in +-1. x: (b, i), weights: (o, i), y: (b, o).
///
/// # Errors
/// As [`xnor_gemm`].
pub fn ternary_gemm(engine: &Engine, x: &Ternary, weights: BitView, y: &mut [i32]) -> Result<()> {
    product(engine, "ternary_gemm", x.shape(), x, weights, y)
}

fn product(
    engine: &Engine,
    op: &'static str,
    (b, i): (usize, usize),
    x: impl Left,
    weights: BitView,
    y: &mut [i32],
) -> Result<()> {
    let o = weights.rows();
    check_shape(op, "weights", (o, i), weights.shape())?;
    check_len(op, "y", (b, o), y.len())?;
    i32::try_from(i).map_err(|_| Error::TooLarge { op, rows: b, cols: i })?;
    if i == 0 {
        y.fill(0);
    } else {
        let work = weights.words().len().saturating_mul(b);
        engine.tiles(y, o, work, |tile| product_tile(engine.isa(), x, weights, tile));
    }
    Ok(())
}

/// The left operand of a product: `y = count - 2 popcount(differ)`.
trait Left: Copy + Sync {
    /// The words of one row.
    type Row: Copy;
    fn row(self, b: usize) -> Self::Row;
    /// The products of this row that are not zero.
    fn count(self, b: usize) -> u32;
    /// The products of word k with a word of weights that are -1.
    fn differ(row: Self::Row, k: usize, weights: u64) -> u64;
}

impl<'a> Left for BitView<'a> {
    type Row = &'a [u64];

    #[inline(always)]
    fn row(self, b: usize) -> &'a [u64] {
        self.into_row(b)
    }

    #[inline(always)]
    fn count(self, _: usize) -> u32 {
        self.cols() as u32
    }

    #[inline(always)]
    fn differ(x: &[u64], k: usize, weights: u64) -> u64 {
        x[k] ^ weights
    }
}

impl<'a> Left for &'a Ternary {
    /// Signs and nonzeros.
    type Row = (&'a [u64], &'a [u64]);

    #[inline(always)]
    fn row(self, b: usize) -> Self::Row {
        (self.sign().row(b), self.nonzero().row(b))
    }

    #[inline(always)]
    fn count(self, b: usize) -> u32 {
        ones(self.nonzero().row(b).iter().copied())
    }

    #[inline(always)]
    fn differ((sign, nonzero): Self::Row, k: usize, weights: u64) -> u64 {
        (sign[k] ^ weights) & nonzero[k]
    }
}

/// Rows of x from which laying the weights in panels pays for itself.
const FEW: usize = 4;

multiversion! {
    fn product_tile<L: Left>(x: L, weights: BitView, tile: &mut Tile<i32>) {
        if tile.rows() < FEW { by_dots(x, weights, tile) } else { by_panels(x, weights, tile) }
    }
}

/// One row of x with one row of the weights at a time.
#[inline(always)]
fn by_dots<L: Left>(x: L, weights: BitView, tile: &mut Tile<i32>) {
    let (first, col) = (tile.row, tile.col);
    for r in 0..tile.rows() {
        let (row, count) = (x.row(first + r), x.count(first + r) as i32);
        for (o, y) in (col..).zip(tile.row(r)) {
            let w = weights.row(o);
            *y = count - 2 * ones(w.iter().enumerate().map(|(k, &w)| L::differ(row, k, w))) as i32;
        }
    }
}

/// One row of x with a panel of the weights at a time.
#[inline(always)]
fn by_panels<L: Left>(x: L, weights: BitView, tile: &mut Tile<i32>) {
    let mut panels = Panels::new(weights.words_per_row());
    let mut differs = Counts::default();
    for col in (0..tile.cols()).step_by(64) {
        panels.lay_rows(weights, tile.col + col);
        for r in 0..tile.rows() {
            let b = tile.row + r;
            let (y, row, count) = (&mut tile.row(r)[col..], x.row(b), x.count(b) as i32);
            for (w, differ) in panels.first(y.len()).zip(&mut differs) {
                *differ = count_lanes(w.len(), |k| w[k].map(|w| L::differ(row, k, w)));
            }
            for (y, differ) in y.iter_mut().zip(differs.as_flattened()) {
                *y = count - 2 * *differ as i32;
            }
        }
    }
}

#[inline(always)]
fn ones(words: impl Iterator<Item = u64>) -> u32 {
    let mut ones = 0;
    for word in words {
        ones += word.count_ones();
    }
    ones
}
