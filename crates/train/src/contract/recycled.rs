//! Memory that goes round: a step returns what the step before it was given, and allocates nothing.
//!
//! A layer takes the memory of what it makes from its [`Context`](crate::contract::context::Context), and gives back what it has
//! kept when a new forward pass makes that useless. Both are free to leave: memory that is not given back is
//! dropped like any other, and memory that is not there is allocated.

use std::sync::{Arc, Mutex, PoisonError};

use onebit_bits::BitTensor;

use crate::{contract::value::Value, numeric::matrix::Matrix};

/// Memory that is not in use.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool(Arc<Mutex<Shelves>>);

#[derive(Debug, Default)]
struct Shelves {
    reals: Shelf<f32>,
    words: Shelf<u64>,
    bytes: Shelf<u8>,
}

/// Holds no more than it has lent, so that memory from elsewhere does not pile up in it.
#[derive(Debug, Default)]
struct Shelf<T> {
    there: Vec<Vec<T>>,
    lent: usize,
}

impl<T: Copy + Default> Shelf<T> {
    /// The least vector that is large enough, with `len` elements: zeros, or arbitrary ones. Where none is, a new one takes
    /// the place of the largest, so that there are never more than were lent at once, whatever sizes come.
    fn take(&mut self, len: usize, zeros: bool) -> Vec<T> {
        self.lent += 1;
        let sizes = || self.there.iter().map(Vec::capacity).enumerate();
        let fitting = sizes().filter(|(_, size)| *size >= len).min_by_key(|(_, size)| *size);
        let next = fitting.or_else(|| sizes().max_by_key(|(_, size)| *size));
        let mut it = next.map_or_else(Vec::new, |(index, _)| self.there.swap_remove(index));
        if it.capacity() < len {
            it = Vec::new(); // before the new one is there, so that they are not there both
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
            self.there.push(it);
        }
    }
}

impl Pool {
    /// `(rows, cols)` of arbitrary values.
    pub(crate) fn matrix(&self, rows: usize, cols: usize) -> Matrix {
        let values = self.with(|shelves| shelves.reals.take(rows * cols, false));
        Matrix::new(rows, cols, values).expect("as many values as places")
    }

    /// `(rows, cols)` of zeros.
    pub(crate) fn bits(&self, rows: usize, cols: usize) -> BitTensor {
        let words = self.with(|shelves| shelves.words.take(rows * cols.div_ceil(64), true));
        BitTensor::from_words(rows, cols, words).expect("as many words as places, and no bit is one")
    }

    /// So many arbitrary bytes.
    pub(crate) fn bytes(&self, len: usize) -> Vec<u8> {
        self.with(|shelves| shelves.bytes.take(len, false))
    }

    /// Takes back the memory of a value.
    pub(crate) fn give(&self, value: Value) {
        self.with(|Shelves { reals, words, bytes }| match value {
            Value::Real(matrix) => reals.give(matrix.into_values()),
            Value::Bytes(it) => bytes.give(it.into_values()),
            Value::Bits(bits) => words.give(bits.into_words()),
            Value::Dropped(ternary, _) => {
                let (sign, nonzero) = ternary.into_planes();
                words.give(sign.into_words());
                words.give(nonzero.into_words());
            }
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut Shelves) -> T) -> T {
        // vectors that nobody uses are sound whatever happened
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_back_and_the_least_that_fits_is_lent() {
        let pool = Pool::default();
        let (small, large) = (pool.matrix(2, 3), pool.matrix(10, 10));
        let places = [&small, &large].map(|it| it.values().as_ptr());
        pool.give(Value::Real(large));
        pool.give(Value::Real(small));
        let (again, other) = (pool.matrix(5, 1), pool.matrix(1, 5));
        assert_eq!([&again, &other].map(|it| it.values().as_ptr()), places);
        assert_eq!(again.shape(), (5, 1));
    }

    #[test]
    fn sizes_that_grow_do_not_leave_the_smaller_ones_behind() {
        let pool = Pool::default();
        for rows in 1..100 {
            pool.give(Value::Real(pool.matrix(rows, 10)));
        }
        assert_eq!(pool.with(|shelves| shelves.reals.there.iter().map(Vec::len).collect::<Vec<_>>()), [990]);
    }

    #[test]
    fn bits_come_back_as_zeros() {
        let pool = Pool::default();
        let mut bits = pool.bits(3, 100);
        bits.flip(onebit_bits::random_bits(1, 0, 3, 100).view()).unwrap();
        let place = bits.words().as_ptr();
        pool.give(Value::Bits(bits));
        let again = pool.bits(2, 70);
        assert_eq!(again, BitTensor::zeros(2, 70));
        assert_eq!(again.words().as_ptr(), place);
    }

    #[test]
    fn strange_memory_does_not_pile_up() {
        let pool = Pool::default();
        let own = pool.matrix(1, 1);
        (0..10).for_each(|_| pool.give(Value::Real(Matrix::zeros(4, 4))));
        pool.give(Value::Real(own));
        assert_eq!(pool.with(|shelves| shelves.reals.there.len()), 1);
    }
}
