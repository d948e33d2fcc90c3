//! Weight standardization: each filter, a row of weights, gets mean 0 and, if wanted, a given standard
//! deviation.
//!
//! `w_hat = (w - mean) / s` with `s = sqrt(sum (w - mean)^2 / (n - 1) + eps) / size`, PyTorch's deviation of
//! `n` numbers. With `h` the gradient with respect to `w_hat`:
//! `dL/dw_i = (h_i - mean(h) - w_hat_i sum_j h_j w_hat_j / (size^2 (n - 1))) / s`. Sums are in f64.

use onebit_bits::{Engine, vectorized};

use crate::{
    error::Result,
    numeric::sums::{sum, sum_of_pairs},
};

/// How rows are standardized.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum WeightStandardization {
    /// Mean 0.
    Centred,
    /// Mean 0 and deviation `size`; `eps` is added to the variance.
    Deviation { size: f64, eps: f64 },
}

/// The constants of a row: `w_hat = (w - mean) * by`.
struct Row {
    mean: f64,
    by: f64,
    /// `1 / (size^2 (n - 1))`, or 0 without a deviation.
    share: f64,
}

impl WeightStandardization {
    #[inline(always)]
    fn row(self, w: &[f32]) -> Row {
        let mean = sum(w, |w| w) / w.len() as f64;
        let Self::Deviation { size, eps } = self else { return Row { mean, by: 1.0, share: 0.0 } };
        let others = w.len().saturating_sub(1).max(1) as f64;
        let squares = sum(w, |w| (w - mean) * (w - mean));
        Row { mean, by: size / (squares / others + eps).sqrt(), share: 1.0 / (size * size * others) }
    }

    /// Writes `w_hat`; `w` and `w_hat` are whole rows of `cols` numbers.
    pub(crate) fn forward(self, engine: &Engine, w: &[f32], cols: usize, w_hat: &mut [f32]) -> Result<()> {
        let isa = engine.isa();
        Ok(engine.chunks((w_hat, w), cols, |_, (w_hat, w)| standardize(isa, self, w, w_hat))?)
    }

    /// Turns `grad` from the gradient with respect to `w_hat` into the one with respect to `w`.
    pub(crate) fn backward(self, engine: &Engine, w: &[f32], cols: usize, grad: &mut [f32]) -> Result<()> {
        let isa = engine.isa();
        Ok(engine.chunks((grad, w), cols, |_, (grad, w)| pass_back(isa, self, w, grad))?)
    }
}

vectorized! {
    /// Standardizes one row.
    fn standardize<'a>(how: WeightStandardization, w: &'a [f32], w_hat: &'a mut [f32]) {
        let Row { mean, by, .. } = how.row(w);
        for (w_hat, w) in w_hat.iter_mut().zip(w) {
            *w_hat = ((f64::from(*w) - mean) * by) as f32;
        }
    }
}

vectorized! {
    /// Passes the gradient of one row back.
    fn pass_back<'a>(how: WeightStandardization, w: &'a [f32], grad: &'a mut [f32]) {
        let Row { mean, by, share } = how.row(w);
        let mean_of_grad = sum(grad, |h| h) / w.len() as f64;
        let along = share * by * sum_of_pairs(grad, w, |h, w| h * (w - mean));
        for (grad, w) in grad.iter_mut().zip(w) {
            let w_hat = (f64::from(*w) - mean) * by;
            *grad = ((f64::from(*grad) - mean_of_grad - w_hat * along) * by) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::latent_weights::mean_magnitude;

    const W: [f32; 10] = [0.3, -1.2, 0.7, 0.1, 2.0, 5.0, 5.5, 4.0, 3.0, 9.0];

    #[test]
    fn rows_have_the_mean_and_the_deviation() {
        let mut w_hat = [0.0; 10];
        WeightStandardization::Deviation { size: 2.0, eps: 0.0 }
            .forward(&Engine::single(), &W, 5, &mut w_hat)
            .unwrap();
        for row in w_hat.chunks(5) {
            let mean: f32 = row.iter().sum::<f32>() / 5.0;
            let variance: f32 = row.iter().map(|w| (w - mean).powi(2)).sum::<f32>() / 4.0;
            assert!(mean.abs() < 1e-6 && (variance - 4.0).abs() < 1e-5);
        }
    }

    #[test]
    fn the_gradient_is_the_slope() {
        let h = [0.5f32, -1.0, 0.25, 2.0, -0.5, 1.0, 1.5, -2.0, 0.75, 0.125];
        for how in [WeightStandardization::Centred, WeightStandardization::Deviation { size: 3.0, eps: 0.01 }]
        {
            let loss = |w: &[f64]| -> f64 {
                let rows = w.chunks(5).zip(h.chunks(5));
                rows.map(|(w, h)| {
                    let mean = w.iter().sum::<f64>() / 5.0;
                    let by = match how {
                        WeightStandardization::Centred => 1.0,
                        WeightStandardization::Deviation { size, eps } => {
                            size / (w.iter().map(|w| (w - mean).powi(2)).sum::<f64>() / 4.0 + eps).sqrt()
                        }
                    };
                    w.iter().zip(h).map(|(w, h)| f64::from(*h) * (w - mean) * by).sum::<f64>()
                })
                .sum()
            };
            let mut grad = h;
            how.backward(&Engine::single(), &W, 5, &mut grad).unwrap();
            let w = W.map(f64::from);
            for (at, grad) in grad.into_iter().enumerate() {
                let moved = |by: f64| {
                    let mut w = w;
                    w[at] += by;
                    loss(&w)
                };
                let slope = (moved(1e-6) - moved(-1e-6)) / 2e-6;
                assert!((f64::from(grad) - slope).abs() < 1e-5, "{how:?} {at}: {grad} for {slope}");
            }
        }
    }

    #[test]
    fn a_row_without_deviation_stays_finite() {
        let how = WeightStandardization::Deviation { size: 1.0, eps: 1e-12 };
        let (w, mut w_hat, mut grad) = ([0.5; 4], [9.0; 4], [1.0, -1.0, 0.0, 0.0]);
        how.forward(&Engine::single(), &w, 4, &mut w_hat).unwrap();
        how.backward(&Engine::single(), &w, 4, &mut grad).unwrap();
        assert_eq!((w_hat, mean_magnitude(&w_hat)), ([0.0; 4], 0.0));
        assert!(grad.iter().all(|g| g.is_finite()));
    }
}
