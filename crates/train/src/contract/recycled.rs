//! A buffer pool: each step reuses the buffers of the previous one, so steady-state training does not
//! allocate.
//!
//! A layer takes its output buffers from its [`Context`](crate::contract::context::Context), and returns the
//! values it has kept once a new forward pass makes them useless. Both are optional: a buffer that is not
//! returned is freed like any other, and a buffer that the pool lacks is allocated.

use std::sync::{Arc, Mutex, PoisonError};

use onebit_bits::BitTensor;

use crate::{contract::value::Value, numeric::matrix::Matrix};

/// Buffers that are not in use.
#[derive(Clone, Debug, Default)]
pub(crate) struct BufferPool(Arc<Mutex<Shelves>>);

#[derive(Debug, Default)]
struct Shelves {
    reals: Shelf<f32>,
    words: Shelf<u64>,
    bytes: Shelf<u8>,
}

/// Buffers of one element type. It holds at most as many buffers as it has lent, so that foreign memory does
/// not pile up.
#[derive(Debug, Default)]
struct Shelf<T> {
    free: Vec<Vec<T>>,
    lent: usize,
}

impl<T: Copy + Default> Shelf<T> {
    /// Returns the smallest vector that is large enough, with `len` elements, all 0 if `zeros`, else
    /// arbitrary. If none is large enough, a new one replaces the largest, so that the number of vectors
    /// stays the most ever lent at once.
    fn take(&mut self, len: usize, zeros: bool) -> Vec<T> {
        self.lent += 1;
        let sizes = || self.free.iter().map(Vec::capacity).enumerate();
        let fitting = sizes().filter(|(_, size)| *size >= len).min_by_key(|(_, size)| *size);
        let next = fitting.or_else(|| sizes().max_by_key(|(_, size)| *size));
        let mut it = next.map_or_else(Vec::new, |(index, _)| self.free.swap_remove(index));
        if it.capacity() < len {
            it = Vec::new(); // frees the old one before the new one is allocated
        }
        if zeros {
            it.clear();
        }
        it.resize(len, T::default());
        it
    }

    fn give(&mut self, it: Vec<T>) {
        if self.lent > 0 {
            self.lent -= 1;
            self.free.push(it);
        }
    }
}

impl BufferPool {
    /// A matrix `(rows, cols)` of arbitrary values.
    pub(crate) fn matrix(&self, rows: usize, cols: usize) -> Matrix {
        let values = self.with(|shelves| shelves.reals.take(rows * cols, false));
        Matrix::new(rows, cols, values).expect("rows * cols values")
    }

    /// Bits `(rows, cols)`, all 0.
    pub(crate) fn bits(&self, rows: usize, cols: usize) -> BitTensor {
        let words = self.with(|shelves| shelves.words.take(rows * cols.div_ceil(64), true));
        BitTensor::from_words(rows, cols, words).expect("a word for each 64 columns, all 0")
    }

    /// `len` arbitrary bytes.
    pub(crate) fn bytes(&self, len: usize) -> Vec<u8> {
        self.with(|shelves| shelves.bytes.take(len, false))
    }

    /// Takes back the memory of a value.
    pub(crate) fn give(&self, value: Value) {
        self.with(|Shelves { reals, words, bytes }| match value {
            Value::Real(matrix) => reals.give(matrix.into_values()),
            Value::Bytes(it) => bytes.give(it.into_values()),
            Value::Bits(bits) => words.give(bits.into_words()),
            Value::Ternary(ternary, _) => {
                let (sign, nonzero) = ternary.into_planes();
                words.give(sign.into_words());
                words.give(nonzero.into_words());
            }
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut Shelves) -> T) -> T {
        // unused vectors are valid whatever a panicking thread did
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_back_and_the_smallest_that_fits_is_lent() {
        let pool = BufferPool::default();
        let (small, large) = (pool.matrix(2, 3), pool.matrix(10, 10));
        let places = [&small, &large].map(|it| it.values().as_ptr());
        pool.give(Value::Real(large));
        pool.give(Value::Real(small));
        let (again, other) = (pool.matrix(5, 1), pool.matrix(1, 5));
        assert_eq!([&again, &other].map(|it| it.values().as_ptr()), places);
        assert_eq!(again.shape(), (5, 1));
    }

    #[test]
    fn growing_sizes_do_not_leave_smaller_buffers() {
        let pool = BufferPool::default();
        for rows in 1..100 {
            pool.give(Value::Real(pool.matrix(rows, 10)));
        }
        assert_eq!(pool.with(|shelves| shelves.reals.free.iter().map(Vec::len).collect::<Vec<_>>()), [990]);
    }

    #[test]
    fn bits_come_back_as_zeros() {
        let pool = BufferPool::default();
        let mut bits = pool.bits(3, 100);
        bits.flip(onebit_bits::random_bits(1, 0, 3, 100).view()).unwrap();
        let place = bits.words().as_ptr();
        pool.give(Value::Bits(bits));
        let again = pool.bits(2, 70);
        assert_eq!(again, BitTensor::zeros(2, 70));
        assert_eq!(again.words().as_ptr(), place);
    }

    #[test]
    fn foreign_memory_does_not_pile_up() {
        let pool = BufferPool::default();
        let own = pool.matrix(1, 1);
        (0..10).for_each(|_| pool.give(Value::Real(Matrix::zeros(4, 4))));
        pool.give(Value::Real(own));
        assert_eq!(pool.with(|shelves| shelves.reals.free.len()), 1);
    }
}
