//! Reals x ternaries and x reals: the right operand is expanded to f32.
//!
//! The simple loop:
//!
//! ```text
//! for m in 0..M { for k in 0..K { for n in 0..N { out[m][n] += a[m][k] * b[k][n] } } }
//! ```
//!
//! Three things are done differently, none of which changes a sum:
//!
//! 1. k is cut into blocks of `KC`. For each, the rows of `a` of a tile are copied into strips of `MR` rows,
//!    k-major, and the right operand into strips of `NR` columns, expanded to f32: `(k, NR)`.
//! 2. A micro-kernel multiplies an `MR` x `NR` tile, which stays in registers, and vectorizes over n.
//! 3. The next block of k continues from the sums in `out`.
//!
//! Every output has one accumulator, which starts at 0 and adds the rounded products in the order of k,
//! without fused multiply-add. So the result is that of the simple loop, bit for bit, on every instruction
//! set, for any number of threads. (Which NaN comes out of several is left open.)

use crate::{
    error::Result,
    machine::{Engine, Isa, Tile, scratch, simd},
    product::{PRODUCT, Sink, by_blocks, rows_of},
    tensor::{BitView, Ternary},
};

/// Rows of a register tile: 5 x 2 sums, 2 columns and a row fill the 16 registers of AVX2.
const MR: usize = 5;
/// Columns of a register tile; divides 64, so that a strip never straddles two words.
const NR: usize = 16;
/// Depth of a strip: `KC * NR` floats are half of a 32 KiB L1 cache.
const KC: usize = 256;

/// A right operand: (k, n).
pub(super) enum Right<'a> {
    Ternary(&'a Ternary),
    /// Values and n.
    Real(&'a [f32], usize),
}

impl Right<'_> {
    /// Expands columns `col..col + NR` of the rows from `k` on to f32; columns beyond n are arbitrary.
    fn panel(&self, isa: Isa, k: usize, col: usize, panel: &mut [[f32; NR]]) {
        match self {
            Self::Ternary(x) => ternary_panel(isa, x.sign().view(), x.nonzero().view(), k, col, panel),
            Self::Real(b, n) => {
                for (row, values) in panel.iter_mut().zip(b.chunks_exact(*n).skip(k)) {
                    match values[col..].first_chunk() {
                        Some(values) => *row = *values,
                        None => copy_edge(&values[col..], row),
                    }
                }
            }
        }
    }
}

/// a: (m, k), right: (k, n); the sink takes (m, n).
pub(super) fn multiply_blocks<K: Sink<f32>>(
    engine: &Engine,
    a: &[f32],
    (k, n): (usize, usize),
    right: Right,
    sink: K,
) -> Result<()> {
    let m = rows_of(a.len(), (k, n), &sink)?;
    let mut sink = sink.open(PRODUCT, (m, n))?;
    by_blocks(engine, (m, n), &mut sink, |row, rows, out| {
        multiply(engine, &a[row * k..][..rows * k], k, n, &right, out);
        Ok(())
    })
}

/// `out = a b`. a: (m, k), b: (k, n), out: (m, n).
pub(crate) fn multiply_reals(engine: &Engine, a: &[f32], b: &[f32], (k, n): (usize, usize), out: &mut [f32]) {
    multiply(engine, a, k, n, &Right::Real(b, n), out);
}

fn multiply(engine: &Engine, a: &[f32], k: usize, n: usize, right: &Right, out: &mut [f32]) {
    if k == 0 {
        out.fill(0.0);
    }
    let work = a.len().saturating_mul(n) / 8;
    engine.tiles(out, n, work, |tile| multiply_tile(engine.isa(), a, k, right, tile));
}

fn multiply_tile(isa: Isa, a: &[f32], k: usize, right: &Right, tile: &mut Tile<f32>) {
    let (rows, cols) = (tile.rows(), tile.cols());
    let mut left = scratch(rows * KC.min(k));
    let mut panel = scratch(KC.min(k));
    for k0 in (0..k).step_by(KC) {
        let depth = KC.min(k - k0);
        let (left, panel) = (&mut left[..rows * depth], &mut panel[..depth]);
        pack_left(&a[tile.row * k..], k, k0, depth, left);
        for col in (0..cols).step_by(NR) {
            right.panel(isa, k0, tile.col + col, panel);
            micro_tiles(isa, left, panel, k0 == 0, col, tile);
        }
    }
}

/// Copies a, (.., k), to `left`: strips of up to `MR` rows, each (depth, rows).
fn pack_left(a: &[f32], k: usize, k0: usize, depth: usize, left: &mut [f32]) {
    for (index, panel) in left.chunks_mut(MR * depth).enumerate() {
        let rows = panel.len() / depth;
        for r in 0..rows {
            let a = &a[(index * MR + r) * k + k0..][..depth];
            panel.iter_mut().skip(r).step_by(rows).zip(a).for_each(|(to, from)| *to = *from);
        }
    }
}

const ONE: u32 = 1.0f32.to_bits();

simd! {
    /// Expands ternaries. sign, nonzero: (k, n) bits.
    fn ternary_panel<S>(_s: S, sign: BitView, nonzero: BitView, k: usize, col: usize, panel: &mut [[f32; NR]]) {
        let (word, shift) = (col / 64, col % 64);
        for (row, k) in panel.iter_mut().zip(k..) {
            let minus = !(sign.row(k)[word] >> shift) as u32;
            let nonzero = (nonzero.row(k)[word] >> shift) as u32;
            for (j, value) in row.iter_mut().enumerate() {
                let exists = 0u32.wrapping_sub(nonzero >> j & 1);
                *value = f32::from_bits((ONE | (minus >> j & 1) << 31) & exists);
            }
        }
    }
}

simd! {
    /// Starts or continues the sums of columns `col..col + NR` of the tile. left: strips by `pack_left`,
    /// panel: (depth, NR).
    fn micro_tiles<S>(_s: S, left: &[f32], panel: &[[f32; NR]], start: bool, col: usize, tile: &mut Tile<f32>) {
        for (left, row) in left.chunks(MR * panel.len()).zip((0..).step_by(MR)) {
            match tile.rows() - row {
                MR.. => micro_tile::<MR>(left, panel, start, col, tile.some_rows(row)),
                4 => micro_tile::<4>(left, panel, start, col, tile.some_rows(row)),
                3 => micro_tile::<3>(left, panel, start, col, tile.some_rows(row)),
                2 => micro_tile::<2>(left, panel, start, col, tile.some_rows(row)),
                _ => micro_tile::<1>(left, panel, start, col, tile.some_rows(row)),
            }
        }
    }
}

#[inline(always)]
fn micro_tile<const R: usize>(
    left: &[f32],
    panel: &[[f32; NR]],
    start: bool,
    col: usize,
    out: [&mut [f32]; R],
) {
    let mut sums = [[0.0; NR]; R];
    if !start {
        for (sums, out) in sums.iter_mut().zip(&out) {
            match out[col..].first_chunk() {
                Some(out) => *sums = *out,
                None => copy_edge(&out[col..], sums),
            }
        }
    }
    for (a, b) in left.as_chunks::<R>().0.iter().zip(panel) {
        for (sums, a) in sums.iter_mut().zip(a) {
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum += a * b;
            }
        }
    }
    for (sums, out) in sums.iter().zip(out) {
        match out[col..].first_chunk_mut() {
            Some(out) => *out = *sums,
            None => copy_edge(sums, &mut out[col..]),
        }
    }
}

/// Copies the common length. A call, so that the copies of whole rows above stay two moves each.
#[cold]
fn copy_edge(from: &[f32], to: &mut [f32]) {
    let width = from.len().min(to.len());
    to[..width].copy_from_slice(&from[..width]);
}
