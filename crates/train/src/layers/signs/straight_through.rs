//! The way back through a function of single numbers.

use onebit_bits::Isa;

use crate::{
    contract::{check::check_shape, context::Context, kept::Kept, value::Signal},
    error::Result,
    numeric::{jobs::JOB, matrix::Matrix},
};

/// The input that a layer keeps while training, and the gradient that waits to be sent: `dr = dy F'(r)`.
pub(crate) struct StraightThrough {
    layer: &'static str,
    r: Kept<Matrix>,
    dr: Kept<Matrix>,
}

impl StraightThrough {
    pub(crate) fn new(layer: &'static str) -> Self {
        Self { layer, r: Kept::by_forward(layer), dr: Kept::by_receive(layer) }
    }

    /// A new forward pass with the input r has been computed: keeps it for learning, else gives it back.
    pub(crate) fn keep(&mut self, cx: &Context, r: Matrix) {
        cx.recycle(self.dr.clear());
        cx.recycle(self.r.replace(r));
        if !cx.training() {
            cx.recycle(self.r.clear());
        }
    }

    /// `multiply(isa, grad, r)` does `grad <- grad F'(r)`. Returns dr.
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
