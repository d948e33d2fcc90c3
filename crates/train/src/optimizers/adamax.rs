//! AdaMax: Adam with the infinity norm (arXiv:1412.6980, section 7).
//!
//! ```text
//! m <- b1 m + (1 - b1) g
//! v <- max(b2 v, |g| + eps)
//! w <- w - scale * rate / (1 - b1^t) * m / v
//! ```
//!
//! The paper has no `eps`, and divides 0 by 0 where a gradient was always 0; it is that of `torch.optim.Adamax`.

use onebit_bits::{Isa, vectorized};

use crate::{
    contract::state::State,
    error::Result,
    optimizers::{Optimizer, Run, check_memory},
};

/// AdaMax with both moments in f32.
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
    /// The paper's `beta1 = 0.9`, `beta2 = 0.999`, and `eps = 1e-8`. Its rate is 0.002.
    pub fn new() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-8, t: 0, step: 0.0 }
    }

    /// Other decays; see [`Adam::with_betas`](crate::optimizers::Adam::with_betas).
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
