//! Hard tanh: the sign's float twin, and the real activation of RBNN (arXiv:2009.13055).

use onebit_bits::{Isa, vectorized};

use crate::layers::signs::{
    elementwise::{Elementwise, Function},
    estimator::Slope,
};

/// Hard tanh. Forward: `y = max(-1, min(1, x))`. Backward: `dx = dy [|x| <= 1]`. x, y: `(b, x)` real.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{
///     Matrix, Signal, Value,
///     layer::{Context, Layer},
///     layers::HardTanh,
/// };
///
/// let cx = Context::train(&Engine::single());
/// let mut tanh = HardTanh::new();
/// let y = tanh.forward(&cx, Value::Real(Matrix::new(1, 3, vec![-2.0, 0.5, 1.0])?))?;
/// assert_eq!(y, Value::Real(Matrix::new(1, 3, vec![-1.0, 0.5, 1.0])?));
///
/// tanh.receive(&cx, Signal::Grad(Matrix::new(1, 3, vec![3.0; 3])?))?;
/// assert_eq!(tanh.send(&cx)?, Signal::Grad(Matrix::new(1, 3, vec![0.0, 3.0, 3.0])?));
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub type HardTanh = Elementwise<Clamp>;

/// The function of [`HardTanh`].
pub struct Clamp;

impl Function for Clamp {
    const NAME: &'static str = "hard_tanh";

    fn apply(isa: Isa, x: &[f32], y: &mut [f32]) {
        clamp(isa, x, y);
    }

    fn gate(isa: Isa, grad: &mut [f32], x: &[f32]) {
        Slope::Gate { bound: 1.0 }.gate(isa, grad, x);
    }
}

vectorized! {
    fn clamp<'a>(x: &'a [f32], y: &'a mut [f32]) {
        for (x, y) in x.iter().zip(y) {
            *y = x.clamp(-1.0, 1.0);
        }
    }
}
