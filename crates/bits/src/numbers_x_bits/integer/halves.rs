//! Sums of bytes by tables of 16 bits, where whole vectors are permuted: see `wide.rs`.

use super::byte::Byte;
use crate::{
    machine::Ahead,
    numbers_x_bits::{ACROSS, CELLS, Sums, load_cells},
    simd::Wide,
};

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

/// [`Numbers::fill_wide`](crate::numbers_x_bits::Numbers::fill_wide) for the values of a row from a word on.
#[inline(always)]
pub(super) fn fill<W: Wide, T: Byte>(w: W, left: &[T], tables: &mut [[i16; 32]], stride: usize) {
    let mut values = [0i16; 32];
    for (to, value) in values.iter_mut().zip(left) {
        *to = value.get();
    }
    // SAFETY: the values and each row of signs have 64 bytes.
    let (values, signs) = unsafe {
        (w.load(values.as_ptr().cast()), [0, 1, 2, 3].map(|bit| w.load(SIGNS[bit].as_ptr().cast())))
    };
    for (four, table) in tables.iter_mut().step_by(stride).take(4).enumerate() {
        let mut sum = w.splat32(0);
        for (bit, signs) in signs.into_iter().enumerate() {
            // a value of the lower half of the word goes to the lower half of the table
            let index = w.halves16(4 * four + bit, 16 + 4 * four + bit);
            sum = w.add16(sum, w.mul16(signs, w.permute16(values, index)));
        }
        // SAFETY: a table has 64 bytes.
        unsafe { w.store(table.as_mut_ptr().cast(), sum) };
    }
}

/// [`Numbers::add_wide`](crate::numbers_x_bits::Numbers::add_wide) for bytes. `words`: words whose sums fit
/// 16 bits; `result(row, sums)` computes results from the last sums.
#[inline(always)]
pub(super) fn add<W: Wide, O, const R: usize>(
    w: W,
    words: usize,
    tables: &[[i16; 32]],
    cells: &[u8],
    Sums { sums, stride, start, place }: Sums<i32, O>,
    ahead: &mut Ahead,
    result: impl Fn(usize, W::V) -> W::V,
) {
    // bytes of half a word
    let bytes = tables.len() / (2 * R);
    assert!(tables.len() == 2 * R * bytes && cells.len() >= bytes.div_ceil(2) * CELLS + 3);
    assert!(bytes <= 2 * words && sums.len() >= (R - 1) * stride + 64);
    let per_turn = ahead.per_turn(2 * bytes);
    for first in (0..4).step_by(ACROSS) {
        let mut all = [[w.splat32(0); ACROSS]; R];
        for byte in 0..bytes {
            ahead.ask(per_turn);
            // SAFETY: the cells are as many as asserted.
            let mut index = unsafe { load_cells(w, cells, (byte / 2, byte % 2), first) };
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
                // SAFETY: each row of sums, and of the place, has 64 columns.
                unsafe {
                    match &place {
                        Some(place) => {
                            w.store(place.first.add(r * place.stride + col).cast(), result(r, all))
                        }
                        None => w.store(to, all),
                    }
                }
            }
        }
    }
}
