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

/// [`Adam`] with weight decay that is applied to the parameters directly, so that it is not divided by the
/// gradient's size.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{optimizers::AdamW, real_tensor::RealTensor};
///
/// let mut w = RealTensor::new(vec![2.0], AdamW::new(0.5)?);
/// w.step(&Engine::single(), &[0.0], 0.1)?; // the gradient is 0: only the decay acts, 2 * (1 - 0.1 * 0.5)
/// assert_eq!(w.values(), [1.9]);
/// # Ok::<(), onebit_train::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct AdamW {
    adam: Adam,
    decay: f32,
    kept: f32,
}

impl AdamW {
    /// Creates the optimizer. A step shrinks the parameters by the share `rate * decay`; `decay` is 0.01 in
    /// `torch.optim.AdamW`, and 0 gives Adam.
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
