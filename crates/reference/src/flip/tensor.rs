//! A tensor with the number of its axes in its type: `Tensor<bool, 3>` for (b, d, i), `Tensor<bool, 4>` for
//! (b, d, o, i).
//!
//! ```
//! use onebit_reference::flip::Tensor;
//! let x = Tensor::from_fn([2, 3], |[b, i]| 10 * b + i); // x: (b, i)
//! assert_eq!(x[[1, 2]], 12);
//! assert_eq!(x.data, [0, 1, 2, 10, 11, 12]);
//! ```

use std::ops::{Index, IndexMut};

/// A tensor of `R` axes in row-major order: the last axis varies fastest.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor<T, const R: usize> {
    /// Sizes of the `R` axes.
    pub shape: [usize; R],
    /// The values; their number is the product of `shape`.
    pub data: Vec<T>,
}

/// A tensor of bits: `true` is +1, `false` is -1.
pub type Bits<const R: usize> = Tensor<bool, R>;

impl<T, const R: usize> Tensor<T, R> {
    /// A tensor of the values `data`, whose last axis varies fastest.
    ///
    /// # Panics
    /// If the number of values is not the product of `shape`.
    pub fn new(shape: [usize; R], data: Vec<T>) -> Self {
        assert_eq!(
            data.len(),
            shape.iter().product(),
            "the number of values must be that of shape {shape:?}"
        );
        Self { shape, data }
    }

    /// The tensor whose value at each index is `value(index)`.
    pub fn from_fn(shape: [usize; R], mut value: impl FnMut([usize; R]) -> T) -> Self {
        let len: usize = shape.iter().product();
        let index_of = |mut flat: usize| {
            let mut index = [0; R];
            for axis in (0..R).rev() {
                index[axis] = flat % shape[axis];
                flat /= shape[axis];
            }
            index
        };
        Self { shape, data: (0..len).map(|flat| value(index_of(flat))).collect() }
    }

    /// The position of an index in `data`. Checks each axis, so that no index runs over into the next row.
    fn flat(&self, index: [usize; R]) -> usize {
        index.iter().zip(self.shape).fold(0, |flat, (&at, size)| {
            assert!(at < size, "index {index:?} lies outside of shape {:?}", self.shape);
            flat * size + at
        })
    }
}

impl<T, const R: usize> Index<[usize; R]> for Tensor<T, R> {
    type Output = T;
    fn index(&self, index: [usize; R]) -> &T {
        &self.data[self.flat(index)]
    }
}

impl<T, const R: usize> IndexMut<[usize; R]> for Tensor<T, R> {
    fn index_mut(&mut self, index: [usize; R]) -> &mut T {
        let flat = self.flat(index);
        &mut self.data[flat]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_axis_runs_fastest() {
        let mut t = Tensor::from_fn([2, 3, 4], |index| index);
        assert_eq!(t.data[0], [0, 0, 0]);
        assert_eq!(t.data[1], [0, 0, 1]);
        assert_eq!(t.data[4], [0, 1, 0]);
        assert_eq!(t.data[12], [1, 0, 0]);
        assert_eq!(t.data.len(), 24);
        t[[1, 0, 2]] = [9, 9, 9];
        assert_eq!(t.data[14], [9, 9, 9]);
    }

    #[test]
    #[should_panic(expected = "index [0, 3] lies outside of shape [2, 3]")]
    fn an_index_does_not_run_over_into_the_next_row() {
        let t = Tensor::new([2, 3], vec![0; 6]);
        let _ = t[[0, 3]];
    }

    #[test]
    #[should_panic(expected = "the number of values must be that of shape [2, 3]")]
    fn the_values_must_fill_the_shape() {
        let _ = Tensor::new([2, 3], vec![0; 5]);
    }
}
