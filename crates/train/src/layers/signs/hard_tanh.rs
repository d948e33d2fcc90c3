//! Hard tanh: the sign's twin in floating point, and the real activation of RBNN (arXiv:2009.13055).
//!
//! Forward: `y = max(-1, min(1, x))`. Backward: `dx = dy [|x| <= 1]`.

use onebit_bits::vectorized;

use crate::{
    contract::{
        context::Context,
        export::Exporter,
        layer::Layer,
        state::State,
        value::{Signal, Value},
    },
    error::Result,
    layers::{Estimator, signs::straight_through::StraightThrough},
    numeric::jobs::JOB,
};

/// Clips to -1 and 1.
pub struct HardTanh {
    back: StraightThrough,
}

impl HardTanh {
    /// For any number of features.
    pub fn new() -> Self {
        Self { back: StraightThrough::new("hard_tanh") }
    }
}

impl Default for HardTanh {
    fn default() -> Self {
        Self::new()
    }
}

vectorized! {
    fn clip<'a>(x: &'a [f32], y: &'a mut [f32]) {
        for (x, y) in x.iter().zip(y) {
            *y = x.clamp(-1.0, 1.0);
        }
    }
}

impl Layer for HardTanh {
    fn name(&self) -> &'static str {
        "hard_tanh"
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let x = x.into_real("hard_tanh")?; // x: (b, x) real
        let mut y = cx.matrix(x.rows(), x.cols());
        cx.engine.chunks((x.values(), y.values_mut()), JOB, |_, (x, y)| clip(cx.engine.isa(), x, y))?;
        self.back.keep(cx, x);
        Ok(Value::Real(y))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let slope = Estimator::default().of_activations(cx.clock.progress());
        self.back.receive(cx, signal, |isa, grad, x| slope.gate(isa, grad, x)).map(drop)
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        self.back.send()
    }

    fn state(&mut self, _state: &mut State) -> Result<()> {
        Ok(())
    }

    fn export(&self, to: &mut Exporter) -> Result<()> {
        Err(to.refuse("the runtime has no real activations"))
    }
}
