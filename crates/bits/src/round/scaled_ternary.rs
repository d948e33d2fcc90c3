//! Gradients rounded to -1, 0 and +1, with a scale for each row, as bit planes.
//!
//! ```
//! use onebit_bits::{Engine, Noise, Panels, ScaledTernary, product, random_bits};
//!
//! let (engine, mut dy) = (Engine::single(), ScaledTernary::new());
//! // dy: (b = 1, o = 3)
//! dy.round(&engine, 1, 3, &[0.5, 0.0, -0.5], Noise { seed: 1, step: 0 })?;
//! assert_eq!(dy.scales(), [0.5]);
//! assert_eq!([0, 1, 2].map(|o| dy.values().get(0, o)), [1, 0, -1]);
//! let w = random_bits(1, 0, 3, 2); // (o = 3, i = 2)
//! let mut dx = [0.0; 2];
//! product(&engine, &dy, &Panels::of_columns(&engine, w.view()), &mut dx[..])?;
//! let sign = |o| f32::from(i8::from(w.get(o, 0))) * 2.0 - 1.0;
//! assert_eq!(dx[0], 0.5 * (sign(0) - sign(2)));
//! # Ok::<(), onebit_bits::Error>(())
//! ```

use alloc::vec::Vec;
use core::ops::Range;

use super::{
    noise::{Noise, hash},
    stochastic::{column_scales, floor, row_scales},
};
use crate::{
    error::{Result, check_len},
    machine::{Engine, SharedSlice, simd},
    tensor::{Ternary, compare_pairs, transpose_block},
};

/// Rows of -1, 0 and +1, each with a scale: `a_mk = scale_m value_mk`, (m, k).
///
/// Each rounding replaces the contents and reuses the memory.
#[derive(Clone, Debug, Default)]
pub struct ScaledTernary {
    values: Ternary,
    scales: Vec<f32>,
}

impl ScaledTernary {
    /// An empty matrix; allocates nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Rounds a, (m, k), up or down at random, to the values of [`Int8::round`](crate::Int8::round) with the
    /// limit 1.
    ///
    /// # Errors
    /// [`Error::Length`](crate::Error::Length) unless `a` has `rows * cols` values.
    pub fn round(
        &mut self,
        engine: &Engine,
        rows: usize,
        cols: usize,
        a: &[f32],
        noise: Noise,
    ) -> Result<()> {
        check_len("ScaledTernary::round", "a", (rows, cols), a.len())?;
        let (height, width) = (WORK_PER_JOB.div_ceil(cols.max(1)), cols.div_ceil(64).max(1));
        self.jobs(engine, (rows, cols), height, |rows, signs, nonzeros, scales| {
            let lines = signs.chunks_exact_mut(width).zip(nonzeros.chunks_exact_mut(width)).zip(scales);
            for (row, ((sign, nonzero), scale)) in rows.zip(lines) {
                *scale = round_row(engine.isa(), &a[row * cols..][..cols], noise.key(row), sign, nonzero);
            }
        });
        Ok(())
    }

    /// Rounds the transpose of a, (k, m), to the values of
    /// [`Int8::round_transposed`](crate::Int8::round_transposed) with the limit 1; `rows` and `cols` are
    /// those of `a`.
    ///
    /// # Errors
    /// [`Error::Length`](crate::Error::Length) unless `a` has `rows * cols` values.
    pub fn round_transposed(
        &mut self,
        engine: &Engine,
        rows: usize,
        cols: usize,
        a: &[f32],
        noise: Noise,
    ) -> Result<()> {
        check_len("ScaledTernary::round_transposed", "a", (rows, cols), a.len())?;
        self.jobs(engine, (cols, rows), BLOCK, |columns, signs, nonzeros, scales| {
            round_columns(engine.isa(), a, cols, columns.start, noise, signs, nonzeros, scales);
        });
        Ok(())
    }

    /// Resizes to (rows, cols), and calls `job(rows, signs, nonzeros, scales)` for `height` rows at a time.
    fn jobs(
        &mut self,
        engine: &Engine,
        (rows, cols): (usize, usize),
        height: usize,
        job: impl Fn(Range<usize>, &mut [u64], &mut [u64], &mut [f32]) + Sync,
    ) {
        self.scales.clear();
        self.scales.resize(rows, 0.0);
        let (signs, nonzeros) = self.values.reset(rows, cols);
        let width = signs.words_per_row();
        let (signs, nonzeros) = (SharedSlice::new(signs.words_mut()), SharedSlice::new(nonzeros.words_mut()));
        let scales = SharedSlice::new(&mut self.scales);
        engine.each_index(rows.div_ceil(height), |index| {
            let rows = index * height..rows.min((index + 1) * height);
            let words = rows.start * width..rows.end * width;
            // SAFETY: within the planes and the scales, and every row comes once.
            let (signs, nonzeros, scales) =
                unsafe { (signs.part(words.clone()), nonzeros.part(words), scales.part(rows.clone())) };
            job(rows, signs, nonzeros, scales);
        });
    }

    /// The values, (m, k).
    #[must_use]
    pub fn values(&self) -> &Ternary {
        &self.values
    }

    /// The scale of each row: (m).
    #[must_use]
    pub fn scales(&self) -> &[f32] {
        &self.scales
    }
}

/// Elements of a job: some microseconds of rounding.
const WORK_PER_JOB: usize = 1 << 14;

/// Columns that are transposed at once: several cache lines of each row.
const BLOCK: usize = 256;

/// Signs and magnitudes of up to 64 values, rounded by the inverses of their scales.
#[inline(always)]
fn round_word(a: &[f32], inverse: &[f32; 64], key: u32, first: usize) -> [u64; 2] {
    let mut part = [0.0; 64];
    let a = a.first_chunk().unwrap_or_else(|| {
        for (to, a) in part.iter_mut().zip(a) {
            *to = *a;
        }
        &part
    });
    let mut values = [0i8; 64];
    for (at, (value, (a, inverse))) in values.iter_mut().zip(a.iter().zip(inverse)).enumerate() {
        // 0 times infinity is NaN, which must not be rounded
        let y = if *inverse == 0.0 { 0.0 } else { a * inverse };
        *value = floor(y, hash(key, first + at));
    }
    let sign = compare_pairs(&values, &[0; 64], |value, zero| value > zero);
    [sign, sign | compare_pairs(&values, &[0; 64], |value, zero: i8| value < zero)]
}

simd! {
    /// Returns the scale.
    fn round_row<S>(_s: S, a: &[f32], key: u32, sign: &mut [u64], nonzero: &mut [u64]) -> f32 {
        let (scale, inverse) = row_scales(a, 1.0);
        for (word, (a, (sign, nonzero))) in a.chunks(64).zip(sign.iter_mut().zip(nonzero)).enumerate() {
            [*sign, *nonzero] = round_word(a, &[inverse; 64], key, 64 * word);
        }
        scale
    }
}

simd! {
    /// a: (k, m), of which columns `first..` become planes: (up to [`BLOCK`], words of k).
    fn round_columns<S>(_s: S,
        a: &[f32], m: usize, first: usize, noise: Noise, sign: &mut [u64], nonzero: &mut [u64], scale: &mut [f32],
    ) {
        let width = scale.len();
        let inverse: [f32; BLOCK] = column_scales(a, m, first, 1.0, scale);
        let words = sign.len() / width;
        for (word, rows) in a.chunks(64 * m).enumerate() {
            let mut planes = [[[0; 64]; 2]; BLOCK / 64];
            for (r, row) in rows.chunks_exact(m).enumerate() {
                let (key, row) = (noise.key(64 * word + r), &row[first..][..width]);
                for (at, (a, inverse)) in row.chunks(64).zip(inverse.as_chunks().0).enumerate() {
                    let [signs, nonzeros] = round_word(a, inverse, key, first + 64 * at);
                    (planes[at][0][r], planes[at][1][r]) = (signs, nonzeros);
                }
            }
            let lines = sign.chunks_mut(64 * words).zip(nonzero.chunks_mut(64 * words));
            for ((sign, nonzero), [signs, nonzeros]) in lines.zip(&mut planes) {
                for (plane, block) in [(sign, signs), (nonzero, nonzeros)] {
                    transpose_block(block);
                    for (line, bits) in plane.chunks_exact_mut(words).zip(block) {
                        line[word] = *bits;
                    }
                }
            }
        }
    }
}
