//! Gradients as small integers, by stochastic rounding.
//!
//! ```
//! use onebit_bits::{Engine, Int8, Noise};
//!
//! let mut q = Int8::new();
//! // a: (m = 2, k = 2)
//! q.round(&Engine::single(), 2, 2, &[-2.0, 1.0, 0.0, 0.0], Noise { seed: 1, step: 0 })?;
//! assert_eq!(q.scales(), [2.0 / 127.0, 0.0]); // one for each row
//! assert_eq!(q.values()[0], -127);
//! assert!([63, 64].contains(&q.values()[1])); // 63.5
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
};

/// Rows of signed bytes, each with a scale: `a_mk = scale_m value_mk`, with values in -limit..=limit. The
/// limit is 127 unless [set](Self::set_limit).
///
/// Each rounding replaces the contents and reuses the memory.
#[derive(Clone, Debug)]
pub struct Int8 {
    rows: usize,
    cols: usize,
    values: Vec<i8>,
    scales: Vec<f32>,
    limit: u8,
}

impl Int8 {
    /// An empty matrix; allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { rows: 0, cols: 0, values: Vec::new(), scales: Vec::new(), limit: 127 }
    }

    /// Sets the limit of the following roundings, from 1 to 127 (others count as the nearest of these): 1
    /// gives ternaries, 7 gives four bits.
    pub fn set_limit(&mut self, limit: u8) {
        self.limit = limit.clamp(1, 127);
    }

    /// (m, k)
    #[must_use]
    pub fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    /// The bytes, row after row: (m, k).
    #[must_use]
    pub fn values(&self) -> &[i8] {
        &self.values
    }

    /// The scale of each row, `max |a| / limit`: (m).
    #[must_use]
    pub fn scales(&self) -> &[f32] {
        &self.scales
    }

    /// Rounds a, (m, k), up or down at random, so that `E[scale value] = a` to within `2^-16` of a scale.
    ///
    /// `scale_m = max_k |a_mk| / limit` and `value = floor(a / scale + u)`, with u in [0, 1) of 15 binary
    /// digits that depends only on the noise, the row and the column. A row of zeros, or of numbers too small
    /// for a normal scale, has scale 0. A row with an infinity or a NaN has scale NaN and values 0, so that
    /// its products are NaN.
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
        check_len("Int8::round", "a", (rows, cols), a.len())?;
        let (limit, height) = (f32::from(self.limit), ELEMENTS_PER_JOB.div_ceil(cols.max(1)));
        self.jobs(engine, (rows, cols), height, |rows, values, scales| {
            for (at, (row, scale)) in rows.zip(scales).enumerate() {
                let (a, values) = (&a[row * cols..][..cols], &mut values[at * cols..][..cols]);
                *scale = round_row(engine.isa(), a, noise.key(row), limit, values);
            }
        });
        Ok(())
    }

    /// Rounds the transpose of a, (k, m): a gradient dy, (b, o), becomes o rows of b values, each with the
    /// scale of its output. The noise depends on the element's place in `a`; `rows` and `cols` are those of
    /// `a`.
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
        check_len("Int8::round_transposed", "a", (rows, cols), a.len())?;
        let limit = f32::from(self.limit);
        self.jobs(engine, (cols, rows), BLOCK, |columns, values, scales| {
            round_columns(engine.isa(), a, cols, columns.start, noise, limit, values, scales);
        });
        Ok(())
    }

    /// Resizes to (rows, cols), and calls `job(rows, values, scales)` for `height` rows at a time.
    fn jobs(
        &mut self,
        engine: &Engine,
        (rows, cols): (usize, usize),
        height: usize,
        job: impl Fn(Range<usize>, &mut [i8], &mut [f32]) + Sync,
    ) {
        (self.rows, self.cols) = (rows, cols);
        self.values.resize(rows * cols, 0);
        self.scales.resize(rows, 0.0);
        let (values, scales) = (SharedSlice::new(&mut self.values), SharedSlice::new(&mut self.scales));
        engine.each_index(rows.div_ceil(height), |index| {
            let rows = index * height..rows.min((index + 1) * height);
            // SAFETY: within the slices, and every row comes once.
            let (values, scales) =
                unsafe { (values.part(rows.start * cols..rows.end * cols), scales.part(rows.clone())) };
            job(rows, values, scales);
        });
    }
}

impl Default for Int8 {
    fn default() -> Self {
        Self::new()
    }
}

/// Elements of a job: some microseconds of rounding.
const ELEMENTS_PER_JOB: usize = 1 << 14;

/// Columns that are transposed at once: whole cache lines of f32.
const BLOCK: usize = 64;

simd! {
    /// Returns the scale.
    fn round_row<S>(_s: S, a: &[f32], key: u32, limit: f32, values: &mut [i8]) -> f32 {
        let (scale, inverse) = row_scales(a, limit);
        if inverse == 0.0 {
            values.fill(0);
            return scale;
        }
        for (col, (value, a)) in values.iter_mut().zip(a).enumerate() {
            *value = floor(a * inverse, hash(key, col));
        }
        scale
    }
}

simd! {
    /// a: (k, m), of which columns `first..` become values: (up to 64, k).
    fn round_columns<S>(_s: S,
        a: &[f32], m: usize, first: usize, noise: Noise, limit: f32, values: &mut [i8], scale: &mut [f32],
    ) {
        let width = scale.len();
        let inverse: [f32; BLOCK] = column_scales(a, m, first, limit, scale);
        let k = values.len() / width;
        let mut block = [[0; BLOCK]; 16];
        for (index, rows) in a.chunks(16 * m).enumerate() {
            let height = rows.len() / m;
            for (r, (line, row)) in block.iter_mut().zip(rows.chunks_exact(m)).enumerate() {
                let key = noise.key(16 * index + r);
                for (c, (value, a)) in line.iter_mut().zip(&row[first..][..width]).enumerate() {
                    // 0 times infinity is NaN, which must not be rounded
                    let y = if inverse[c] == 0.0 { 0.0 } else { a * inverse[c] };
                    *value = floor(y, hash(key, first + c));
                }
            }
            for (c, values) in values.chunks_exact_mut(k).enumerate() {
                for (value, line) in values[16 * index..][..height].iter_mut().zip(&block) {
                    *value = line[c];
                }
            }
        }
    }
}
