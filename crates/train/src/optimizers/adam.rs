//! Adam (arXiv:1412.6980).
//!
//! ```text
//! m <- b1 m + (1 - b1) g          m_hat = m / (1 - b1^t)
//! v <- b2 v + (1 - b2) g^2        v_hat = v / (1 - b2^t)
//! w <- w - rate * m_hat / (sqrt(v_hat) + eps)
//! ```

use crate::{
    error::{Error, Result},
    optimizers::Optimizer,
};

/// Adam with first and second moment in f32.
#[derive(Clone, Debug)]
pub struct Adam {
    beta1: f32,
    beta2: f32,
    eps: f32,
    t: i32,
    m: Vec<f32>,
    v: Vec<f32>,
}

impl Adam {
    /// The paper's `beta1 = 0.9`, `beta2 = 0.999`, `eps = 1e-8`.
    pub fn new() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-8, t: 0, m: Vec::new(), v: Vec::new() }
    }

    /// Other decays. `beta1`: memory of the direction, 0 forgets at once, near 1 reacts late.
    /// `beta2`: memory of the size, too short makes the step noisy.
    ///
    /// # Errors
    /// [`Error::Setting`] unless both are in `[0, 1)`.
    pub fn with_betas(beta1: f32, beta2: f32) -> Result<Self> {
        for (name, beta) in [("beta1", beta1), ("beta2", beta2)] {
            if !(0.0..1.0).contains(&beta) {
                return Err(Error::setting(name, "a number from 0 to below 1", beta));
            }
        }
        Ok(Self { beta1, beta2, ..Self::new() })
    }
}

impl Default for Adam {
    fn default() -> Self {
        Self::new()
    }
}

impl Optimizer for Adam {
    fn step(&mut self, params: &mut [f32], grad: &[f32], rate: f32) {
        self.m.resize(params.len(), 0.0);
        self.v.resize(params.len(), 0.0);
        self.t = self.t.saturating_add(1);
        let Self { beta1, beta2, eps, t, .. } = *self;
        // m_hat and v_hat, with the two corrections pulled out of the loop.
        let step = rate / (1.0 - libm::powf(beta1, t as f32));
        let inverse_correction = 1.0 / (1.0 - libm::powf(beta2, t as f32)).sqrt();
        for (((w, &g), m), v) in params.iter_mut().zip(grad).zip(&mut self.m).zip(&mut self.v) {
            *m = beta1 * *m + (1.0 - beta1) * g;
            *v = beta2 * *v + (1.0 - beta2) * g * g;
            *w -= step * *m / (v.sqrt() * inverse_correction + eps);
        }
    }
}
