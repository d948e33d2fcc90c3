//! The rectifier, for float twins and the real parts of a network.

use onebit_bits::{Isa, vectorized};

use crate::layers::signs::elementwise::{Elementwise, Function};

/// The rectifier. Forward: `y = max(x, 0)`. Backward: `dx = dy [x > 0]`. x, y: `(b, x)` real.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{
///     Matrix, Signal, Value,
///     layer::{Context, Layer},
///     layers::Relu,
/// };
///
/// let cx = Context::train(&Engine::single());
/// let mut relu = Relu::new();
/// let y = relu.forward(&cx, Value::Real(Matrix::new(1, 3, vec![-2.0, 0.0, 3.0])?))?;
/// assert_eq!(y, Value::Real(Matrix::new(1, 3, vec![0.0, 0.0, 3.0])?));
///
/// relu.receive(&cx, Signal::Grad(Matrix::new(1, 3, vec![1.0; 3])?))?;
/// assert_eq!(relu.send(&cx)?, Signal::Grad(Matrix::new(1, 3, vec![0.0, 0.0, 1.0])?));
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub type Relu = Elementwise<Rectifier>;

/// The function of [`Relu`].
pub struct Rectifier;

impl Function for Rectifier {
    const NAME: &'static str = "relu";

    fn apply(isa: Isa, x: &[f32], y: &mut [f32]) {
        rectify(isa, x, y);
    }

    fn gate(isa: Isa, grad: &mut [f32], x: &[f32]) {
        gate(isa, grad, x);
    }
}

vectorized! {
    fn rectify<'a>(x: &'a [f32], y: &'a mut [f32]) {
        for (x, y) in x.iter().zip(y) {
            *y = if *x < 0.0 { 0.0 } else { *x }; // a NaN stays
        }
    }
}

vectorized! {
    fn gate<'a>(grad: &'a mut [f32], x: &'a [f32]) {
        for (g, x) in grad.iter_mut().zip(x) {
            *g = if *x > 0.0 { *g } else { 0.0 };
        }
    }
}
