//! Sums over a batch, `N` for each feature.
//!
//! Rows are added in blocks, and blocks in order, whatever the number of threads: see [`Grid`].

use onebit_bits::Engine;

use crate::{
    error::Result,
    numeric::{
        batch_blocks::{Block, Grid},
        matrix::Matrix,
    },
};

/// A reusable buffer for the sums of blocks.
#[derive(Default)]
pub(crate) struct BatchSums<T, const N: usize> {
    sums: Vec<T>, // (blocks of rows, blocks of features, N, features of a block)
}

impl<T: Copy + Default + Into<f64> + Send, const N: usize> BatchSums<T, N> {
    /// Sums over `batch`: `add` adds the rows of a block to the `N` sums of each of its features, which start
    /// at 0.
    pub(crate) fn over(
        &mut self,
        engine: &Engine,
        batch: &Matrix,
        add: impl Fn(Block, [&mut [T]; N]) + Sync,
    ) -> Result<Totals<'_, T, N>> {
        let grid = Grid::over(batch);
        self.sums.resize(N * grid.len(), T::default());
        engine.chunks(&mut self.sums[..], N * grid.width, |first, mut rest| {
            rest.fill(T::default());
            let block = grid.block(first / N);
            add(
                block,
                std::array::from_fn(|_| {
                    let (sums, others) = std::mem::take(&mut rest).split_at_mut(grid.width);
                    rest = others;
                    &mut sums[..block.cols]
                }),
            );
        })?;
        Ok(Totals { grid, sums: &self.sums })
    }
}

/// The sums of all blocks.
pub(crate) struct Totals<'a, T, const N: usize> {
    grid: Grid,
    sums: &'a [T],
}

impl<T: Copy + Into<f64>, const N: usize> Totals<'_, T, N> {
    /// The `N` sums of a feature, over the blocks in order.
    pub(crate) fn of(&self, feature: usize) -> [f64; N] {
        let mut totals = [0.0; N];
        for (slot, _) in self.grid.blocks_of(feature) {
            let (block, at) = (slot / self.grid.width * self.grid.width, slot % self.grid.width);
            for (sum, total) in totals.iter_mut().enumerate() {
                *total += self.sums[N * block + sum * self.grid.width + at].into();
            }
        }
        totals
    }
}

/// The rows of a block, each cut to the features of the block.
#[inline(always)]
pub(crate) fn rows_of(batch: &Matrix, block: Block) -> impl Iterator<Item = &[f32]> {
    batch.iter_rows().skip(block.row).take(block.rows).map(move |row| &row[block.col..][..block.cols])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums of small integers are exact, so they show that every value is in the right sum, once.
    #[test]
    fn every_value_is_added_once() {
        for (rows, cols) in [(0, 3), (1, 1), (127, 5), (129, 512), (300, 513), (257, 1100)] {
            let values = (0..rows * cols).map(|at| (at * 31 % 17) as f32 - 8.0).collect();
            let x = Matrix::new(rows, cols, values).unwrap();
            for threads in [1, 2] {
                let mut sums = BatchSums::<f32, 2>::default();
                for _ in 0..2 {
                    let totals = sums
                        .over(&Engine::new(threads).unwrap(), &x, |block, [plain, doubled]| {
                            for row in rows_of(&x, block) {
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
