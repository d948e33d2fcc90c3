//! Reals x bits by tables of the sums of four values.
//!
//! A table has the eight sums in which the fourth value is added. The others are their negatives, which
//! [folded indices](crate::panels::fold) select. Rounding is symmetric, so a negative is as exact as its sum.

use crate::{
    error::{Result, check_len},
    machine::{Ahead, Engine},
    numbers_x_bits::{ACROSS as WIDE_ACROSS, CELLS, Numbers, Sums, load_cells},
    panels::Panels,
    simd::{Simd, Wide},
};

/// A left operand of (m, k) reals.
#[derive(Clone, Copy)]
pub(crate) struct Reals<'a> {
    m: usize,
    k: usize,
    values: &'a [f32],
}

/// Vectors of columns at once.
const ACROSS: usize = 2;

/// The signs of four values for each index. A folded index uses the first eight of three values; the fourth
/// is added.
static SIGNS: [[f32; 16]; 4] = {
    let mut signs = [[-1.0; 16]; 4];
    let mut index = 0;
    while index < 16 {
        let mut bit = 0;
        while bit < 4 {
            if index >> bit & 1 == 1 {
                signs[bit][index] = 1.0;
            }
            bit += 1;
        }
        index += 1;
    }
    signs
};

/// `(+-a0 +- a1) + (+-a2 +- a3)`
#[inline(always)]
pub(super) fn sum(index: usize, four: &[f32; 4]) -> f32 {
    (SIGNS[0][index] * four[0] + SIGNS[1][index] * four[1])
        + (SIGNS[2][index] * four[2] + SIGNS[3][index] * four[3])
}

impl<'a> Reals<'a> {
    /// The 32 values of `row` that meet word `word`; zeros beyond k.
    #[inline(always)]
    pub(super) fn word(&self, row: usize, word: usize) -> [f32; 32] {
        let left = &self.values[row * self.k..][..self.k][32 * word..];
        if let Some(whole) = left.first_chunk() {
            return *whole;
        }
        let mut values = [0.0; 32];
        values[..left.len()].copy_from_slice(left);
        values
    }

    pub(crate) fn of(
        op: &'static str,
        engine: &Engine,
        m: usize,
        values: &'a [f32],
        b: &Panels,
    ) -> Result<Self> {
        check_len(op, "a", (m, b.k()), values.len())?;
        b.check_reals(op, engine)?;
        Ok(Self { m, k: b.k(), values })
    }
}

impl Numbers for Reals<'_> {
    /// Eight sums for the low nibble, then eight for the high one.
    type Table = [f32; 16];
    type Sum = f32;
    type Out = f32;

    fn shape(&self) -> (usize, usize) {
        (self.m, self.k)
    }

    #[inline(always)]
    fn fill(&self, row: usize, at: usize, tables: &mut [[f32; 16]]) {
        let values = &self.values[row * self.k..][..self.k][8 * at..];
        for (index, table) in tables.iter_mut().enumerate() {
            let mut eight = [0.0; 8];
            for (to, value) in eight.iter_mut().zip(&values[8 * index..]) {
                *to = *value;
            }
            for (four, sums) in eight.as_chunks::<4>().0.iter().zip(table.as_chunks_mut::<8>().0) {
                for index in 0..8 {
                    let [a, b, c] = [0, 1, 2].map(|bit| SIGNS[bit][index] * four[bit]);
                    sums[index] = (a + b) + (c + four[3]);
                }
            }
        }
    }

    #[inline(always)]
    fn add<S: Simd, const R: usize>(
        s: S,
        tables: &[[f32; 16]],
        panel: &[u8],
        start: bool,
        sums: &mut [f32],
        stride: usize,
    ) {
        add_nibbles::<S, R, 1>(s, tables, panel, start, sums, stride, |at| [at]);
    }

    #[inline(always)]
    fn finish<'s>(&self, _: usize, sums: &'s mut [f32], _: &'s mut [f32]) -> &'s [f32] {
        sums
    }

    type WideTable = [f32; 16];
    const WIDE_TABLES: usize = 8;
    const WIDE_WORDS: usize = 48;

    #[inline(always)]
    fn fill_wide<W: Wide>(&self, _: W, row: usize, word: usize, tables: &mut [[f32; 16]], stride: usize) {
        let values = self.word(row, word);
        for (four, table) in values.as_chunks::<4>().0.iter().zip(tables.iter_mut().step_by(stride)) {
            for index in 0..16 {
                table[index] = sum(index, four);
            }
        }
    }

    #[inline(always)]
    fn add_wide<W: Wide, const R: usize>(
        &self,
        w: W,
        _: usize,
        tables: &[[f32; 16]],
        cells: &[u8],
        mut sums: Sums<f32, f32>,
        ahead: &mut Ahead,
    ) {
        let bytes = tables.len() / (2 * R);
        assert!(tables.len() == 2 * R * bytes && cells.len() >= bytes.div_ceil(4) * CELLS + 3);
        let per_turn = ahead.per_turn(2 * bytes);
        for first in (0..4).step_by(WIDE_ACROSS) {
            let mut all: [_; R] = sums.load(w, first);
            for byte in 0..bytes {
                ahead.ask(per_turn);
                // SAFETY: the cells are as many as asserted.
                let mut index = unsafe { load_cells(w, cells, (byte / 4, byte % 4), first) };
                for half in 0..2 {
                    for (r, all) in all.iter_mut().enumerate() {
                        // SAFETY: each of R rows has two tables for each byte.
                        let table = unsafe { w.load(tables.as_ptr().add((2 * byte + half) * R + r).cast()) };
                        *all = w.real_add_permuted(*all, table, index);
                    }
                    index = index.map(|index| w.shr32_4(index));
                }
            }
            sums.store(w, first, all);
        }
    }
}

/// [`Numbers::add`] for tables of reals. Turn `t` looks up the bytes `bytes(t)` of the panel together: first
/// their low nibbles, then their high ones. B turns cover B * B bytes; bytes beyond the panel do not count.
#[inline(always)]
pub(super) fn add_nibbles<S: Simd, const R: usize, const B: usize>(
    s: S,
    tables: &[[f32; 16]],
    panel: &[u8],
    start: bool,
    sums: &mut [f32],
    stride: usize,
    bytes: impl Fn(usize) -> [usize; B],
) {
    let chunk = panel.len() / S::LANES;
    let columns = S::LANES / 4;
    assert!(tables.len() == R * chunk && sums.len() >= (R - 1) * stride + S::LANES);
    for first in (0..4).step_by(ACROSS) {
        let place = |r: usize, j: usize| r * stride + (first + j) * columns;
        let mut all = [[s.splat32(0); ACROSS]; R];
        if !start {
            for (r, all) in all.iter_mut().enumerate() {
                for (j, all) in all.iter_mut().enumerate() {
                    // SAFETY: each row has a place for each lane.
                    *all = unsafe { s.load(sums.as_ptr().add(place(r, j)).cast()) };
                }
            }
        }
        for turn in 0..chunk.next_multiple_of(B * B) / B {
            let bytes = bytes(turn);
            let mut select = [[[s.low_nibbles(s.splat32(0)); ACROSS]; B]; 2];
            for (b, &at) in bytes.iter().enumerate() {
                for j in 0..ACROSS {
                    if at < chunk {
                        let from = at * S::LANES + (first + j) * columns;
                        // SAFETY: the panel has a vector for each byte, and this is the quarter `first + j`
                        // of it.
                        let x = unsafe { s.load_widened(panel.as_ptr().add(from)) };
                        (select[0][b][j], select[1][b][j]) = (s.low_nibbles(x), s.high_nibbles(x));
                    }
                }
            }
            for (half, select) in select.into_iter().enumerate() {
                for (select, &at) in select.into_iter().zip(&bytes) {
                    if at >= chunk {
                        continue;
                    }
                    for (r, all) in all.iter_mut().enumerate() {
                        // SAFETY: each of R rows has two tables of 8 for each byte.
                        let table = unsafe {
                            s.real_table(tables.as_ptr().add(r * chunk + at).cast::<f32>().add(8 * half))
                        };
                        for (all, select) in all.iter_mut().zip(select) {
                            *all = s.real_add(*all, s.real_lookup(table, select));
                        }
                    }
                }
            }
        }
        for (r, all) in all.iter().enumerate() {
            for (j, all) in all.iter().enumerate() {
                // SAFETY: each row has a place for each lane.
                unsafe { s.store(sums.as_mut_ptr().add(place(r, j)).cast(), *all) };
            }
        }
    }
}
