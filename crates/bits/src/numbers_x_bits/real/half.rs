//! Reals x bits with sums of four in bf16, that is, in the upper 16 bits of f32.
//!
//! The tables are rounded; everything else is f32, as for [reals](super::table). Processors with an
//! instruction for bf16 add two sums of four to each f32 at once, the second from 16 bits further on. That
//! defines the order of additions on every instruction set.

use super::table::{Reals, add_nibbles, sum};
use crate::{
    error::Result,
    machine::{Ahead, Engine},
    numbers_x_bits::{ACROSS, CELLS, Numbers, Sums, load_cells},
    panels::Panels,
    simd::{Simd, Wide},
};

/// A left operand of (m, k) reals. With `HARDWARE`, the processor has the instruction for bf16.
pub(crate) struct Halves<'a, const HARDWARE: bool>(Reals<'a>);

impl<'a, const HARDWARE: bool> Halves<'a, HARDWARE> {
    pub(super) fn of(
        op: &'static str,
        engine: &Engine,
        m: usize,
        values: &'a [f32],
        b: &Panels,
    ) -> Result<Self> {
        Ok(Self(Reals::of(op, engine, m, values, b)?))
    }
}

/// Rounds to the nearest bf16, ties to even; NaN stays NaN. Numbers below 2^-100 become 0, so that no sum is
/// subnormal: there, processors differ.
#[inline(always)]
fn bf16(x: f32) -> u16 {
    const TINY: u32 = (127 - 100) << 23;
    let bits = x.to_bits();
    let rounded = bits.wrapping_add(0x7fff + (bits >> 16 & 1));
    // rounding could clear the last one of a NaN, or make it a number
    let rounded = if x.is_nan() { bits | 1 << 22 } else { rounded };
    let rounded = if bits & 0x7fff_ffff < TINY { 0 } else { rounded };
    (rounded >> 16) as u16
}

impl<const HARDWARE: bool> Numbers for Halves<'_, HARDWARE> {
    type Table = [f32; 16];
    type Sum = f32;
    type Out = f32;

    fn shape(&self) -> (usize, usize) {
        self.0.shape()
    }

    #[inline(always)]
    fn fill(&self, row: usize, at: usize, tables: &mut [[f32; 16]]) {
        self.0.fill(row, at, tables);
        for sum in tables.as_flattened_mut() {
            *sum = f32::from_bits(u32::from(bf16(*sum)) << 16);
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
        add_nibbles::<S, R, 2>(s, tables, panel, start, sums, stride, |turn| {
            let at = turn / 2 * 4 + turn % 2;
            [at + 2, at]
        });
    }

    #[inline(always)]
    fn finish<'s>(&self, _: usize, sums: &'s mut [f32], _: &'s mut [f32]) -> &'s [f32] {
        sums
    }

    type WideTable = [u16; 32];
    const WIDE_TABLES: usize = 4;
    const WIDE_WORDS: usize = 48;

    #[inline(always)]
    fn fill_wide<W: Wide>(&self, _: W, row: usize, word: usize, tables: &mut [[u16; 32]], stride: usize) {
        let values = self.0.word(row, word);
        let (lower, upper) = values.split_at(16);
        let fours = lower.as_chunks::<4>().0.iter().zip(upper.as_chunks::<4>().0);
        for ((lower, upper), table) in fours.zip(tables.iter_mut().step_by(stride)) {
            for (four, table) in [lower, upper].into_iter().zip(table.as_chunks_mut::<16>().0) {
                for index in 0..16 {
                    table[index] = bf16(sum(index, four));
                }
            }
        }
    }

    #[inline(always)]
    fn add_wide<W: Wide, const R: usize>(
        &self,
        w: W,
        _: usize,
        tables: &[[u16; 32]],
        cells: &[u8],
        mut sums: Sums<f32, f32>,
        ahead: &mut Ahead,
    ) {
        // bytes of half a word
        let bytes = tables.len() / (2 * R);
        assert!(tables.len() == 2 * R * bytes && cells.len() >= bytes.div_ceil(2) * CELLS + 3);
        let per_turn = ahead.per_turn(2 * bytes);
        for first in (0..4).step_by(ACROSS) {
            let mut all: [_; R] = sums.load(w, first);
            for byte in 0..bytes {
                ahead.ask(per_turn);
                // SAFETY: the cells are as many as asserted.
                let mut index = unsafe { load_cells(w, cells, (byte / 2, byte % 2), first) };
                for half in 0..2 {
                    let halves = index.map(|index| w.index16(index));
                    for (r, all) in all.iter_mut().enumerate() {
                        // SAFETY: each of R rows has two tables for each byte of half a word.
                        let table = unsafe { w.load(tables.as_ptr().add((2 * byte + half) * R + r).cast()) };
                        *all = if HARDWARE {
                            // SAFETY: `HARDWARE` is only true where detection found the instruction.
                            unsafe { w.bf16_add_permuted(*all, table, halves) }
                        } else {
                            [0, 1].map(|j| w.bf16_add(all[j], w.permute16(table, halves[j])))
                        };
                    }
                    index = index.map(|index| w.shr32_4(index));
                }
            }
            sums.store(w, first, all);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{machine::has_bf16, numbers_x_bits::multiply, product::Store, tensor::random_bits};
    use alloc::{vec, vec::Vec};

    #[test]
    fn the_instruction_is_what_stands_in_for_it() {
        if !has_bf16() {
            return; // nothing to compare with
        }
        let (engine, m, k, n) = (Engine::single(), 13, 200, 70);
        let a: Vec<f32> = (0..m * k).map(|i| (i as f32 * 0.7).sin() * 10f32.powi(i as i32 % 7)).collect();
        let b = Panels::of_rows_for_reals(&engine, random_bits(1, 0, n, k).view());
        let (mut with, mut without) = (vec![0.0; m * n], vec![1.0; m * n]);
        let left = Halves::<true>::of("test", &engine, m, &a, &b).unwrap();
        multiply(&engine, &left, &[&b], &Store::new(n, &mut with));
        let left = Halves::<false>::of("test", &engine, m, &a, &b).unwrap();
        multiply(&engine, &left, &[&b], &Store::new(n, &mut without));
        assert_eq!(with, without);
    }
}
