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
    tensor::BitView,
    ternary::Ternary,
};

/// `y = x * weights^T` over +-1. x: (b, i), weights: (o, i), y: (b, o).
///
/// # Errors
/// [`Error::Shape`], [`Error::Length`] unless the operands fit; [`Error::TooLarge`] if i exceeds `i32`.
pub fn xnor_gemm(engine: &Engine, x: BitView, weights: BitView, y: &mut [i32]) -> Result<()> {
    let (o, i) = check("xnor_gemm", x.shape(), weights, y.len())?;
    engine.tiles(y, o, y_work(x.rows(), weights), |tile| xnor_tile(engine.isa(), x, weights, i, tile));
    Ok(())
}

/// `y = x * weights^T` over x in {-1, 0, +1}, weights in +-1. x: (b, i), weights: (o, i), y: (b, o).
///
/// # Errors
/// As [`xnor_gemm`].
pub fn ternary_gemm(engine: &Engine, x: &Ternary, weights: BitView, y: &mut [i32]) -> Result<()> {
    let (o, _) = check("ternary_gemm", x.shape(), weights, y.len())?;
    engine.tiles(y, o, y_work(x.rows(), weights), |tile| ternary_tile(engine.isa(), x, weights, tile));
    Ok(())
}

/// (o, i) of a product that fits.
fn check(op: &'static str, (b, i): (usize, usize), weights: BitView, y: usize) -> Result<(usize, i32)> {
    let o = weights.rows();
    check_shape(op, "weights", (o, i), weights.shape())?;
    check_len(op, "y", (b, o), y)?;
    let i = i32::try_from(i).map_err(|_| Error::TooLarge { op, rows: b, cols: i })?;
    Ok((o, i))
}

fn y_work(b: usize, weights: BitView) -> usize {
    weights.words().len().saturating_mul(b)
}

multiversion! {
    fn xnor_tile(x: BitView, weights: BitView, i: i32, tile: Tile<i32>) {
        for (b, y) in tile.rows.into_iter().enumerate() {
            let x = x.row(tile.row + b);
            for (o, y) in y.iter_mut().enumerate() {
                let w = weights.row(tile.col + o);
                let differ: u32 = x.iter().zip(w).map(|(x, w)| (x ^ w).count_ones()).sum();
                *y = i - 2 * differ as i32;
            }
        }
    }
}

multiversion! {
    fn ternary_tile(x: &Ternary, weights: BitView, tile: Tile<i32>) {
        for (b, y) in tile.rows.into_iter().enumerate() {
            let (sign, nonzero) = (x.sign().row(tile.row + b), x.nonzero().row(tile.row + b));
            let count: u32 = nonzero.iter().map(|nz| nz.count_ones()).sum();
            for (o, y) in y.iter_mut().enumerate() {
                let w = weights.row(tile.col + o);
                let differ: u32 =
                    sign.iter().zip(nonzero).zip(w).map(|((s, nz), w)| ((s ^ w) & nz).count_ones()).sum();
                *y = count as i32 - 2 * differ as i32;
            }
        }
    }
}
