//! Reals x bits: matrix products of f32 with +-1, ternary or f32 right operands.
//!
//! `out_mn = sum_k a_mk b_kn`, for the first layer's real inputs and for straight-through training:
//! with `y = x w^T` over (b, o), (b, i), (o, i), it is `dx = dy w` ([`real_bits`]) and `dw = dy^T x`.
//!
//! Products with bits look the sums of four values up ([`real_bits`] packs the bits first, [`real_gemm_packed`] has
//! them packed), and their order is part of the promise: k goes up in fours, each four is
//! `(+-a0 +- a1) + (+-a2 +- a3)`, rounded three times, and is added to the sum of those before it, which starts at 0;
//! beyond k there are zeros. Products with ternaries and reals add one product after the other, in the order of k.
//! So results are the same, bit for bit, on every instruction set and for any number of threads. (Which NaN comes
//! out of several is left open.)
//!
//! ```
//! use onebit_bits::{BitTensor, Engine, real_bits};
//!
//! let w = BitTensor::from_fn(2, 3, |k, n| k == 0 || n == 2); // (+1 +1 +1), (-1 -1 +1)
//! let mut out = [0.0; 3];
//! real_bits(&Engine::single(), &[0.5, 2.0], w.view(), &mut out)?; // a: (m = 1, k = 2)
//! assert_eq!(out, [-1.5, -1.5, 2.5]);
//! # Ok::<(), onebit_bits::Error>(())
//! ```

pub(crate) use self::table::Reals;
use self::{
    half::Halves,
    micro::{Right, multiply},
};
use crate::{
    error::{Result, check_len},
    machine::{Engine, Slices, has_bf16},
    numbers_x_bits::{Sink, Store, Update, Updating, product},
    panels::Panels,
    tensor::{BitTensor, BitView, Ternary},
};

mod half;
mod micro;
mod table;

/// `out = a * w`, w in +-1. a: (m, k), w: (k, n), out: (m, n).
///
/// m is taken from `out` and n; with n = 0 there is nothing to compute.
///
/// # Errors
/// [`Error::Length`](crate::Error::Length) unless `a` and `out` fit.
pub fn real_bits(engine: &Engine, a: &[f32], w: BitView, out: &mut [f32]) -> Result<()> {
    const OP: &str = "real_bits";
    let m = check(OP, a, w.shape(), out)?;
    packed(OP, engine, m, a, &Panels::of_columns_for_reals(engine, w), out)
}

/// `out = a * w^T`, w in +-1. a: (m, k), w: (n, k), out: (m, n).
///
/// # Errors
/// As [`real_bits`].
pub fn real_bits_t(engine: &Engine, a: &[f32], w: BitView, out: &mut [f32]) -> Result<()> {
    const OP: &str = "real_bits_t";
    let m = check(OP, a, (w.cols(), w.rows()), out)?;
    packed(OP, engine, m, a, &Panels::of_rows_for_reals(engine, w), out)
}

/// `out = a * b^T`, b in +-1, packed before. a: (m, k), b: n rows of k bits for reals, out: (m, n).
///
/// So for a layer's weights w: (o, i) it is `dx = dy w` with [`Panels::of_columns_for_reals`], and `y = x w^T` with
/// [`Panels::of_rows_for_reals`]; for its inputs x: (b, i) it is `dw = dy^T x`, again with the columns.
///
/// # Errors
/// As [`real_bits`], and [`Error::Packed`](crate::Error::Packed) if the panels are for another instruction set or
/// for bits.
pub fn real_gemm_packed(engine: &Engine, a: &[f32], b: &Panels, out: &mut [f32]) -> Result<()> {
    const OP: &str = "real_gemm_packed";
    let m = check(OP, a, (b.k(), b.n()), out)?;
    packed(OP, engine, m, a, b, out)
}

/// [`real_gemm_packed`], whose results go to an [`Update`] run by run instead of memory.
///
/// a: (m, k), states: slices of m * n elements, weights: (m, n).
///
/// # Errors
/// As [`real_gemm_packed`].
pub fn real_gemm_with<S: Slices, U: Update<S>>(
    engine: &Engine,
    a: &[f32],
    b: &Panels,
    states: S,
    weights: &mut BitTensor,
    update: &U,
) -> Result<()> {
    const OP: &str = "real_gemm_with";
    let left = Reals::of(OP, engine, weights.rows(), a, b)?;
    let sink = Updating::new(OP, (weights.rows(), b.n()), states, weights, update)?;
    product(engine, &left, &[b], &sink);
    Ok(())
}

/// [`real_gemm_packed`] with each sum of four rounded to bf16, the upper 16 bits of f32: to the nearest, ties to even, and
/// 0 below 2^-100.
///
/// They are added up in f32, in the order in which processors do that have an instruction for it: of each 32 values the
/// fours from 16, 0, 20, 4, 24, 8, 28 and 12 on.
///
/// # Errors
/// As [`real_gemm_packed`].
pub fn bf16_gemm_packed(engine: &Engine, a: &[f32], b: &Panels, out: &mut [f32]) -> Result<()> {
    const OP: &str = "bf16_gemm_packed";
    let m = check(OP, a, (b.k(), b.n()), out)?;
    in_bf16(OP, engine, m, a, b, &Store::new(b.n(), out))
}

/// [`bf16_gemm_packed`], whose results go to an [`Update`] run by run instead of memory.
///
/// a: (m, k), states: slices of m * n elements, weights: (m, n).
///
/// # Errors
/// As [`real_gemm_packed`].
pub fn bf16_gemm_with<S: Slices, U: Update<S>>(
    engine: &Engine,
    a: &[f32],
    b: &Panels,
    states: S,
    weights: &mut BitTensor,
    update: &U,
) -> Result<()> {
    const OP: &str = "bf16_gemm_with";
    let m = weights.rows();
    check_len(OP, "a", (m, b.k()), a.len())?;
    let sink = Updating::new(OP, (m, b.n()), states, weights, update)?;
    in_bf16(OP, engine, m, a, b, &sink)
}

/// By the processor's instruction, or by what stands in for it.
fn in_bf16(
    op: &'static str,
    engine: &Engine,
    m: usize,
    a: &[f32],
    b: &Panels,
    sink: &impl Sink<f32>,
) -> Result<()> {
    if has_bf16() {
        product(engine, &Halves::<true>::of(op, engine, m, a, b)?, &[b], sink);
    } else {
        product(engine, &Halves::<false>::of(op, engine, m, a, b)?, &[b], sink);
    }
    Ok(())
}

/// The m of a: (m, k) and out: (m, n), if they fit the right operand: (k, n).
fn check(op: &'static str, a: &[f32], (k, n): (usize, usize), out: &[f32]) -> Result<usize> {
    let m = a.len().checked_div(k).or(out.len().checked_div(n)).unwrap_or(0);
    check_len(op, "a", (m, k), a.len())?;
    check_len(op, "out", (m, n), out.len())?;
    Ok(m)
}

fn packed(op: &'static str, engine: &Engine, m: usize, a: &[f32], b: &Panels, out: &mut [f32]) -> Result<()> {
    let left = Reals::of(op, engine, m, a, b)?;
    product(engine, &left, &[b], &Store::new(b.n(), out));
    Ok(())
}

/// `out = a * x`, x in {-1, 0, +1}. a: (m, k), x: (k, n), out: (m, n).
///
/// # Errors
/// As [`real_bits`].
pub fn real_ternary(engine: &Engine, a: &[f32], x: &Ternary, out: &mut [f32]) -> Result<()> {
    multiply(engine, "real_ternary", a, x.shape(), Right::Ternary(x), out)
}

/// `out = a * b`, all real. (m, k, n); a: (m, k), b: (k, n), out: (m, n).
///
/// # Errors
/// [`Error::Length`](crate::Error::Length) unless the operands fit.
pub fn real_real(
    engine: &Engine,
    (m, k, n): (usize, usize, usize),
    a: &[f32],
    b: &[f32],
    out: &mut [f32],
) -> Result<()> {
    check_len("real_real", "a", (m, k), a.len())?;
    check_len("real_real", "b", (k, n), b.len())?;
    multiply(engine, "real_real", a, (k, n), Right::Real(b, n), out)
}
