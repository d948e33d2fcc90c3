//! Sums over a batch, `N` for each feature.
//!
//! Rows are added in parts, and parts in their order, whatever the threads: see [`Grid`].

use onebit_bits::Engine;

use crate::{
    error::Result,
    numeric::{
        batch_parts::{Grid, Part},
        matrix::Matrix,
    },
};

/// Memory for the sums of parts, kept only to be written again.
#[derive(Default)]
pub(crate) struct BatchSums<T, const N: usize> {
    parts: Vec<T>, // (parts of rows, parts of features, N, features of a part)
}

impl<T: Copy + Default + Into<f64> + Send, const N: usize> BatchSums<T, N> {
    /// `add` adds the rows of a part of `batch` to `N` sums of each of the part's features, which are 0 before.
    pub(crate) fn over(
        &mut self,
        engine: &Engine,
        batch: &Matrix,
        add: impl Fn(Part, [&mut [T]; N]) + Sync,
    ) -> Result<Totals<'_, T, N>> {
        let grid = Grid::over(batch);
        self.parts.resize(N * grid.len(), T::default());
        engine.chunks(&mut self.parts[..], N * grid.width, |first, mut rest| {
            rest.fill(T::default());
            let part = grid.part(first / N);
            add(
                part,
                std::array::from_fn(|_| {
                    let (sums, others) = std::mem::take(&mut rest).split_at_mut(grid.width);
                    rest = others;
                    &mut sums[..part.cols]
                }),
            );
        })?;
        Ok(Totals { grid, parts: &self.parts })
    }
}

/// The sums of all parts.
pub(crate) struct Totals<'a, T, const N: usize> {
    grid: Grid,
    parts: &'a [T],
}

impl<T: Copy + Into<f64>, const N: usize> Totals<'_, T, N> {
    pub(crate) fn of(&self, feature: usize) -> [f64; N] {
        let mut totals = [0.0; N];
        for (place, _) in self.grid.parts_of(feature) {
            let (run, at) = (place / self.grid.width * self.grid.width, place % self.grid.width);
            for (sum, total) in totals.iter_mut().enumerate() {
                *total += self.parts[N * run + sum * self.grid.width + at].into();
            }
        }
        totals
    }
}

/// The rows of a part, each of its features alone.
#[inline(always)]
pub(crate) fn rows_of(batch: &Matrix, part: Part) -> impl Iterator<Item = &[f32]> {
    batch.iter_rows().skip(part.row).take(part.rows).map(move |row| &row[part.col..][..part.cols])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small integers, whose sums are exact: every row and feature is in the right sum, once.
    #[test]
    fn every_value_is_added_once() {
        for (rows, cols) in [(0, 3), (1, 1), (127, 5), (129, 512), (300, 513), (257, 1100)] {
            let values = (0..rows * cols).map(|at| (at * 31 % 17) as f32 - 8.0).collect();
            let x = Matrix::new(rows, cols, values).unwrap();
            for threads in [1, 2] {
                let mut sums = BatchSums::<f32, 2>::default();
                for _ in 0..2 {
                    let totals = sums
                        .over(&Engine::new(threads).unwrap(), &x, |part, [plain, doubled]| {
                            for row in rows_of(&x, part) {
                                for (at, x) in row.iter().enumerate() {
                                    plain[at] += x;
                                    doubled[at] += 2.0 * x;
                                }
                            }
                        })
                        .unwrap();
                    for feature in 0..cols {
                        let sum = x.iter_rows().map(|row| f64::from(row[feature])).sum::<f64>();
                        assert_eq!(totals.of(feature), [sum, 2.0 * sum], "{rows} x {cols}, {feature}");
                    }
                }
            }
        }
    }
}
