//! Stochastic gradient descent with momentum.
//!
//! ```text
//! m <- momentum m + (g + decay w)
//! w <- w - scale * rate * m
//! ```
//!
//! The decay is coupled: it is added to the gradient, as in `torch.optim.SGD`.

use onebit_bits::{Isa, vectorized};

use crate::{
    contract::state::State,
    error::Result,
    optimizers::{Optimizer, Run, check_decay, check_memory},
};

/// Stochastic gradient descent; it uses one of the two moments.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{optimizers::Sgd, real_tensor::RealTensor};
///
/// let mut w = RealTensor::new(vec![1.0], Sgd::new(0.5, 0.0)?);
/// w.step(&Engine::single(), &[1.0], 0.25)?; // m = 1
/// assert_eq!(w.values(), [0.75]);
/// w.step(&Engine::single(), &[1.0], 0.25)?; // m = 0.5 * 1 + 1
/// assert_eq!(w.values(), [0.375]);
/// # Ok::<(), onebit_train::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sgd {
    momentum: f32,
    decay: f32,
    step: f32,
}

impl Sgd {
    /// Creates the optimizer. `momentum` is the share of the previous direction that is kept: 0 is plain
    /// descent, 0.9 is usual. `decay` adds `decay / 2 w^2` to the loss: 0 is none, 1e-4 is usual for images.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) unless the momentum is in `[0, 1)` and the decay finite and
    /// at least 0.
    pub fn new(momentum: f32, decay: f32) -> Result<Self> {
        Ok(Self { momentum: check_memory("momentum", momentum)?, decay: check_decay(decay)?, step: 0.0 })
    }
}

impl Optimizer for Sgd {
    fn begin(&mut self, rate: f32, scale: f32) {
        self.step = rate * scale;
    }

    fn run(&self, isa: Isa, run: Run) {
        descend(isa, self, run);
    }

    fn state(&mut self, _: &mut State) -> Result<()> {
        Ok(()) // the direction is the first moment
    }
}

vectorized! {
    fn descend<'a>(sgd: &'a Sgd, run: Run<'a>) {
        let Sgd { momentum, decay, step } = *sgd;
        let [m, _] = run.moments;
        for ((w, &g), m) in run.params.iter_mut().zip(run.grad).zip(m) {
            *m = momentum * *m + (g + decay * *w);
            *w -= step * *m;
        }
    }
}
