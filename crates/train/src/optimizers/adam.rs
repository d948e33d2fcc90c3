//! Adam (arXiv:1412.6980).
//!
//! ```text
//! m <- b1 m + (1 - b1) g          m_hat = m / (1 - b1^t)
//! v <- b2 v + (1 - b2) g^2        v_hat = v / (1 - b2^t)
//! w <- w - scale * rate * m_hat / (sqrt(v_hat) + eps)
//! ```

use onebit_bits::{Isa, vectorized};

use crate::{
    contract::state::State,
    error::Result,
    optimizers::{Optimizer, Run, check_memory},
};

/// Adam with first and second moment in f32.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{optimizers::Adam, real_tensor::RealTensor};
///
/// let mut w = RealTensor::new(vec![1.0, 1.0], Adam::new());
/// w.step(&Engine::single(), &[8.0, -0.01], 0.1)?;
/// // The size of the first step is the rate, independent of the size of the gradient.
/// assert!((w.values()[0] - 0.9).abs() < 1e-6 && (w.values()[1] - 1.1).abs() < 1e-6);
/// # Ok::<(), onebit_train::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Adam {
    beta1: f32,
    beta2: f32,
    eps: f32,
    t: u64,
    step: Step,
}

/// The constants of a step.
#[derive(Clone, Copy, Debug, Default)]
struct Step {
    /// `rate * scale / (1 - b1^t)`
    rate: f32,
    /// `1 / sqrt(1 - b2^t)`
    inverse_correction: f32,
}

impl Adam {
    /// Creates the optimizer with the paper's `beta1 = 0.9`, `beta2 = 0.999` and `eps = 1e-8`.
    pub fn new() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-8, t: 0, step: Step::default() }
    }

    /// Creates the optimizer with other decays. `beta1` is the memory of the direction: 0 forgets at once,
    /// near 1 reacts late. `beta2` is the memory of the gradient's size: too small a value makes the step
    /// noisy.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) unless both are in `[0, 1)`.
    pub fn with_betas(beta1: f32, beta2: f32) -> Result<Self> {
        let (beta1, beta2) = (check_memory("beta1", beta1)?, check_memory("beta2", beta2)?);
        Ok(Self { beta1, beta2, ..Self::new() })
    }
}

impl Default for Adam {
    fn default() -> Self {
        Self::new()
    }
}

impl Optimizer for Adam {
    fn begin(&mut self, rate: f32, scale: f32) {
        self.t = self.t.saturating_add(1);
        // Both bias corrections are hoisted out of the loop.
        self.step = Step {
            rate: rate * scale / (1.0 - libm::powf(self.beta1, self.t as f32)),
            inverse_correction: 1.0 / (1.0 - libm::powf(self.beta2, self.t as f32)).sqrt(),
        };
    }

    fn run(&self, isa: Isa, run: Run) {
        descend(isa, self, run);
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        state.count("t", &mut self.t)
    }
}

vectorized! {
    fn descend<'a>(adam: &'a Adam, run: Run<'a>) {
        let Adam { beta1, beta2, eps, step, .. } = *adam;
        let (g, [m, v]) = (run.grad, run.moments);
        for (((w, &g), m), v) in run.params.iter_mut().zip(g).zip(m).zip(v) {
            *m = beta1 * *m + (1.0 - beta1) * g;
            *v = beta2 * *v + (1.0 - beta2) * g * g;
            *w -= step.rate * *m / (v.sqrt() * step.inverse_correction + eps);
        }
    }
}
