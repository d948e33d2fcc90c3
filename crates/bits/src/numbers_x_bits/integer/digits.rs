//! Sums of bytes by tables of bytes: for each four values, one table of the lower five digits and one of the
//! upper.

use super::byte::Byte;
use crate::{panels::fold, simd::Simd};

/// For each half of a byte, the tables of a nibble: lower digits, upper digits.
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

/// Fills the tables of the values, each of eight of them.
#[inline(always)]
pub(super) fn fill_all<T: Byte>(values: &[T], tables: &mut [[u8; 64]]) {
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

/// Bytes after which a byte holds eight sums of five digits; a ninth could overflow.
const FULL: usize = 4;

/// [`Numbers::add`](crate::numbers_x_bits::Numbers::add) for bytes.
#[inline(always)]
pub(super) fn add<S: Simd, const R: usize>(
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
                                tables.as_ptr().add(r * chunk + at).cast::<u8>().add(half * 32 + plane * 16),
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
