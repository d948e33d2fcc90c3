//! Bits x bits: the +-1 matrix product by XNOR and popcount.
//!
//! `y_bo = sum_i x_bi w_oi` with x, w in {-1, +1}. A product is -1 exactly where the bits differ, so
//! `y = i - 2 popcount(x ^ w)`: x: (b, i) bits, weights: (o, i) bits, y: (b, o) integers.
//! With zeros among the x, only nonzero products count: `y = popcount(nz) - 2 popcount((x ^ w) & nz)`.
//!
//! Weights that serve more than once are packed once, into [`Panels`]. A network's next layer wants bits, not
//! sums: [`xnor_threshold`] compares each sum with its column's threshold while it is in a register, and
//! [`xnor_scores`] adds it to a class's score.
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

use super::{
    left::Left,
    product::product,
    short_sums::short_sums,
    sink::{Compare, Sink, Store, StoreReal},
};
use crate::{
    error::{Error, Result, check_len, check_shape},
    machine::{Engine, SharedSlice, Tile, simd},
    panels::{Cell, Panels},
    tensor::{BitTensor, BitView, Ternary},
};

/// `y = x * weights^T` over +-1. x: (b, i), weights: (o, i), y: (b, o).
///
/// # Errors
/// [`Error::Shape`], [`Error::Length`] unless the operands fit; [`Error::TooLarge`] if i exceeds `i32`.
pub fn xnor_gemm(engine: &Engine, x: BitView, weights: BitView, y: &mut [i32]) -> Result<()> {
    gemm(engine, "xnor_gemm", Left::bits(x), weights, y)
}

/// `y = x * weights^T` over x in {-1, 0, +1}, weights in +-1. x: (b, i), weights: (o, i), y: (b, o).
///
/// # Errors
/// As [`xnor_gemm`].
pub fn ternary_gemm(engine: &Engine, x: &Ternary, weights: BitView, y: &mut [i32]) -> Result<()> {
    gemm(engine, "ternary_gemm", Left::ternary(x), weights, y)
}

/// [`xnor_gemm`] with weights packed before. x: (b, k), weights: n rows of k bits, y: (b, n).
///
/// # Errors
/// As [`xnor_gemm`], and [`Error::Packed`] if the panels are for another instruction set or for reals.
pub fn xnor_gemm_packed(engine: &Engine, x: BitView, weights: &Panels, y: &mut [i32]) -> Result<()> {
    packed(engine, "xnor_gemm_packed", Left::bits(x), weights, y)
}

/// [`xnor_gemm_packed`] with sums as reals, which are exact up to 2^24. y: (b, n).
///
/// # Errors
/// As [`xnor_gemm_packed`].
pub fn xnor_gemm_reals(engine: &Engine, x: BitView, weights: &Panels, y: &mut [f32]) -> Result<()> {
    const OP: &str = "xnor_gemm_reals";
    check(OP, engine, x.shape(), weights)?;
    check_len(OP, "y", (x.rows(), weights.n()), y.len())?;
    product(engine, Left::bits(x), weights, &StoreReal::new(weights.n(), y));
    Ok(())
}

/// [`ternary_gemm`] with weights packed before. x: (b, k), weights: n rows of k bits, y: (b, n).
///
/// # Errors
/// As [`xnor_gemm_packed`].
pub fn ternary_gemm_packed(engine: &Engine, x: &Ternary, weights: &Panels, y: &mut [i32]) -> Result<()> {
    packed(engine, "ternary_gemm_packed", Left::ternary(x), weights, y)
}

/// [`ternary_gemm_packed`] with sums of one byte: the votes of a batch of at most 127 samples, four times less to
/// write. x: (b, k), weights: n rows of k bits, y: (b, n).
///
/// ```
/// # use onebit_bits::{Engine, Panels, Ternary, random_bits, ternary_gemm_bytes};
/// # let engine = Engine::single();
/// # let (x, signal) = (random_bits(1, 0, 100, 300), Ternary::from_bits(random_bits(2, 0, 100, 70)));
/// // dw = signal^T x: signal (b = 100, o = 70), x (b, i = 300)
/// let mut dw = vec![0i8; 70 * 300];
/// ternary_gemm_bytes(&engine, &signal.transpose(), &Panels::of_columns_for_votes(&engine, x.view()), &mut dw)?;
/// # Ok::<(), onebit_bits::Error>(())
/// ```
///
/// # Errors
/// As [`xnor_gemm_packed`], for panels that are not for votes; [`Error::TooLarge`] if k exceeds 127.
pub fn ternary_gemm_bytes(engine: &Engine, x: &Ternary, weights: &Panels, y: &mut [i8]) -> Result<()> {
    const OP: &str = "ternary_gemm_bytes";
    check_shape(OP, "x", (x.rows(), weights.k()), x.shape())?;
    weights.check_votes(OP, engine)?;
    check_len(OP, "y", (x.rows(), weights.n()), y.len())?;
    i8::try_from(x.cols()).map_err(|_| Error::TooLarge { op: OP, rows: x.rows(), cols: x.cols() })?;
    let (isa, n) = (engine.isa(), weights.n());
    if weights.cell() == Cell::Seven {
        let work = y.len().saturating_mul(x.cols().div_ceil(64));
        engine.tiles(y, n, work, |tile| short_sums(isa, x, weights, tile));
    } else {
        product(engine, Left::ternary(x), weights, &Bytes { n, out: SharedSlice::new(y) });
    }
    Ok(())
}

struct Bytes<'a> {
    n: usize,
    /// (m, n)
    out: SharedSlice<'a, i8>,
}

impl Sink for Bytes<'_> {
    #[inline(always)]
    fn put(&self, row: usize, col: usize, sums: &[i32]) {
        let first = row * self.n + col;
        // SAFETY: the output has as many rows and columns as the product, and every run comes once.
        let out = unsafe { self.out.part(first..first + sums.len()) };
        out.iter_mut().zip(sums).for_each(|(out, sum)| *out = *sum as i8);
    }
}

/// The bits of the next layer: `[sum_bo >= t_o]`, and `[sum_bo <= t_o]` where `descending_o` is 1, where the sums
/// are those of [`xnor_gemm_packed`], which are never stored.
///
/// x: (b, k) bits, weights: n rows of k bits, thresholds: (n), descending: (1, n) bits, y: (b, n) bits.
///
/// # Errors
/// As [`xnor_gemm_packed`].
pub fn xnor_threshold(
    engine: &Engine,
    x: BitView,
    weights: &Panels,
    thresholds: &[i32],
    descending: BitView,
    y: &mut BitTensor,
) -> Result<()> {
    const OP: &str = "xnor_threshold";
    check(OP, engine, x.shape(), weights)?;
    check_len(OP, "thresholds", (1, weights.n()), thresholds.len())?;
    check_shape(OP, "descending", (1, weights.n()), descending.shape())?;
    check_shape(OP, "y", (x.rows(), weights.n()), y.shape())?;
    y.words_mut().fill(0);
    let sink = Compare::new(thresholds, descending, y.words_mut());
    product(engine, Left::bits(x), weights, &sink);
    Ok(())
}

/// `scores_bo += scale_o sum_bo`, where the sums are those of [`xnor_gemm_packed`], which are never stored.
///
/// x: (b, k) bits, weights: n rows of k bits, scale: (n), scores: (b, n).
///
/// # Errors
/// As [`xnor_gemm_packed`].
pub fn xnor_scores(
    engine: &Engine,
    x: BitView,
    weights: &Panels,
    scale: &[f32],
    scores: &mut [f32],
) -> Result<()> {
    const OP: &str = "xnor_scores";
    check(OP, engine, x.shape(), weights)?;
    check_len(OP, "scale", (1, weights.n()), scale.len())?;
    check_len(OP, "scores", (x.rows(), weights.n()), scores.len())?;
    product(engine, Left::bits(x), weights, &Scores { scale, scores: SharedSlice::new(scores) });
    Ok(())
}

struct Scores<'a> {
    scale: &'a [f32],
    /// (b, n)
    scores: SharedSlice<'a, f32>,
}

impl Sink for Scores<'_> {
    #[inline(always)]
    fn put(&self, row: usize, col: usize, sums: &[i32]) {
        let first = row * self.scale.len() + col;
        // SAFETY: the scores have as many rows and columns as the product, and every run comes once.
        let scores = unsafe { self.scores.part(first..first + sums.len()) };
        for ((score, scale), sum) in scores.iter_mut().zip(&self.scale[col..]).zip(sums) {
            *score += scale * *sum as f32;
        }
    }
}

/// The panels fit x: (m, k) and the engine.
pub(crate) fn check(op: &'static str, engine: &Engine, x: (usize, usize), weights: &Panels) -> Result<()> {
    check_shape(op, "x", (x.0, weights.k()), x)?;
    weights.check_bits(op, engine)?;
    i32::try_from(x.1).map_err(|_| Error::TooLarge { op, rows: x.0, cols: x.1 })?;
    Ok(())
}

fn packed(engine: &Engine, op: &'static str, x: Left, weights: &Panels, y: &mut [i32]) -> Result<()> {
    check(op, engine, x.sign.shape(), weights)?;
    check_len(op, "y", (x.sign.rows(), weights.n()), y.len())?;
    product(engine, x, weights, &Store::new(weights.n(), y));
    Ok(())
}

/// Rows of x from which packing the weights pays for itself.
const FEW: usize = 4;

fn gemm(engine: &Engine, op: &'static str, x: Left, weights: BitView, y: &mut [i32]) -> Result<()> {
    let ((b, i), o) = (x.sign.shape(), weights.rows());
    check_shape(op, "weights", (o, i), weights.shape())?;
    check_len(op, "y", (b, o), y.len())?;
    i32::try_from(i).map_err(|_| Error::TooLarge { op, rows: b, cols: i })?;
    if b < FEW {
        let work = weights.words().len().saturating_mul(b);
        engine.tiles(y, o, work, |tile| dots(engine.isa(), x, weights, tile));
    } else {
        product(engine, x, &Panels::of_rows(engine, weights), &Store::new(o, y));
    }
    Ok(())
}

simd! {
    /// One row of x with one row of the weights at a time.
    fn dots<S>(_s: S, x: Left, weights: BitView, tile: &mut Tile<i32>) {
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
