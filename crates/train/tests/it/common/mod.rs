//! What the tests of several modules share.

pub(crate) use onebit_testing::close;
pub(crate) mod golden;
pub(crate) mod memory;
pub(crate) mod momentum;

use onebit_bits::{BitTensor, Engine};
use onebit_train::{Matrix, Value, layer::Context};

/// A context for training on one thread.
pub(crate) fn training() -> Context {
    Context::train(&Engine::single())
}

/// `rows x cols` values.
pub(crate) fn matrix(rows: usize, cols: usize, values: impl IntoIterator<Item = f32>) -> Matrix {
    Matrix::new(rows, cols, values.into_iter().collect()).expect("one value for each place")
}

/// What a layer gave, where that is real.
#[track_caller]
pub(crate) fn real(value: Value) -> Matrix {
    value.into_real("test").unwrap()
}

/// The signs, `sgn(0) = +1`: (r, c) real -> (r, c) bits. Written apart from the library's packing.
pub(crate) fn signs(values: &Matrix) -> BitTensor {
    let cols = values.cols();
    BitTensor::from_fn(values.rows(), cols, |r, c| values.values()[r * cols + c] >= 0.0)
}
