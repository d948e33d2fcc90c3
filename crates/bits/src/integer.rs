//! Integers x bits: exact sums of bytes.
//!
//! `sum_mn = sum_k a_mk b_nk` with b in +-1, for a rounded gradient ([`Int8`]) and for the bytes of a first layer's
//! inputs. The sums are exact; a rounded gradient's are multiplied by the scale of their row.
//!
//! With `S = sum_{k: b = +1} a_k`, the sum is `2 S - sum_k a_k`. The part of S that belongs to four values, plus 512
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

use crate::{
    engine::Engine,
    error::{Error, Result, check_len, check_shape},
    memory::Ahead,
    panels::{Panels, fold},
    parts::Slices,
    quantize::Int8,
    simd::{Simd, Wide},
    tables::{Left, Place, Store, Sums, product},
    tensor::BitTensor,
    ternary_panels::TernaryPanels,
    update::{Update, Updating},
    wide::{ACROSS, CELLS},
};

/// `out = a * b^T` for a rounded gradient: `out_mn = scale_m sum_mn`, with the exact sum rounded to f32 once.
///
/// a: (m, k), b: n rows of k bits for reals, out: (m, n).
///
/// # Errors
/// [`Error::Length`], [`Error::Shape`] unless the operands fit, [`Error::Packed`] if the panels are for another
/// instruction set or for bits, [`Error::TooLarge`] if sums might exceed `i32`.
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

/// A byte that is an integer.
pub(crate) trait Byte: Copy + Sync {
    /// What makes the sums of four of them 0 or more.
    const BIAS: i16;

    /// Words of 32 of them of which 16 bits hold the sum of each eighth.
    const WORDS: usize;

    fn get(self) -> i16;
}

impl Byte for i8 {
    const BIAS: i16 = 512;
    const WORDS: usize = 15;

    #[inline(always)]
    fn get(self) -> i16 {
        self.into()
    }
}

impl Byte for u8 {
    const BIAS: i16 = 0;
    const WORDS: usize = 8;

    #[inline(always)]
    fn get(self) -> i16 {
        self.into()
    }
}

/// (m, k) bytes.
pub(crate) struct Bytes<'a, T> {
    m: usize,
    k: usize,
    values: &'a [T],
    /// How often a sum has S in it: twice, or once for each half of a ternary.
    times: i32,
}

impl<'a, T: Byte> Bytes<'a, T> {
    pub(crate) fn of(
        op: &'static str,
        engine: &Engine,
        (m, k): (usize, usize),
        values: &'a [T],
        b: &[&Panels],
    ) -> Result<Self> {
        for b in b {
            b.check_reals(op, engine)?;
            check_shape(op, "a", (m, b.k()), (m, k))?;
        }
        check_len(op, "a", (m, k), values.len())?;
        if k > (i32::MAX / 512) as usize {
            return Err(Error::TooLarge { op, rows: m, cols: k });
        }
        Ok(Self { m, k, values, times: if b.len() == 1 { 2 } else { 1 } })
    }

    #[inline(always)]
    fn row(&self, row: usize) -> &[T] {
        &self.values[row * self.k..][..self.k]
    }

    /// The sum from that of one right operand, or from those of both halves of a ternary.
    #[inline(always)]
    fn mean(&self, sum: i32) -> i32 {
        if self.times == 2 { sum } else { sum / 2 }
    }

    /// What `2 S` exceeds the sum by, and so what the S of both halves of a ternary do, biases included.
    #[inline(always)]
    fn excess(&self, row: usize) -> i32 {
        let mut excess = 4 * i32::from(T::BIAS) * self.k.div_ceil(8) as i32;
        for value in self.row(row) {
            excess += i32::from(value.get());
        }
        excess
    }
}

/// For a nibble of each of the two halves of a byte: lower digits, upper digits.
type Tables = [[[u8; 16]; 2]; 2];

/// The bits of each folded nibble, as masks.
static ONES: [[i16; 16]; 4] = {
    let mut ones = [[0; 16]; 4];
    let mut folded = 0;
    while folded < 16 {
        let mut bit = 0;
        while bit < 4 {
            ones[bit][folded] = -((fold(folded as u64) >> bit & 1) as i16);
            bit += 1;
        }
        folded += 1;
    }
    ones
};

#[inline(always)]
fn fill(eight: [i16; 8], bias: i16, tables: &mut Tables) {
    for (four, [lower, upper]) in eight.as_chunks::<4>().0.iter().zip(tables) {
        for index in 0..16 {
            let mut sum = bias;
            for bit in 0..4 {
                sum += four[bit] & ONES[bit][index];
            }
            lower[index] = (sum & 31) as u8;
            upper[index] = (sum >> 5) as u8;
        }
    }
}

/// Bytes after which eight sums of five digits have been added: the next might overflow.
const FULL: usize = 4;

impl<T: Byte> Left for Bytes<'_, T> {
    type Table = [u8; 64];
    type Sum = i32;
    type Out = i32;

    fn shape(&self) -> (usize, usize) {
        (self.m, self.k)
    }

    #[inline(always)]
    fn fill(&self, row: usize, at: usize, tables: &mut [[u8; 64]]) {
        let values = &self.row(row)[8 * at..];
        for (index, table) in tables.iter_mut().enumerate() {
            let mut eight = [0; 8];
            for (to, value) in eight.iter_mut().zip(&values[8 * index..]) {
                *to = value.get();
            }
            let mut planes = [[[0; 16]; 2]; 2];
            fill(eight, T::BIAS, &mut planes);
            table.copy_from_slice(planes.as_flattened().as_flattened());
        }
    }

    #[inline(always)]
    fn add<S: Simd, const R: usize>(
        s: S,
        tables: &[[u8; 64]],
        panel: &[u8],
        start: bool,
        sums: &mut [i32],
        stride: usize,
    ) {
        let chunk = panel.len() / S::LANES;
        assert!(tables.len() == R * chunk);
        let (nibble, zero) = (s.splat(15), s.splat(0));
        let mut pairs = [[zero; 2]; R];
        let mut at = 0;
        while at < chunk {
            // lower digits, upper digits
            let mut bytes = [[zero; 2]; R];
            let end = chunk.min(at + FULL);
            while at < end {
                // SAFETY: the panel has a vector for each byte.
                let x = unsafe { s.load(panel.as_ptr().add(at * S::LANES)) };
                let halves = [s.and(x, nibble), s.and(s.shr16::<4>(x), nibble)];
                for (r, bytes) in bytes.iter_mut().enumerate() {
                    for (half, index) in halves.into_iter().enumerate() {
                        for (plane, sum) in bytes.iter_mut().enumerate() {
                            // SAFETY: each of R rows has tables of 64 bytes for each byte.
                            let table = unsafe {
                                s.table(
                                    tables
                                        .as_ptr()
                                        .add(r * chunk + at)
                                        .cast::<u8>()
                                        .add(half * 32 + plane * 16),
                                )
                            };
                            *sum = s.add(*sum, s.lookup(table, index));
                        }
                    }
                }
                at += 1;
            }
            for (pairs, [lower, upper]) in pairs.iter_mut().zip(bytes) {
                for (pair, more) in pairs.iter_mut().zip(s.digits(lower, upper)) {
                    *pair = s.add16(*pair, more);
                }
            }
        }
        for (r, pairs) in pairs.into_iter().enumerate() {
            let [first, last] = s.in_order(pairs);
            let mut u16s = [0; 128];
            // SAFETY: two vectors have at most 128 bytes.
            unsafe {
                s.store(u16s.as_mut_ptr(), first);
                s.store(u16s.as_mut_ptr().add(S::LANES), last);
            }
            let sums = &mut sums[r * stride..][..S::LANES];
            for (sum, pair) in sums.iter_mut().zip(u16s.as_chunks().0) {
                let before = if start { 0 } else { *sum };
                *sum = before + i32::from(u16::from_le_bytes(*pair));
            }
        }
    }

    #[inline(always)]
    fn finish<'s>(&self, row: usize, sums: &'s mut [i32], _: &'s mut [i32]) -> &'s [i32] {
        let excess = self.excess(row);
        for sum in &mut *sums {
            *sum = self.times * *sum - excess;
        }
        sums
    }

    type WideTable = [i16; 32];
    const WIDE_TABLES: usize = 4;
    const WIDE_WORDS: usize = T::WORDS;

    #[inline(always)]
    fn fill_wide<W: Wide>(&self, w: W, row: usize, word: usize, tables: &mut [[i16; 32]], stride: usize) {
        let mut values = [0i16; 32];
        for (to, value) in values.iter_mut().zip(&self.row(row)[32 * word..]) {
            *to = value.get();
        }
        // SAFETY: 64 bytes each.
        let (values, signs) = unsafe {
            (w.load(values.as_ptr().cast()), [0, 1, 2, 3].map(|bit| w.load(SIGNS[bit].as_ptr().cast())))
        };
        for (four, table) in tables.iter_mut().step_by(stride).take(4).enumerate() {
            let mut sum = w.splat32(0);
            for (bit, signs) in signs.into_iter().enumerate() {
                // one value of the lower half of the word in the lower half of the table
                let index = w.halves16(4 * four + bit, 16 + 4 * four + bit);
                sum = w.add16(sum, w.mul16(signs, w.permute16(values, index)));
            }
            // SAFETY: 64 bytes.
            unsafe { w.store(table.as_mut_ptr().cast(), sum) };
        }
    }

    #[inline(always)]
    fn add_wide<W: Wide, const R: usize>(
        &self,
        w: W,
        _: usize,
        tables: &[[i16; 32]],
        cells: &[u8],
        sums: Sums<i32>,
        place: Option<Place<i32>>,
        ahead: &mut Ahead,
    ) {
        add_wide::<_, R>(w, T::WORDS, tables, cells, sums, ahead, |r, col, sums| {
            if let Some(place) = &place {
                // SAFETY: it has 64 columns of each row.
                unsafe { w.store(place.first.add(r * place.stride + col).cast(), sums) };
            }
            place.is_some()
        });
    }

    fn is_done_in_vectors(&self) -> bool {
        self.times == 2
    }

    #[inline(always)]
    fn finish_wide<'s>(&self, _: usize, sums: &'s mut [i32], _: &'s mut [i32]) -> &'s [i32] {
        for sum in &mut *sums {
            *sum = self.mean(*sum);
        }
        sums
    }
}

/// The sign of each of four values for each index, twice.
static SIGNS: [[i16; 32]; 4] = {
    let mut signs = [[-1; 32]; 4];
    let mut index = 0;
    while index < 32 {
        let mut bit = 0;
        while bit < 4 {
            if index >> bit & 1 == 1 {
                signs[bit][index] = 1;
            }
            bit += 1;
        }
        index += 1;
    }
    signs
};

/// Bytes of which each row has a scale.
struct Scaled<'a> {
    left: Bytes<'a, i8>,
    scales: &'a [f32],
}

impl Left for Scaled<'_> {
    type Table = [u8; 64];
    type Sum = i32;
    type Out = f32;

    fn shape(&self) -> (usize, usize) {
        self.left.shape()
    }

    #[inline(always)]
    fn fill(&self, row: usize, at: usize, tables: &mut [[u8; 64]]) {
        self.left.fill(row, at, tables);
    }

    #[inline(always)]
    fn add<S: Simd, const R: usize>(
        s: S,
        tables: &[[u8; 64]],
        panel: &[u8],
        start: bool,
        sums: &mut [i32],
        stride: usize,
    ) {
        Bytes::<i8>::add::<S, R>(s, tables, panel, start, sums, stride);
    }

    #[inline(always)]
    fn finish<'s>(&self, row: usize, sums: &'s mut [i32], out: &'s mut [f32]) -> &'s [f32] {
        let (times, excess, scale) = (self.left.times, self.left.excess(row), self.scales[row]);
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = scale * (times * *sum - excess) as f32;
        }
        out
    }

    type WideTable = [i16; 32];
    const WIDE_TABLES: usize = Bytes::<i8>::WIDE_TABLES;
    const WIDE_WORDS: usize = Bytes::<i8>::WIDE_WORDS;

    #[inline(always)]
    fn fill_wide<W: Wide>(&self, w: W, row: usize, word: usize, tables: &mut [[i16; 32]], stride: usize) {
        self.left.fill_wide(w, row, word, tables, stride);
    }

    #[inline(always)]
    fn add_wide<W: Wide, const R: usize>(
        &self,
        w: W,
        row: usize,
        tables: &[[i16; 32]],
        cells: &[u8],
        sums: Sums<i32>,
        place: Option<Place<f32>>,
        ahead: &mut Ahead,
    ) {
        add_wide::<_, R>(w, i8::WORDS, tables, cells, sums, ahead, |r, col, sums| {
            if let Some(place) = &place {
                let results = w.scale32(sums, self.scales[row + r]);
                // SAFETY: it has 64 columns of each row.
                unsafe { w.store(place.first.add(r * place.stride + col).cast(), results) };
            }
            place.is_some()
        });
    }

    fn is_done_in_vectors(&self) -> bool {
        self.left.is_done_in_vectors()
    }

    #[inline(always)]
    fn finish_wide<'s>(&self, row: usize, sums: &'s mut [i32], out: &'s mut [f32]) -> &'s [f32] {
        let scale = self.scales[row];
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = scale * self.left.mean(*sum) as f32;
        }
        out
    }
}

/// [`Left::add_wide`] for bytes: 16 bits hold the sums of so many words. `done(row, column, sums)` says whether the sums
/// of 16 columns are where they belong.
#[inline(always)]
fn add_wide<W: Wide, const R: usize>(
    w: W,
    words: usize,
    tables: &[[i16; 32]],
    cells: &[u8],
    Sums { sums, stride, start }: Sums<i32>,
    ahead: &mut Ahead,
    done: impl Fn(usize, usize, W::V) -> bool,
) {
    // of half a word
    let bytes = tables.len() / (2 * R);
    assert!(tables.len() == 2 * R * bytes && cells.len() >= bytes.div_ceil(2) * CELLS + 3);
    assert!(bytes <= 2 * words && sums.len() >= (R - 1) * stride + 64);
    let per_turn = ahead.per_turn(2 * bytes);
    for first in (0..4).step_by(ACROSS) {
        let mut all = [[w.splat32(0); ACROSS]; R];
        for byte in 0..bytes {
            ahead.ask(per_turn);
            let cell = byte / 2 * CELLS + byte % 2 + first * 64;
            // SAFETY: each word has 4 vectors, and after the last there are 3 bytes more.
            let mut index = [0, 1].map(|j| unsafe { w.load(cells.as_ptr().add(cell + 64 * j)) });
            for half in 0..2 {
                let halves = index.map(|index| w.index16(index));
                for (r, all) in all.iter_mut().enumerate() {
                    // SAFETY: each of R rows has two tables for each byte of half a word.
                    let table = unsafe { w.load(tables.as_ptr().add((2 * byte + half) * R + r).cast()) };
                    *all = w.add16_permuted(*all, table, halves);
                }
                index = index.map(|index| w.shr32_4(index));
            }
        }
        for (r, all) in all.iter().enumerate() {
            for (j, all) in all.iter().enumerate() {
                let col = (first + j) * 16;
                let to = sums[r * stride + col..].as_mut_ptr().cast();
                let all = w.add_halves(*all);
                // SAFETY: each row has a sum for each of 64 columns.
                let all = if start { all } else { w.add32(unsafe { w.load(to) }, all) };
                if !done(r, col, all) {
                    // SAFETY: as above.
                    unsafe { w.store(to, all) };
                }
            }
        }
    }
}
