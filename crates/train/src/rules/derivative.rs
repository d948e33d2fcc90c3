//! Surrogates for the derivative of a weight's sign; both sharpen over the run.
//!
//! `t = 10^(from + progress (to - from))`, `k = max(1 / t, 1)`.
//!
//! The estimators of activations (`layers::signs::estimator`) have the same slopes by another tanh. Sharing
//! one would change the last bits of trained models.

/// The sharpness of a surrogate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sharpness {
    k: f32,
    t: f32,
}

impl Sharpness {
    /// The sharpness at a share of the run, with the powers of ten `from` and `to` at its ends.
    pub(crate) fn at(progress: f64, (from, to): (f64, f64)) -> Self {
        let t = libm::pow(10.0, from + progress * (to - from));
        Self { k: (1.0 / t).max(1.0) as f32, t: t as f32 }
    }

    /// The slope of `k tanh(t x)`, `k t (1 - tanh^2(t x))`: the error decay estimator of IR-Net
    /// (arXiv:1909.10788).
    pub(crate) fn tanh(self, x: f32) -> f32 {
        let y = libm::tanhf(self.t * x);
        self.k * self.t * (1.0 - y * y)
    }

    /// The slope of two parabolas that end at +-k, `max(k (sqrt(2) t - t^2 |x|), 0)`, as in RBNN
    /// (arXiv:2009.13055).
    #[inline(always)]
    pub(crate) fn parabola(self, x: f32) -> f32 {
        let Self { k, t } = self;
        (k * (std::f32::consts::SQRT_2 * t - t * t * x.abs())).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The slope of `f` by central differences.
    fn slope(f: impl Fn(f64) -> f64, x: f64) -> f64 {
        (f(x + 1e-6) - f(x - 1e-6)) / 2e-6
    }

    #[test]
    fn they_are_the_slopes_of_their_functions() {
        for progress in [0.0, 0.3, 0.9, 1.0] {
            for x in [-3.0, -0.7, -0.01, 0.02, 0.5, 1.9] {
                let (tanh, parabola) =
                    (Sharpness::at(progress, (-3.0, 1.0)), Sharpness::at(progress, (-2.0, 1.0)));
                let (k, t) = (f64::from(tanh.k), f64::from(tanh.t));
                let expected = slope(|x| k * libm::tanh(t * x), x);
                assert!((f64::from(tanh.tanh(x as f32)) - expected).abs() < 1e-5 * (1.0 + k * t));
                let (k, t) = (f64::from(parabola.k), f64::from(parabola.t));
                let f = |x: f64| match x.abs() {
                    size if size < 2f64.sqrt() / t => {
                        k * (2f64.sqrt() * t * x - x.signum() * t * t * x * x / 2.0)
                    }
                    _ => k * x.signum(),
                };
                let got = f64::from(parabola.parabola(x as f32));
                assert!((got - slope(f, x)).abs() < 1e-5 * (1.0 + k * t), "{progress} {x}");
            }
        }
    }

    #[test]
    fn they_begin_flat_and_end_sharp() {
        let (first, last) = (Sharpness::at(0.0, (-2.0, 1.0)), Sharpness::at(1.0, (-2.0, 1.0)));
        assert_eq!((first.k, first.t), (100.0, 0.01));
        assert_eq!((last.k, last.t), (1.0, 10.0));
        assert_eq!((first.parabola(0.0), last.parabola(0.2)), (2f32.sqrt(), 0.0));
    }
}
