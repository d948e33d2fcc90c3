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
    let i = check("xnor_gemm", x.shape(), weights, y.len())?;
    product(engine, x.rows(), weights, y, |tile| match tile.rows.len() {
        FEW.. => xnor_panels(engine.isa(), x, weights, i, tile),
        _ => xnor_dots(engine.isa(), x, weights, i, tile),
    });
    Ok(())
}

/// `y = x * weights^T` over x in {-1, 0, +1}, weights in +-1. x: (b, i), weights: (o, i), y: (b, o).
///
/// # Errors
/// As [`xnor_gemm`].
pub fn ternary_gemm(engine: &Engine, x: &Ternary, weights: BitView, y: &mut [i32]) -> Result<()> {
    check("ternary_gemm", x.shape(), weights, y.len())?;
    product(engine, x.rows(), weights, y, |tile| match tile.rows.len() {
        FEW.. => ternary_panels(engine.isa(), x, weights, tile),
        _ => ternary_dots(engine.isa(), x, weights, tile),
    });
    Ok(())
}

/// Rows of x from which laying the weights in panels pays for itself.
const FEW: usize = 4;

/// i, if the operands fit.
fn check(op: &'static str, (b, i): (usize, usize), weights: BitView, y: usize) -> Result<i32> {
    let o = weights.rows();
    check_shape(op, "weights", (o, i), weights.shape())?;
    check_len(op, "y", (b, o), y)?;
    i32::try_from(i).map_err(|_| Error::TooLarge { op, rows: b, cols: i })
}

fn product(
    engine: &Engine,
    b: usize,
    weights: BitView,
    y: &mut [i32],
    kernel: impl Fn(&mut Tile<i32>) + Sync,
) {
    if weights.cols() == 0 {
        return y.fill(0);
    }
    let work = weights.words().len().saturating_mul(b);
    engine.tiles(y, weights.rows(), work, kernel);
}

multiversion! {
    fn xnor_panels(x: BitView, weights: BitView, i: i32, tile: &mut Tile<i32>) {
        let mut panels = Panels::new(weights.words_per_row());
        let mut differ = Counts::default();
        for col in (0..tile.cols()).step_by(64) {
            panels.lay_rows(weights, tile.col + col);
            for (b, y) in tile.rows.iter_mut().enumerate() {
                let x = x.row(tile.row + b);
                for (w, differ) in panels.first(y.len() - col).zip(&mut differ) {
                    let w = &w[..x.len()];
                    *differ = count_lanes(x.len(), |at| w[at].map(|w| x[at] ^ w));
                }
                let y = y[col..].iter_mut().zip(differ.as_flattened());
                y.for_each(|(y, differ)| *y = i - 2 * *differ as i32);
            }
        }
    }
}

multiversion! {
    fn xnor_dots(x: BitView, weights: BitView, i: i32, tile: &mut Tile<i32>) {
        for (b, y) in tile.rows.iter_mut().enumerate() {
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
    fn ternary_panels(x: &Ternary, weights: BitView, tile: &mut Tile<i32>) {
        let mut panels = Panels::new(weights.words_per_row());
        let mut differ = Counts::default();
        for col in (0..tile.cols()).step_by(64) {
            panels.lay_rows(weights, tile.col + col);
            for (b, y) in tile.rows.iter_mut().enumerate() {
                let (sign, nonzero) = (x.sign().row(tile.row + b), x.nonzero().row(tile.row + b));
                let sign = &sign[..nonzero.len()];
                let count: u32 = nonzero.iter().map(|nz| nz.count_ones()).sum();
                for (w, differ) in panels.first(y.len() - col).zip(&mut differ) {
                    let w = &w[..nonzero.len()];
                    *differ =
                        count_lanes(nonzero.len(), |at| w[at].map(|w| (sign[at] ^ w) & nonzero[at]));
                }
                let y = y[col..].iter_mut().zip(differ.as_flattened());
                y.for_each(|(y, differ)| *y = count as i32 - 2 * *differ as i32);
            }
        }
    }
}

multiversion! {
    fn ternary_dots(x: &Ternary, weights: BitView, tile: &mut Tile<i32>) {
        for (b, y) in tile.rows.iter_mut().enumerate() {
            let (sign, nonzero) = (x.sign().row(tile.row + b), x.nonzero().row(tile.row + b));
            let count: u32 = nonzero.iter().map(|nz| nz.count_ones()).sum();
            for (o, y) in y.iter_mut().enumerate() {
                let w = weights.row(tile.col + o);
                let planes = sign.iter().zip(nonzero).zip(w);
                let differ: u32 = planes.map(|((s, nz), w)| ((s ^ w) & nz).count_ones()).sum();
                *y = count as i32 - 2 * differ as i32;
            }
        }
    }
}
