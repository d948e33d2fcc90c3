//! The yardstick: the same product in f32, by the crate `gemm-f32`.

use alloc::{vec, vec::Vec};
use gemm_common::Parallelism;

use super::{
    operands,
    run::{Product, Run, Size},
};
use crate::error::Result;

/// A matrix product in f32, from the same layouts as the kernel's: x: (m, k), w: (n, k), dy: (m, n), by rows.
pub struct Float {
    parallelism: Parallelism,
    /// Rows, columns, and the length of a sum.
    rows: usize,
    cols: usize,
    depth: usize,
    left: Strided,
    right: Strided,
    /// (rows, cols)
    out: Vec<f32>,
}

/// A matrix whose element (r, c) is at `r * row + c * col`.
struct Strided {
    values: Vec<f32>,
    row: usize,
    col: usize,
}

impl Strided {
    /// By rows.
    fn new(which: u64, rows: usize, cols: usize) -> Self {
        Self { values: operands::reals(which, rows * cols), row: cols, col: 1 }
    }

    fn transposed(self) -> Self {
        Self { row: self.col, col: self.row, ..self }
    }

    /// Whether the element (rows - 1, cols - 1) exists, and with it all others.
    fn holds(&self, rows: usize, cols: usize) -> bool {
        rows == 0 || cols == 0 || (rows - 1) * self.row + (cols - 1) * self.col < self.values.len()
    }
}

impl Float {
    pub(super) fn new(threads: usize, product: Product, Size { m, n, k }: Size) -> Self {
        let ((rows, cols, depth), left, right) = match product {
            Product::Forward => ((m, n, k), Strided::new(0, m, k), Strided::new(1, n, k).transposed()),
            Product::InputGradient => ((m, k, n), Strided::new(2, m, n), Strided::new(1, n, k)),
            Product::WeightGradient => ((n, k, m), Strided::new(2, m, n).transposed(), Strided::new(0, m, k)),
        };
        assert!(left.holds(rows, depth) && right.holds(depth, cols));
        // 0 would be all cores
        let parallelism = if threads > 1 { Parallelism::Rayon(threads) } else { Parallelism::None };
        Self { parallelism, rows, cols, depth, left, right, out: vec![0.0; rows * cols] }
    }
}

impl Run for Float {
    fn run(&mut self) -> Result<()> {
        let (left, right) = (&self.left, &self.right);
        // The kernels of `gemm-f32` prefer results by columns, so that they are given out^T = right^T left^T.
        let gemm = gemm_f32::gemm::f32::get_gemm_fn();
        // SAFETY: the operands hold every element (rows, depth) and (depth, cols) at their strides, which
        // `new` checked, and `out` has rows of `cols`; it is not read, and nobody else has it.
        unsafe {
            gemm(
                self.cols,
                self.rows,
                self.depth,
                self.out.as_mut_ptr(),
                self.cols as isize,
                1,
                false,
                right.values.as_ptr(),
                right.row as isize,
                right.col as isize,
                left.values.as_ptr(),
                left.row as isize,
                left.col as isize,
                0.0,
                1.0,
                false,
                false,
                false,
                self.parallelism,
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_yardstick_multiplies() {
        let size = Size { m: 3, n: 5, k: 7 };
        let (x, w, dy) = (operands::reals(0, 21), operands::reals(1, 35), operands::reals(2, 15));
        let sum = |depth, term: &dyn Fn(usize) -> f32| (0..depth).map(term).sum::<f32>();
        let check = |product, cols: usize, expected: &dyn Fn(usize, usize) -> f32| {
            for threads in [1, 2] {
                let mut float = Float::new(threads, product, size);
                float.run().unwrap();
                for (at, out) in float.out.iter().enumerate() {
                    let expected = expected(at / cols, at % cols);
                    assert!((out - expected).abs() < 1e-5, "{product:?} {at}: {out}, not {expected}");
                }
            }
        };
        check(Product::Forward, 5, &|b, o| sum(7, &|i| x[b * 7 + i] * w[o * 7 + i]));
        check(Product::InputGradient, 7, &|b, i| sum(5, &|o| dy[b * 5 + o] * w[o * 7 + i]));
        check(Product::WeightGradient, 7, &|o, i| sum(3, &|b| dy[b * 5 + o] * x[b * 7 + i]));
    }
}
