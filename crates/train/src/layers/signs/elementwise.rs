//! The layer that applies a real [`Function`] to each number.
//!
//! [`Relu`](crate::layers::Relu) and [`HardTanh`](crate::layers::HardTanh) are its two forms.

use std::marker::PhantomData;

use onebit_bits::Isa;

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

/// A function of one number, and its slope.
pub trait Function: Send + 'static {
    /// The layer's name.
    const NAME: &'static str;

    /// `y = f(x)`; x and y have one length.
    fn apply(isa: Isa, x: &[f32], y: &mut [f32]);

    /// `grad <- grad f'(x)`; grad and x have one length.
    fn gate(isa: Isa, grad: &mut [f32], x: &[f32]);
}

/// A real activation: a function of each number by itself.
pub struct Elementwise<F> {
    back: StraightThrough,
    function: PhantomData<fn() -> F>,
}

impl<F: Function> Elementwise<F> {
    /// An activation for any number of features.
    pub fn new() -> Self {
        Self { back: StraightThrough::new(F::NAME), function: PhantomData }
    }
}

impl<F: Function> Default for Elementwise<F> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F: Function> Layer for Elementwise<F> {
    fn name(&self) -> &'static str {
        F::NAME
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let x = x.into_real(F::NAME)?; // x: (b, x) real
        let mut y = cx.matrix(x.rows(), x.cols());
        cx.engine.chunks((x.values(), y.values_mut()), JOB, |_, (x, y)| F::apply(cx.engine.isa(), x, y))?;
        self.back.keep(cx, x);
        Ok(Value::Real(y))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        self.back.receive(cx, signal, F::gate).map(drop)
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
