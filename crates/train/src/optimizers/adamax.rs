//! AdaMax: Adam with the infinity norm (arXiv:1412.6980, section 7).
//!
//! ```text
//! m <- b1 m + (1 - b1) g
//! v <- max(b2 v, |g| + eps)
//! w <- w - scale * rate / (1 - b1^t) * m / v
//! ```
//!
//! `eps` comes from `torch.optim.Adamax`. Without it, the paper's step divides 0 by 0 where a gradient was
//! always 0.

use onebit_bits::{Isa, vectorized};

use crate::{
    contract::state::State,
    error::Result,
    optimizers::{Optimizer, Run, check_memory},
};

/// AdaMax with both moments in f32.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{optimizers::AdaMax, real_tensor::RealTensor};
///
/// let mut w = RealTensor::new(vec![1.0], AdaMax::new());
/// w.step(&Engine::single(), &[4.0], 0.1)?; // m / (1 - b1) = v = 4
/// assert!((w.values()[0] - 0.9).abs() < 1e-6);
/// w.step(&Engine::single(), &[0.0], 0.1)?; // m = 0.36, v = 3.996, 1 - b1^2 = 0.19
/// assert!((w.values()[0] - (0.9 - 0.1 / 0.19 * 0.36 / 3.996)).abs() < 1e-6);
/// # Ok::<(), onebit_train::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct AdaMax {
    beta1: f32,
    beta2: f32,
    eps: f32,
    t: u64,
    /// `rate * scale / (1 - b1^t)`
    step: f32,
}

impl AdaMax {
    /// Creates the optimizer with the paper's `beta1 = 0.9` and `beta2 = 0.999`, and `eps = 1e-8`. The
    /// paper's rate is
    /// 0.002.
    pub fn new() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-8, t: 0, step: 0.0 }
    }

    /// Creates the optimizer with other decays; see
    /// [`Adam::with_betas`](crate::optimizers::Adam::with_betas).
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) unless both are in `[0, 1)`.
    pub fn with_betas(beta1: f32, beta2: f32) -> Result<Self> {
        let (beta1, beta2) = (check_memory("beta1", beta1)?, check_memory("beta2", beta2)?);
        Ok(Self { beta1, beta2, ..Self::new() })
    }
}

impl Default for AdaMax {
    fn default() -> Self {
        Self::new()
    }
}

impl Optimizer for AdaMax {
    fn begin(&mut self, rate: f32, scale: f32) {
        self.t = self.t.saturating_add(1);
        self.step = rate * scale / (1.0 - libm::powf(self.beta1, self.t as f32));
    }

    fn run(&self, isa: Isa, run: Run) {
        descend(isa, self, run);
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        state.count("t", &mut self.t)
    }
}

vectorized! {
    fn descend<'a>(adamax: &'a AdaMax, run: Run<'a>) {
        let AdaMax { beta1, beta2, eps, step, .. } = *adamax;
        let (g, [m, v]) = (run.grad, run.moments);
        for (((w, &g), m), v) in run.params.iter_mut().zip(g).zip(m).zip(v) {
            *m = beta1 * *m + (1.0 - beta1) * g;
            *v = (beta2 * *v).max(g.abs() + eps);
            *w -= step * *m / *v;
        }
    }
}
