//! The product of numbers with packed bits where tables fit a shuffle of 16 bytes or of eight f32: see
//! `tiles.rs`.

use super::contract::{Block, Done, Numbers};
use crate::{
    machine::{Ahead, scratch},
    panels::Panels,
    simd::Simd,
};

/// Rows whose tables a panel uses at once.
pub(crate) const ROWS: usize = 4;

/// Bytes of bits of a chunk: 64 groups of four bits.
pub(crate) const CHUNK: usize = 32;

/// Adds up a block. sums: (height, stride).
#[inline(always)]
pub(super) fn add_up<S: Simd, L: Numbers>(
    s: S,
    left: &L,
    right: &[&Panels],
    block: &Block<L::Out>,
    sums: &mut [L::Sum],
    done: Done<'_, L::Sum>,
) {
    let bytes = left.shape().1.div_ceil(8);
    let mut tables = scratch(block.height * CHUNK.min(bytes));
    let mut ahead = Ahead::new();
    for first in (0..bytes.max(1)).step_by(CHUNK) {
        let chunk = CHUNK.min(bytes - first);
        let tables = &mut tables[..block.height * chunk];
        for (r, tables) in tables.chunks_exact_mut(chunk.max(1)).enumerate() {
            left.fill(block.first + r, first, tables);
        }
        let last = first + chunk == bytes;
        let mut run = block.run(block.panels.start, last);
        while !run.is_empty() {
            for panel in run.clone() {
                let sums = &mut sums[(panel - block.panels.start) * S::LANES..];
                block.look_ahead(panel, last, &mut ahead);
                ahead.ask(usize::MAX);
                for (which, right) in right.iter().enumerate() {
                    let bytes = &right.panel(panel)[first * S::LANES..][..chunk * S::LANES];
                    // the hardware cannot guess where the chunk of the next panel begins
                    for line in bytes.chunks(64) {
                        s.prefetch(line.as_ptr().wrapping_add(right.depth() * S::LANES));
                    }
                    let start = first == 0 && which == 0;
                    match block.height {
                        1 => L::add::<S, 1>(s, tables, bytes, start, sums, block.stride),
                        2 => L::add::<S, 2>(s, tables, bytes, start, sums, block.stride),
                        _ => L::add::<S, ROWS>(s, tables, bytes, start, sums, block.stride),
                    }
                }
            }
            if last {
                done(sums, run.clone());
            }
            run = block.run(run.end, last);
        }
    }
}
