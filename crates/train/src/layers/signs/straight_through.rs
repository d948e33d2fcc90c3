//! The way back through a function of single numbers.

use onebit_bits::Isa;

use crate::{
    contract::{
        check::{check_shape, kept, take},
        context::Context,
        value::Signal,
    },
    error::Result,
    numeric::{jobs::JOB, matrix::Matrix},
};

/// The input that a layer keeps while training, and the gradient that waits to be sent: `dr = dy F'(r)`.
pub(crate) struct StraightThrough {
    layer: &'static str,
    r: Option<Matrix>,
    dr: Option<Matrix>,
}

impl StraightThrough {
    pub(crate) fn new(layer: &'static str) -> Self {
        Self { layer, r: None, dr: None }
    }

    /// A new forward pass with the input r has been computed: keeps it for learning, else gives it back.
    pub(crate) fn keep(&mut self, cx: &Context, r: Matrix) {
        cx.recycle(self.dr.take());
        cx.recycle(self.r.replace(r));
        if !cx.training() {
            cx.recycle(self.r.take());
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
        let r = kept(&self.r, self.layer, "receive", "forward pass")?;
        check_shape(self.layer, "a gradient", r.shape(), grad.shape())?;
        cx.engine.chunks((grad.values_mut(), r.values()), JOB, |_, (grad, r)| {
            multiply(cx.engine.isa(), grad, r);
        })?;
        cx.recycle(self.dr.take());
        Ok(self.dr.insert(grad))
    }

    pub(crate) fn send(&mut self) -> Result<Signal> {
        take(&mut self.dr, self.layer, "send", "signal").map(Signal::Grad)
    }
}
