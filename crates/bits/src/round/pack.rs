//! Comparison of numbers to bits, and back.
//!
//! | function | bit | shapes |
//! |---|---|---|
//! | [`pack_signs`] | `[x >= 0]` | (b, x) -> (b, x) |
//! | [`pack_thresholds`] | `[r > t_k]` | (b, x), (d) -> (b, d x) |
//! | [`pack_above`] | `[r > t_kx]` | (b, x), (d, x) -> (b, d x) |
//! | [`pack_at_least`] | `[s >= t_kc]`, or `[s <= t_kc]` where descending | (b, c), (d, c) -> (b, d c) |
//!
//! A comparison with NaN is false. The columns of a depth are depth-major: threshold k of value x is column
//! `k X + x`.
//!
//! ```
//! use onebit_bits::{Engine, pack_thresholds, unpack_signs};
//!
//! // a thermometer of three thresholds
//! let bits = pack_thresholds(&Engine::single(), 1, 2, &[0.1, -0.9], &[-0.5, 0.0, 0.5])?;
//! assert_eq!(unpack_signs(bits.view()), [1.0, -1.0, 1.0, -1.0, -1.0, -1.0]);
//! # Ok::<(), onebit_bits::Error>(())
//! ```

use alloc::{vec, vec::Vec};

use crate::{
    error::{Error, Result, check_len, check_shape},
    machine::{Engine, Isa, simd},
    tensor::{BitTensor, BitView, compare, compare_pairs, put},
};

/// bit = `[x >= 0]`: the sign, with sgn(0) = sgn(-0) = +1. x: (rows, cols) -> (rows, cols).
///
/// # Errors
/// [`Error::Length`] unless there are `rows * cols` values.
pub fn pack_signs<T: Sum>(engine: &Engine, rows: usize, cols: usize, x: &[T]) -> Result<BitTensor> {
    check_len("pack_signs", "x", (rows, cols), x.len())?;
    let mut bits = BitTensor::zeros(rows, cols);
    pack_signs_into(engine, x, &mut bits)?;
    Ok(bits)
}

/// [`pack_signs`] into existing bits. x and bits: (rows, cols).
///
/// # Errors
/// [`Error::Length`] unless x and bits have the same number of elements.
pub fn pack_signs_into<T: Sum>(engine: &Engine, x: &[T], bits: &mut BitTensor) -> Result<()> {
    let (cols, w) = (bits.cols(), bits.words_per_row());
    check_len("pack_signs", "x", bits.shape(), x.len())?;
    engine.rows(bits.words_mut(), w, x.len(), |first, words| {
        signs_rows(engine.isa(), &x[first * cols..], cols, words);
    });
    Ok(())
}

/// bit = `[x >= 0]` of a run of values: bit j of word w belongs to `x[64 w + j]`; bits beyond the run are 0.
///
/// An [`Update`](crate::Update) computes the words of its weights with it.
///
/// # Errors
/// [`Error::Length`] unless there are `ceil(x.len() / 64)` words.
pub fn sign_words(isa: Isa, x: &[f32], words: &mut [u64]) -> Result<()> {
    check_len("sign_words", "words", (1, x.len().div_ceil(64)), words.len())?;
    signs_of_reals(isa, x, words);
    Ok(())
}

simd! {
    fn signs_of_reals<S>(s: S, x: &[f32], words: &mut [u64]) {
        let (whole, rest) = x.as_chunks::<64>();
        for (x, word) in whole.iter().zip(&mut *words) {
            let at_once = S::LANES / 4;
            *word = 0;
            for first in (0..64).step_by(at_once) {
                // SAFETY: the 64 values are a whole number of vectors, and this one lies within them.
                let x = unsafe { s.load(x.as_ptr().add(first).cast()) };
                *word |= s.at_least_zero(x) << first;
            }
        }
        if let (Some(word), false) = (words.last_mut(), rest.is_empty()) {
            *word = compare(rest, |_, x| x >= 0.0);
        }
    }
}

/// bit `(b, k X + x) = [r_bx > t_k]`, strictly. x: (rows, cols), thresholds: (d) -> (rows, d * cols).
///
/// # Errors
/// [`Error::Length`] unless there are `rows * cols` values, [`Error::TooLarge`] if the result does not fit
/// into memory.
pub fn pack_thresholds<T: Sum>(
    engine: &Engine,
    rows: usize,
    cols: usize,
    x: &[T],
    thresholds: &[T],
) -> Result<BitTensor> {
    check_len("pack_thresholds", "x", (rows, cols), x.len())?;
    let mut bits = deep_zeros("pack_thresholds", rows, cols, thresholds.len())?;
    let w = bits.words_per_row();
    engine.rows(bits.words_mut(), w, x.len().saturating_mul(thresholds.len()), |first, words| {
        thresholds_rows(engine.isa(), &x[first * cols..], cols, thresholds, w, words);
    });
    Ok(bits)
}

/// bit `(b, k X + x) = [r_bx > t_kx]`, strictly: a thermometer whose thresholds depend on the column.
/// x: (rows, cols), thresholds: (d, cols) -> (rows, d * cols).
///
/// # Errors
/// [`Error::Length`] unless there are `rows * cols` values and a multiple of `cols` thresholds,
/// [`Error::TooLarge`] if the result does not fit into memory.
pub fn pack_above<T: Above>(
    engine: &Engine,
    rows: usize,
    cols: usize,
    x: &[T],
    thresholds: &[T::Threshold],
) -> Result<BitTensor> {
    const OP: &str = "pack_above";
    let depth = thresholds.len().checked_div(cols).unwrap_or(0);
    check_len(OP, "x", (rows, cols), x.len())?;
    let mut bits = deep_zeros(OP, rows, cols, depth)?;
    pack_above_into(engine, cols, x, thresholds, &mut bits)?;
    Ok(bits)
}

/// [`pack_above`] into existing bits. x: (rows, cols), thresholds: (d, cols), bits: (rows, d * cols).
///
/// # Errors
/// [`Error::Length`] unless there is a threshold for each column of bits, in whole rows of `cols`, and a row
/// of values for each row of bits.
pub fn pack_above_into<T: Above>(
    engine: &Engine,
    cols: usize,
    x: &[T],
    thresholds: &[T::Threshold],
    bits: &mut BitTensor,
) -> Result<()> {
    const OP: &str = "pack_above";
    let (deep, w) = (bits.cols(), bits.words_per_row());
    check_len(OP, "thresholds", (deep.checked_div(cols).unwrap_or(0), cols), thresholds.len())?;
    check_len(OP, "thresholds", (1, deep), thresholds.len())?;
    check_len(OP, "x", (bits.rows(), cols), x.len())?;
    engine.rows(bits.words_mut(), w, x.len().saturating_mul(deep / cols.max(1)), |first, words| {
        above_rows(engine.isa(), &x[first * cols..], cols, thresholds, w, words);
    });
    Ok(())
}

/// Numbers that [`pack_above`] compares with thresholds.
pub trait Above: Copy + Send + Sync + sealed::Sealed {
    /// The thresholds: for bytes, numbers from -1, which all bytes exceed, to 255, which none exceeds.
    type Threshold: Copy + Send + Sync;

    /// `[self > threshold]`
    fn above(self, threshold: Self::Threshold) -> bool;
}

impl Above for f32 {
    type Threshold = f32;

    #[inline(always)]
    fn above(self, threshold: f32) -> bool {
        self > threshold
    }
}

impl Above for u8 {
    type Threshold = i16;

    #[inline(always)]
    fn above(self, threshold: i16) -> bool {
        i16::from(self) > threshold
    }
}

/// bit `(b, k C + c) = [s_bc >= t_kc]`, and `[s_bc <= t_kc]` where `descending_c` is 1.
///
/// This is a batch norm folded into the following sign: dividing by a negative scale reverses the comparison.
/// sums: (rows, cols), thresholds: (d, cols), descending: (1, cols) -> (rows, d * cols).
///
/// # Errors
/// [`Error::Length`] unless there are `rows * cols` sums and a multiple of `cols` thresholds,
/// [`Error::Shape`] unless `descending` fits, [`Error::TooLarge`] if the result does not fit into memory.
pub fn pack_at_least<T: Sum>(
    engine: &Engine,
    rows: usize,
    cols: usize,
    sums: &[T],
    thresholds: &[T],
    descending: BitView,
) -> Result<BitTensor> {
    const OP: &str = "pack_at_least";
    let depth = thresholds.len().checked_div(cols).unwrap_or(0);
    check_len(OP, "sums", (rows, cols), sums.len())?;
    check_len(OP, "thresholds", (depth, cols), thresholds.len())?;
    check_shape(OP, "descending", (1, cols), descending.shape())?;
    let mut bits = deep_zeros(OP, rows, cols, depth)?;
    let w = bits.words_per_row();
    engine.rows(bits.words_mut(), w, sums.len().saturating_mul(depth), |first, words| {
        at_least_rows(engine.isa(), &sums[first * cols..], cols, thresholds, descending.row(0), w, words);
    });
    Ok(bits)
}

/// +1.0 for bit 1, -1.0 for bit 0: (rows, cols).
#[must_use]
pub fn unpack_signs(bits: BitView) -> Vec<f32> {
    let mut x = vec![0.0; bits.rows() * bits.cols()];
    for r in 0..bits.rows() {
        let row = &mut x[r * bits.cols()..][..bits.cols()];
        for (x, word) in row.chunks_mut(64).zip(bits.row(r)) {
            for (c, x) in x.iter_mut().enumerate() {
                *x = if word >> c & 1 == 1 { 1.0 } else { -1.0 };
            }
        }
    }
    x
}

/// Sums that can be compared with thresholds: `i32` of products of bits, and `f32`.
pub trait Sum: Copy + PartialOrd + Send + Sync + sealed::Sealed {
    /// The number 0.
    const ZERO: Self;
}

impl Sum for i32 {
    const ZERO: Self = 0;
}
impl Sum for f32 {
    const ZERO: Self = 0.0;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for i32 {}
    impl Sealed for f32 {}
    impl Sealed for u8 {}
}

fn deep_zeros(op: &'static str, rows: usize, cols: usize, depth: usize) -> Result<BitTensor> {
    let deep = cols.checked_mul(depth);
    match deep.filter(|&cols| cols.div_ceil(64).checked_mul(rows).is_some()) {
        Some(cols) => Ok(BitTensor::zeros(rows, cols)),
        None => Err(Error::TooLarge { op, rows, cols: cols.saturating_mul(depth) }),
    }
}

simd! {
    /// x: (.., cols), words: (rows, w)
    fn signs_rows<S, T: Sum>(_s: S, x: &[T], cols: usize, words: &mut [u64]) {
        for (x, row) in x.chunks_exact(cols).zip(words.chunks_exact_mut(cols.div_ceil(64))) {
            for (x, word) in x.chunks(64).zip(row) {
                *word = compare(x, |_, x| x >= T::ZERO);
            }
        }
    }
}

simd! {
    /// x: (.., cols), thresholds: (d), words: (rows, w)
    fn thresholds_rows<S, T: Sum>(_s: S, x: &[T], cols: usize, thresholds: &[T], w: usize, words: &mut [u64]) {
        for (x, row) in x.chunks_exact(cols).zip(words.chunks_exact_mut(w)) {
            for (k, &t) in thresholds.iter().enumerate() {
                for (c, x) in x.chunks(64).enumerate() {
                    put(row, k * cols + c * 64, compare(x, |_, x| x > t));
                }
            }
        }
    }
}

simd! {
    /// sums: (.., cols), thresholds: (d, cols), descending: (cols) bits, words: (rows, w)
    fn at_least_rows<S, T: Sum>(_s: S,
        sums: &[T], cols: usize, thresholds: &[T], descending: &[u64], w: usize, words: &mut [u64],
    ) {
        for (sums, row) in sums.chunks_exact(cols).zip(words.chunks_exact_mut(w)) {
            for (k, thresholds) in thresholds.chunks_exact(cols).enumerate() {
                let groups = sums.chunks(64).zip(thresholds.chunks(64)).zip(descending);
                for (c, ((s, t), &descending)) in groups.enumerate() {
                    // most networks have a positive scale everywhere: do not compare twice for nothing
                    let up = if descending == !0 { 0 } else { compare_pairs(s, t, |s, t| s >= t) };
                    let down = if descending == 0 { 0 } else { compare_pairs(s, t, |s, t| s <= t) };
                    put(row, k * cols + c * 64, (up & !descending) | (down & descending));
                }
            }
        }
    }
}

simd! {
    /// x: (.., cols), thresholds: (d, cols), words: (rows, w)
    fn above_rows<S, T: Above>(_s: S, x: &[T], cols: usize, thresholds: &[T::Threshold], w: usize, words: &mut [u64]) {
        for (x, row) in x.chunks_exact(cols).zip(words.chunks_exact_mut(w)) {
            row.fill(0);
            for (k, thresholds) in thresholds.chunks_exact(cols).enumerate() {
                for (c, (x, t)) in x.chunks(64).zip(thresholds.chunks(64)).enumerate() {
                    put(row, k * cols + c * 64, compare_pairs(x, t, T::above));
                }
            }
        }
    }
}
