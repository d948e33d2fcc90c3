//! The backward pass through an elementwise function.

use onebit_bits::Isa;

use crate::{
    contract::{check::check_shape, context::Context, kept::Kept, value::Signal},
    error::Result,
    numeric::{jobs::JOB, matrix::Matrix},
};

/// The input r that a layer keeps in training, and the gradient to send, `dr = dy F'(r)`.
pub(crate) struct StraightThrough {
    layer: &'static str,
    r: Kept<Matrix>,
    dr: Kept<Matrix>,
}

impl StraightThrough {
    pub(crate) fn new(layer: &'static str) -> Self {
        Self { layer, r: Kept::by_forward(layer), dr: Kept::by_receive(layer) }
    }

    /// Keeps the input r of a forward pass in training, and recycles it in evaluation.
    pub(crate) fn keep(&mut self, cx: &Context, r: Matrix) {
        cx.recycle(self.dr.clear());
        cx.recycle(self.r.replace(r));
        if !cx.training() {
            cx.recycle(self.r.clear());
        }
    }

    /// Takes the signal and returns dr; `multiply(isa, grad, r)` computes `grad <- grad F'(r)`.
    pub(crate) fn receive(
        &mut self,
        cx: &Context,
        signal: Signal,
        multiply: impl for<'a> Fn(Isa, &'a mut [f32], &'a [f32]) + Sync,
    ) -> Result<&Matrix> {
        let mut grad = signal.into_grad(self.layer)?;
        let r = self.r.get("receive")?;
        check_shape(self.layer, "a gradient", r.shape(), grad.shape())?;
        cx.engine.chunks((grad.values_mut(), r.values()), JOB, |_, (grad, r)| {
            multiply(cx.engine.isa(), grad, r);
        })?;
        cx.recycle(self.dr.replace(grad));
        self.dr.get("receive")
    }

    pub(crate) fn send(&mut self) -> Result<Signal> {
        self.dr.take("send").map(Signal::Grad)
    }
}
