//! An optimizer that scales its step as the gradient is scaled: what Adam hides shows.

use onebit_bits::Isa;
use onebit_train::{
    Result,
    optimizers::{Optimizer, Run},
    state::State,
};

/// `m <- momentum m + g`, `w <- w - rate m`.
pub(crate) struct Momentum {
    momentum: f32,
    rate: f32,
}

impl Momentum {
    pub(crate) fn new(momentum: f32) -> Self {
        Self { momentum, rate: 0.0 }
    }
}

impl Optimizer for Momentum {
    fn begin(&mut self, rate: f32, scale: f32) {
        self.rate = rate * scale;
    }

    fn run(&self, _: Isa, Run { params, grad, moments: [m, _] }: Run) {
        for ((w, g), m) in params.iter_mut().zip(grad).zip(m) {
            *m = self.momentum * *m + g;
            *w -= self.rate * *m;
        }
    }

    fn state(&mut self, _: &mut State) -> Result<()> {
        Ok(())
    }
}
