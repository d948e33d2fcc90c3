//! The rectifier, for twins in floating point and real parts of a network.
//!
//! Forward: `y = max(x, 0)`. Backward: `dx = dy [x > 0]`.

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
    layers::signs::straight_through::StraightThrough,
    numeric::jobs::JOB,
};

/// Keeps what is above 0.
pub struct Relu {
    back: StraightThrough,
}

impl Relu {
    /// For any number of features.
    pub fn new() -> Self {
        Self { back: StraightThrough::new("relu") }
    }
}

impl Default for Relu {
    fn default() -> Self {
        Self::new()
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

impl Layer for Relu {
    fn name(&self) -> &'static str {
        "relu"
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let x = x.into_real("relu")?; // x: (b, x) real
        let mut y = cx.matrix(x.rows(), x.cols());
        cx.engine.chunks((x.values(), y.values_mut()), JOB, |_, (x, y)| rectify(cx.engine.isa(), x, y))?;
        self.back.keep(cx, x);
        Ok(Value::Real(y))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        self.back.receive(cx, signal, gate).map(drop)
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
