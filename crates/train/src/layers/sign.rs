//! The sign with its straight-through estimator (arXiv:1602.02830, equation 4).
//!
//! Forward: `y = sgn(r)`, with `sgn(0) = +1`.
//! Backward: `dr = dy F'(r)`, by default `F'(r) = [|r| <= 1]`, boundary included; others are [`Estimator`]s.

use onebit_bits::pack_signs_into;

use crate::{
    error::Result,
    export::Exporter,
    layer::{Context, Layer, Meter, Observation, check_shape, kept, take},
    layers::Estimator,
    state::State,
    value::{Matrix, Signal, Value},
    vectorized::PART,
};

/// Real numbers to bits.
#[derive(Default)]
pub struct Sign {
    estimator: Estimator,
    r: Option<Matrix>,
    dr: Option<Matrix>,
    mean_of_bits: Meter,
}

impl Sign {
    /// A sign for any number of features.
    pub fn new() -> Self {
        Self::default()
    }

    /// A sign with another derivative on the way back.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) as [`Estimator::check`].
    pub fn with_estimator(estimator: Estimator) -> Result<Self> {
        Ok(Self { estimator: estimator.check()?, ..Self::default() })
    }
}

impl Layer for Sign {
    fn name(&self) -> &'static str {
        "sign"
    }

    fn forward(&mut self, cx: &Context, r: Value) -> Result<Value> {
        let r = r.into_real("sign")?; // r: (b, x) real
        let mut y = cx.bits(r.rows(), r.cols());
        pack_signs_into(&cx.engine, r.values(), &mut y)?;
        if cx.training() {
            self.mean_of_bits.add(&y);
        }
        cx.recycle(self.r.replace(r));
        cx.recycle(self.dr.take());
        if !cx.training() {
            cx.recycle(self.r.take());
        }
        Ok(Value::Bits(y))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let mut grad = signal.into_grad("sign")?;
        let r = kept(&self.r, "sign", "receive", "forward pass")?;
        check_shape("sign", "a gradient", r.shape(), grad.shape())?;
        let slope = self.estimator.of_activations(cx.clock.progress());
        cx.engine.chunks((grad.values_mut(), r.values()), PART, |_, (grad, r)| {
            slope.gate(cx.engine.isa(), grad, r);
        })?;
        cx.recycle(self.dr.replace(grad));
        Ok(())
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        take(&mut self.dr, "sign", "send", "signal").map(Signal::Grad)
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        self.mean_of_bits.state("mean_of_bits", state)
    }

    fn export(&self, to: &mut Exporter) -> Result<()> {
        to.sign()
    }

    fn observe(&mut self) -> Observation {
        Observation { mean_of_bits: self.mean_of_bits.take(), ..Observation::default() }
    }
}
