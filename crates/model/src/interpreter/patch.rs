//! A patch: the inputs under the kernel of a convolution at one position, in the order of its weights.

use alloc::{vec, vec::Vec};

use onebit_bits::Pad;

use super::{
    dot::{Sum, Value, dot_reals},
    words::{copy, copy_ones, ones},
};
use crate::layer::Conv;

/// A patch of bits or of reals, with room for the largest kernel of a model.
#[derive(Debug)]
pub(super) struct Patch {
    bits: Vec<u64>,
    /// 1 for each bit that counts: all, except taps in padding that counts 0.
    inside: Vec<u64>,
    reals: Vec<f32>,
    /// Number of values in the current patch.
    len: usize,
    /// Number of its bits that count.
    counted: i32,
}

impl Patch {
    /// A patch with room for `words` words of bits and `reals` real numbers.
    pub(super) fn new(words: usize, reals: usize) -> Self {
        Self { bits: vec![0; words], inside: vec![0; words], reals: vec![0.0; reals], len: 0, counted: 0 }
    }

    /// Gathers the inputs of `group` for output pixel `at`, before pooling.
    pub(super) fn gather<W: AsRef<[u64]>>(
        &mut self,
        conv: &Conv<W>,
        at: (usize, usize),
        group: usize,
        x: Value,
    ) {
        let len = conv.weights.cols();
        self.len = len;
        match x {
            Value::Reals(x) => {
                let patch = &mut self.reals[..len];
                patch.fill(0.0);
                each_run(conv, at, group, |from, to, len| {
                    patch[to..to + len].copy_from_slice(&x[from..from + len]);
                });
            }
            Value::Bits(x) => {
                let words = len.div_ceil(64);
                let (bits, inside) = (&mut self.bits[..words], &mut self.inside[..words]);
                bits.fill(0);
                inside.fill(0);
                each_run(conv, at, group, |from, to, len| {
                    copy(x, from, bits, to, len);
                    copy_ones(inside, to, len);
                });
                if conv.geometry.pad == Pad::Plus {
                    bits.iter_mut().zip(&*inside).for_each(|(bits, inside)| *bits |= !inside);
                }
                if conv.geometry.pad != Pad::Zero {
                    inside.fill(!0);
                    inside[words - 1] = ones(len - (words - 1) * 64);
                }
                self.counted = inside.iter().map(|word| word.count_ones() as i32).sum();
            }
        }
    }

    /// The dot product of the current patch, which was gathered from `x`, with the weights of a unit.
    pub(super) fn dot(&self, x: Value, weights: &[u64]) -> Sum {
        match x {
            Value::Reals(_) => Sum::Real(dot_reals(&self.reals[..self.len], weights)),
            Value::Bits(_) => {
                let pairs = self.bits.iter().zip(weights).zip(&self.inside);
                let differ: u32 = pairs.map(|((x, w), inside)| ((x ^ w) & inside).count_ones()).sum();
                Sum::Integer(self.counted - 2 * differ as i32)
            }
        }
    }
}

/// Calls `visit(column of the image, column of the patch, number of columns)` for each run of columns that
/// are contiguous in both: a row of the kernel, or a single tap with groups. Leaves out taps in the padding.
fn each_run<W>(conv: &Conv<W>, at: (usize, usize), group: usize, mut visit: impl FnMut(usize, usize, usize)) {
    let (geometry, (h, w)) = (&conv.geometry, conv.image);
    let channels = geometry.c_in / geometry.groups;
    let (rows, cols) = geometry.kernel;
    // position of the kernel in the padded image
    let (top, left) = (at.0 * geometry.stride.0, at.1 * geometry.stride.1);
    let before = geometry.padding.left;
    let (first, end) = (left.max(before), (left + cols).min(before + w));
    for ky in 0..rows {
        let Some(y) = (top + ky).checked_sub(geometry.padding.top).filter(|y| *y < h) else { continue };
        let taps = end.saturating_sub(first);
        let (runs, len) = if geometry.groups == 1 { (1, taps * channels) } else { (taps, channels) };
        for col in (first..end).take(runs) {
            let from = (y * w + col - before) * geometry.c_in + group * channels;
            visit(from, (ky * cols + col - left) * channels, len);
        }
    }
}
