//! The dense layer with real weights: for the first or last layer of a network that keeps them real, and for
//! the float twin that a binary network is compared with.

use crate::{
    contract::{check::check_sizes, context::Context},
    error::Result,
    layers::products::real_layer::{RealLayer, Walk},
    numeric::matrix::Matrix,
    optimizers::Optimizer,
};

/// A dense layer with real weights.
///
/// Forward: `y = x w^T`, x `(b, i)` of any kind, w `(o, i)` and y `(b, o)` real. Backward: `dx = dy w`,
/// `dw = dy^T x`. The layer has no bias, because a norm follows.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{
///     Matrix, Signal, Value,
///     layer::{Context, Layer},
///     layers::RealDense,
///     optimizers::Sgd,
/// };
///
/// let cx = Context::train(&Engine::single());
/// let mut dense = RealDense::new(3, 1, Sgd::new(0.0, 0.0)?, 0)?.with_weights(vec![0.5, -1.0, 2.0])?;
/// let y = dense.forward(&cx, Value::Real(Matrix::new(1, 3, vec![2.0, 1.0, 1.0])?))?;
/// assert_eq!(y, Value::Real(Matrix::new(1, 1, vec![2.0])?));
///
/// dense.receive(&cx, Signal::Grad(Matrix::new(1, 1, vec![10.0])?))?;
/// assert_eq!(dense.send(&cx)?, Signal::Grad(Matrix::new(1, 3, vec![5.0, -10.0, 20.0])?));
/// assert_eq!(dense.weight_gradient(&cx)?.values(), [20.0, 10.0, 10.0]);
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub type RealDense = RealLayer<Rows>;

/// Weights that meet a whole row of the input.
pub struct Rows {
    inputs: usize,
}

impl RealDense {
    /// Creates weights `(outputs, inputs)`, uniform within `+-sqrt(6 / (inputs + outputs))`, that learn by
    /// `optimizer`.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) when a size is 0.
    pub fn new(
        inputs: usize,
        outputs: usize,
        optimizer: impl Optimizer + 'static,
        seed: u64,
    ) -> Result<Self> {
        check_sizes(Rows::NAME, [inputs, outputs, 1])?;
        Ok(Self::over(Rows { inputs }, (outputs, inputs), 1, optimizer, seed))
    }
}

impl Walk for Rows {
    const NAME: &'static str = "real_dense";

    fn inputs(&self) -> usize {
        self.inputs
    }

    fn output_rows(&self, rows: usize) -> Result<usize> {
        Ok(rows)
    }

    fn gather(&self, _cx: &Context, _x: &Matrix) -> Result<Option<Matrix>> {
        Ok(None)
    }

    fn scatter(&self, _cx: &Context, dx: Matrix, _rows: usize) -> Result<Matrix> {
        Ok(dx)
    }
}
