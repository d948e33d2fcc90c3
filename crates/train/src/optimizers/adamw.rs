//! Adam with decoupled weight decay (AdamW, arXiv:1711.05101).
//!
//! ```text
//! w <- w - scale * rate * decay * w
//! w <- Adam(w, g)
//! ```

use onebit_bits::{Isa, vectorized};

use crate::{
    contract::state::State,
    error::Result,
    optimizers::{Adam, Optimizer, Run, check_decay},
};

/// [`Adam`] that shrinks the parameters apart from the gradient, so that the decay is not divided by the gradient's size.
#[derive(Clone, Debug)]
pub struct AdamW {
    adam: Adam,
    decay: f32,
    kept: f32,
}

impl AdamW {
    /// `decay`: the share that is lost in a step, in units of the rate; 0.01 in `torch.optim.AdamW`, 0 is Adam.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) unless the decay is finite and at least 0.
    pub fn new(decay: f32) -> Result<Self> {
        Ok(Self { adam: Adam::new(), decay: check_decay(decay)?, kept: 1.0 })
    }
}

impl Optimizer for AdamW {
    fn begin(&mut self, rate: f32, scale: f32) {
        self.kept = 1.0 - rate * scale * self.decay;
        self.adam.begin(rate, scale);
    }

    fn run(&self, isa: Isa, run: Run) {
        multiply(isa, run.params, self.kept);
        self.adam.run(isa, run);
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        self.adam.state(state)
    }
}

vectorized! {
    fn multiply<'a>(values: &'a mut [f32], by: f32) {
        for value in values {
            *value *= by;
        }
    }
}
