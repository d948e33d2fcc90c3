//! Shift-based AdaMax: [`AdaMax`](crate::optimizers::AdaMax) whose products and divisions are shifts
//! (arXiv:1602.02830).
//!
//! The authors' paper and code differ. With `AP2(x)` the power of two nearest to x in the logarithm:
//!
//! | | [`paper`](ShiftAdaMax::paper) | [`torch`](ShiftAdaMax::torch), the authors' Torch7 code |
//! |---|---|---|
//! | b1, b2 | `1 - 2^-3`, `1 - 2^-10` | 0.9, 0.999 |
//! | m | `b1 m + (1 - b1) g` | the same |
//! | v | `max(b2 v, \|g\|)` | `AP2(max(b2 v, \|g\|)) + 2^-27`: the stored value is rounded |
//! | step | `rate * AP2(1 / (1 - b1^t))` | `AP2(rate / (1 - b1^t))` |
//! | w | `w - scale * step * m * AP2(1 / v)` | `w - scale * step * m / v` |
//!
//! In the Torch7 variant v can only grow, because `0.999 v` is rounded back to v. So an early outlier slows a
//! parameter down permanently. `scale`, the authors' Glorot scale, multiplies after the rounding and is not
//! rounded itself.

use onebit_bits::{Isa, vectorized};

use crate::{
    contract::state::State,
    error::Result,
    numeric::ap2::ap2,
    optimizers::{Optimizer, Run},
};

/// `2^-27`.
const EPS: f32 = 1.0 / (1 << 27) as f32;

/// Shift-based AdaMax, in the variant of the paper or of the authors' code.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{optimizers::ShiftAdaMax, real_tensor::RealTensor};
///
/// // m = 3 / 8, v = 3, AP2(1 / v) = 1 / 4, rate AP2(1 / (1 - b1)) = 8 / 64
/// let mut w = RealTensor::new(vec![1.0], ShiftAdaMax::paper());
/// w.step(&Engine::single(), &[3.0], 1.0 / 64.0)?;
/// assert_eq!(w.values(), [1.0 - 3.0 / 8.0 / 4.0 * 8.0 / 64.0]);
/// # Ok::<(), onebit_train::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ShiftAdaMax {
    variant: Variant,
    beta1: f32,
    beta2: f32,
    t: u64,
    /// Rate and correction, rounded, times `scale`.
    step: f32,
}

#[derive(Clone, Copy, Debug)]
enum Variant {
    Paper,
    Torch,
}

impl ShiftAdaMax {
    /// The paper's variant; its rate is `2^-10`. Where a gradient was always 0, v counts as `2^-27`.
    pub fn paper() -> Self {
        Self { variant: Variant::Paper, beta1: 1.0 - 1.0 / 8.0, beta2: 1.0 - 1.0 / 1024.0, t: 0, step: 0.0 }
    }

    /// The variant of the Torch7 code. Its scripts use a rate of `2^-6` (MNIST, CIFAR-10) or `2^-7` (SVHN),
    /// halved every 20 or 50 epochs.
    pub fn torch() -> Self {
        Self { variant: Variant::Torch, beta1: 0.9, beta2: 0.999, t: 0, step: 0.0 }
    }
}

impl Optimizer for ShiftAdaMax {
    fn begin(&mut self, rate: f32, scale: f32) {
        self.t = self.t.saturating_add(1);
        let correction = 1.0 - libm::powf(self.beta1, self.t as f32);
        self.step = scale
            * match self.variant {
                Variant::Paper => rate * ap2(1.0 / correction),
                Variant::Torch => ap2(rate / correction),
            };
    }

    fn run(&self, isa: Isa, run: Run) {
        match self.variant {
            Variant::Paper => descend_by_shifts(isa, self, run),
            Variant::Torch => descend_as_coded(isa, self, run),
        }
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        state.count("t", &mut self.t)
    }
}

vectorized! {
    fn descend_by_shifts<'a>(adamax: &'a ShiftAdaMax, run: Run<'a>) {
        let ShiftAdaMax { beta1, beta2, step, .. } = *adamax;
        let (g, [m, v]) = (run.grad, run.moments);
        for (((w, &g), m), v) in run.params.iter_mut().zip(g).zip(m).zip(v) {
            *m = beta1 * *m + (1.0 - beta1) * g;
            *v = (beta2 * *v).max(g.abs());
            *w -= step * *m * ap2(1.0 / v.max(EPS));
        }
    }
}

vectorized! {
    fn descend_as_coded<'a>(adamax: &'a ShiftAdaMax, run: Run<'a>) {
        let ShiftAdaMax { beta1, beta2, step, .. } = *adamax;
        let (g, [m, v]) = (run.grad, run.moments);
        for (((w, &g), m), v) in run.params.iter_mut().zip(g).zip(m).zip(v) {
            *m = beta1 * *m + (1.0 - beta1) * g;
            *v = ap2((beta2 * *v).max(g.abs())) + EPS;
            *w -= step * *m / *v;
        }
    }
}
