//! Convolution as a product: the bits that an output pixel sees, its *patch*, are a row of the left operand.
//!
//! A patch is `kh * kw * c` bits, a 32nd of its size in f32. Patches of some hundred pixels at a time are
//! gathered into memory that stays in the L2 cache, so the matrix of all of them never exists.

use core::ops::Range;

use super::{
    shape::{Pad, Walk},
    weights::ConvWeights,
};
use crate::{
    bits_x_bits::{Rows, Signs, count_rows, height, tile},
    machine::{Engine, scratch, simd},
    panels::{Cell, Panels},
    product::{Put, put_rows},
    simd::Simd,
    tensor::{BitView, Bits, copy, put},
};

/// Most output pixels of a job.
const TALLEST: usize = 128;

/// Gathers patches, tile by tile, and multiplies.
pub(crate) fn conv_by_patches<K: Put<i32>>(
    engine: &Engine,
    walk: &Walk,
    x: BitView,
    weights: &ConvWeights,
    jobs: usize,
    sink: &K,
) {
    let pixels = walk.pixels().1;
    let height = TALLEST.min(pixels.div_ceil(jobs).next_multiple_of(8));
    let outputs = walk.conv.of_group().1;
    engine.each_index(pixels.div_ceil(height), |job| {
        let pixels = job * height..pixels.min((job + 1) * height);
        for (group, panels) in weights.groups.iter().enumerate() {
            let part = Part { sink, row: pixels.start, col: group * outputs };
            if counts_words(walk, panels) {
                count_patches(engine.isa(), walk, x, group, pixels.clone(), panels, &part);
                continue;
            }
            let words = pixels.len() * panels.k().div_ceil(64);
            let (mut sign, mut nonzero) = (scratch(words), scratch(words));
            gather(walk, x, group, pixels.clone(), walk.conv.pad == Pad::Plus, &mut sign);
            let mut left = Signs::bits(view(panels.k(), pixels.len(), &sign));
            if walk.conv.pad == Pad::Zero && gather_inside(walk, pixels.clone(), &mut nonzero) {
                left.nonzero = Some(view(panels.k(), pixels.len(), &nonzero));
            }
            let across = 0..panels.n().div_ceil(panels.lanes());
            tile(engine, left, panels, 0..pixels.len(), across, &part);
        }
    });
}

/// Whether each tap is whole words of bits, so that patches can be prepared for counting without being
/// gathered.
fn counts_words(walk: &Walk, panels: &Panels) -> bool {
    panels.cell() == Cell::Word && walk.conv.of_group().0.is_multiple_of(64) && walk.conv.pad != Pad::Zero
}

simd! {
    fn count_patches<S, K: Put<i32>>(
        s: S, walk: &Walk, x: BitView, group: usize, pixels: Range<usize>, panels: &Panels, sink: &K,
    ) {
        let (words, conv) = (walk.conv.of_group().0 / 64, &walk.conv);
        let outside = if conv.pad == Pad::Plus { !0 } else { 0 };
        let mut place = walk.place(pixels.start);
        let rows = Rows::of_bits(panels.k(), 0..pixels.len(), height::<S>, |_, cells| {
            let col = place.x * conv.stride.1;
            for ky in 0..conv.kernel.0 {
                let row = walk.row(place.y * conv.stride.0 + ky);
                let pixel = |row, col| (place.image * walk.input.h + row) * walk.input.w + col;
                // the taps of a row lie side by side if they are whole pixels and none lies outside
                match (row, walk.col(col), walk.col(col + conv.kernel.1 - 1)) {
                    (Some(row), Some(first), Some(_)) if conv.groups == 1 => {
                        cells.extend(&x.words()[pixel(row, first) * words..][..conv.kernel.1 * words]);
                    }
                    _ => {
                        for kx in 0..conv.kernel.1 {
                            match (row, walk.col(col + kx)) {
                                (Some(row), Some(col)) => {
                                    cells.extend(&x.row(pixel(row, col))[group * words..][..words]);
                                }
                                _ => (0..words).for_each(|_| cells.extend(&[outside])),
                            }
                        }
                    }
                }
            }
            walk.next(&mut place);
        });
        count_rows(s, rows, panels, 0..panels.n().div_ceil(panels.lanes()), sink);
    }
}

/// A part of a sink, whose row 0 and column 0 are row `row` and column `col` of the whole.
pub(crate) struct Part<'a, K> {
    pub(crate) sink: &'a K,
    pub(crate) row: usize,
    pub(crate) col: usize,
}

impl<K: Put<i32>> Put<i32> for Part<'_, K> {
    #[inline(always)]
    fn put(&self, row: usize, col: usize, sums: &[i32]) {
        let (row, col) = (self.row + row, self.col + col);
        // a run of the sink must not cross a multiple of 64
        let (sums, rest) = sums.split_at(sums.len().min(64 - col % 64));
        self.sink.put(row, col, sums);
        if !rest.is_empty() {
            self.sink.put(row, col + sums.len(), rest);
        }
    }

    #[inline(always)]
    fn put_tile<S: Simd, const R: usize, const A: usize>(
        &self,
        s: S,
        row: usize,
        col: usize,
        sums: &[[S::V; A]; R],
    ) {
        if (self.col + col) % 64 + A * S::LANES / 4 > 64 {
            put_rows(self, s, row, col, sums);
        } else {
            self.sink.put_tile(s, self.row + row, self.col + col, sums);
        }
    }
}

pub(crate) fn view(k: usize, rows: usize, words: &[u64]) -> BitView<'_> {
    Bits::from_words(rows, k, words).expect("gathered rows are whole and padded with zeros")
}

/// Gathers patches: (pixels, kh * kw * c) bits of the channels of `group`; `outside` is the value of the
/// padding.
pub(crate) fn gather(
    walk: &Walk,
    x: BitView,
    group: usize,
    pixels: Range<usize>,
    outside: bool,
    patches: &mut [u64],
) {
    let channels = walk.conv.of_group().0;
    let per_pixel = (walk.conv.kernel.0 * walk.conv.kernel.1 * channels).div_ceil(64);
    patches.fill(0);
    for (pixel, patch) in pixels.zip(patches.chunks_exact_mut(per_pixel.max(1))) {
        walk.each_tap(pixel, |tap, from| match from {
            Some(from) => copy(x.row(from), group * channels, patch, tap * channels, channels),
            None if outside => put_ones(patch, tap * channels, channels),
            None => {}
        });
    }
}

/// Sets inside, (pixels, kh * kw * c) bits, to 1 where a tap lies within the image. Returns whether any lies
/// outside.
fn gather_inside(walk: &Walk, pixels: Range<usize>, inside: &mut [u64]) -> bool {
    let channels = walk.conv.of_group().0;
    let per_pixel = (walk.conv.kernel.0 * walk.conv.kernel.1 * channels).div_ceil(64);
    let mut any_outside = false;
    inside.fill(0);
    for (pixel, patch) in pixels.zip(inside.chunks_exact_mut(per_pixel.max(1))) {
        walk.each_tap(pixel, |tap, from| match from {
            Some(_) => put_ones(patch, tap * channels, channels),
            None => any_outside = true,
        });
    }
    any_outside
}

/// Sets `len` ones from bit `at` on.
#[inline(always)]
fn put_ones(to: &mut [u64], at: usize, len: usize) {
    for done in (0..len).step_by(64) {
        put(to, at + done, !0 >> (64 - (len - done).min(64)));
    }
}
