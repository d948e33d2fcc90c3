//! Where results go: what a caller hands in.

use crate::{error::Result, product::Put};

/// A sink for results of type `T`: memory that stores them, or something that consumes them while they are in
/// the cache.
///
/// | sink | takes | and |
/// |---|---|---|
/// | `&mut [i32]`, `&mut [i8]`, `&mut [f32]` | sums, or reals for f32 | stores them, row after row |
/// | [`Threshold`](crate::Threshold) | sums | compares them with a threshold for each column, for the bits of the next layer |
/// | [`Scores`](crate::Scores) | sums | adds them to scores |
/// | [`Updating`](crate::Updating) | reals | hands them to the update of a training rule |
pub trait Sink<T>: Open<T> {}

impl<T, K: Open<T>> Sink<T> for K {}

/// How a sink is opened; not nameable outside of the crate.
pub trait Open<T>: Sized {
    /// What kernels write to.
    type Opened: Put<T>;

    /// Rows that it takes if rows have n columns, or `None` if any number would do.
    fn rows(&self, n: usize) -> Option<usize>;

    /// Opens it for (m, n) results, if it has room for exactly these.
    fn open(self, op: &'static str, shape: (usize, usize)) -> Result<Self::Opened>;
}
