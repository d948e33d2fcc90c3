//! Integers x bits: exact sums of bytes.
//!
//! `sum_mn = sum_k a_mk b_nk` with b in +-1, for a rounded gradient ([`Int8`]) and for the bytes of a first layer's
//! inputs. The sums are exact; a rounded gradient's are multiplied by the scale of their row.
//!
//! Where whole vectors are permuted, a table holds sums of four in 16 bits (`halves.rs`). Elsewhere it holds bytes
//! (`digits.rs`): with `S = sum_{k: b = +1} a_k`, the sum is `2 S - sum_k a_k`. The part of S that belongs to four values, plus 512
//! where they are signed, has 10 digits. So there are two tables of bytes for each four values, one for the lower
//! five digits and one for the upper five, of which eight are added before anything can overflow and the digits are
//! put together in 16 bits. So 32 multiplications in each byte of a vector take 16 look-ups, 16 additions and six
//! instructions to put together.
//!
//! ```
//! use onebit_bits::{BitTensor, Engine, Panels, u8_gemm_packed};
//!
//! let engine = Engine::single();
//! let w = BitTensor::from_fn(1, 3, |_, i| i != 1); // +1 -1 +1
//! let mut y = [0];
//! u8_gemm_packed(&engine, &[255, 7, 2], &Panels::of_rows_for_reals(&engine, w.view()), &mut y)?;
//! assert_eq!(y, [250]);
//! # Ok::<(), onebit_bits::Error>(())
//! ```

pub(crate) use self::bytes::Bytes;
use self::bytes::Scaled;
use crate::{
    error::{Result, check_len},
    machine::{Engine, Slices},
    numbers_x_bits::{Store, Update, Updating, product},
    panels::{Panels, TernaryPanels},
    round::Int8,
    tensor::BitTensor,
};

mod byte;
mod bytes;
mod digits;
mod halves;

/// `out = a * b^T` for a rounded gradient: `out_mn = scale_m sum_mn`, with the exact sum rounded to f32 once.
///
/// a: (m, k), b: n rows of k bits for reals, out: (m, n).
///
/// # Errors
/// [`Error::Length`](crate::Error::Length), [`Error::Shape`](crate::Error::Shape) unless the operands fit,
/// [`Error::Packed`](crate::Error::Packed) if the panels are for another instruction set or for bits,
/// [`Error::TooLarge`](crate::Error::TooLarge) if sums might exceed `i32`.
pub fn int8_gemm_packed(engine: &Engine, a: &Int8, b: &Panels, out: &mut [f32]) -> Result<()> {
    scaled("int8_gemm_packed", engine, a, &[b], out)
}

/// The sums of [`int8_gemm_packed`], without the scale.
///
/// # Errors
/// As [`int8_gemm_packed`].
pub fn int8_gemm_sums(engine: &Engine, a: &Int8, b: &Panels, out: &mut [i32]) -> Result<()> {
    const OP: &str = "int8_gemm_sums";
    let left = Bytes::of(OP, engine, a.shape(), a.values(), &[b])?;
    check_len(OP, "out", (left.m, b.n()), out.len())?;
    product(engine, &left, &[b], &Store::new(b.n(), out));
    Ok(())
}

/// [`int8_gemm_packed`], whose results go to an [`Update`] run by run instead of memory.
///
/// states: slices of m * n elements, weights: (m, n).
///
/// # Errors
/// As [`int8_gemm_packed`].
pub fn int8_gemm_with<S: Slices, U: Update<S>>(
    engine: &Engine,
    a: &Int8,
    b: &Panels,
    states: S,
    weights: &mut BitTensor,
    update: &U,
) -> Result<()> {
    scaled_with("int8_gemm_with", engine, a, &[b], states, weights, update)
}

/// [`int8_gemm_packed`] for ternaries: b has n rows of k values in {-1, 0, +1}.
///
/// # Errors
/// As [`int8_gemm_packed`].
pub fn int8_ternary_gemm_packed(engine: &Engine, a: &Int8, b: &TernaryPanels, out: &mut [f32]) -> Result<()> {
    scaled("int8_ternary_gemm_packed", engine, a, &b.both(), out)
}

/// [`int8_gemm_with`] for ternaries, such as inputs of which some are dropped.
///
/// # Errors
/// As [`int8_gemm_packed`].
pub fn int8_ternary_gemm_with<S: Slices, U: Update<S>>(
    engine: &Engine,
    a: &Int8,
    b: &TernaryPanels,
    states: S,
    weights: &mut BitTensor,
    update: &U,
) -> Result<()> {
    scaled_with("int8_ternary_gemm_with", engine, a, &b.both(), states, weights, update)
}

/// `y = x * w^T` for unsigned bytes, such as the pixels of a first layer. x: (m, k), w: n rows of k bits for reals,
/// y: (m, n).
///
/// Eight products of bits, one for each digit, would take three times as long (measured on AVX2: 5.8 against 1.9 ms
/// for m = 100, k = 784, n = 4096).
///
/// # Errors
/// As [`int8_gemm_packed`].
pub fn u8_gemm_packed(engine: &Engine, x: &[u8], w: &Panels, y: &mut [i32]) -> Result<()> {
    const OP: &str = "u8_gemm_packed";
    let m = x.len().checked_div(w.k()).or(y.len().checked_div(w.n())).unwrap_or(0);
    let left = Bytes::of(OP, engine, (m, w.k()), x, &[w])?;
    check_len(OP, "y", (m, w.n()), y.len())?;
    product(engine, &left, &[w], &Store::new(w.n(), y));
    Ok(())
}

fn scaled(op: &'static str, engine: &Engine, a: &Int8, b: &[&Panels], out: &mut [f32]) -> Result<()> {
    let left = Bytes::of(op, engine, a.shape(), a.values(), b)?;
    let n = b[0].n();
    check_len(op, "out", (left.m, n), out.len())?;
    product(engine, &Scaled { left, scales: a.scales() }, b, &Store::new(n, out));
    Ok(())
}

fn scaled_with<S: Slices, U: Update<S>>(
    op: &'static str,
    engine: &Engine,
    a: &Int8,
    b: &[&Panels],
    states: S,
    weights: &mut BitTensor,
    update: &U,
) -> Result<()> {
    let left = Bytes::of(op, engine, a.shape(), a.values(), b)?;
    let sink = Updating::new(op, (left.m, b[0].n()), states, weights, update)?;
    product(engine, &Scaled { left, scales: a.scales() }, b, &sink);
    Ok(())
}
