//! Shift-based batch normalization (arXiv:1602.02830, section 1.3): every factor is a power of two.

use onebit_bits::{Engine, Isa, vectorized};

use crate::{
    error::Result,
    layers::norms::feature_norm::{BatchNormGradients, BatchNormStatistics, FeatureNorm, Formula},
    numeric::{
        ap2::ap2,
        batch_blocks::Block,
        batch_sums::{BatchSums, rows_of},
        matrix::Matrix,
    },
};

/// Normalizes, scales and shifts each feature with binary shifts instead of multiplications
/// (arXiv:1602.02830, section 1.3).
///
/// With `AP2(x) = sgn(x) 2^round(log2 |x|)` and `AP2(0) = 0`, forward over a batch of `b` rows, for each
/// feature of x `(b, x)`:
///
/// ```text
/// mean    = sum x / b,  c = x - mean
/// inv_std = 1 / sqrt(sum c AP2(c) / b + 1e-5)
/// x_hat   = c AP2(inv_std)
/// y       = AP2(gamma) x_hat + beta
/// ```
///
/// In evaluation `y = (x - running_mean) (AP2(gamma) AP2(running_inv_std)) + beta`. Backward, straight
/// through every AP2: `dbeta = sum dy`, `dgamma = sum dy AP2(x_hat)`,
/// `dx = AP2(gamma) AP2(inv_std) (dy - dbeta / b - AP2(x_hat) dgamma / b)`.
///
/// The first batch sets the running statistics, then `new = 0.875 old + 0.125 batch`. Neither these nor
/// `gamma` and `beta` are rounded where they are stored.
///
/// The paper and its authors' Torch code differ, and this layer follows the code: the paper gives only the
/// forward pass over a batch, without `beta`; evaluation and the backward pass are only in the code. One
/// point departs from the code: it starts the running mean at 0 and the running inverse deviation at 0 or 1,
/// and forgets these values only slowly.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{
///     Matrix, Value,
///     layer::{Context, Layer},
///     layers::ShiftBatchNorm,
/// };
///
/// let cx = Context::train(&Engine::single());
/// let mut norm = ShiftBatchNorm::new(1);
/// // the mean is 3; the deviations -2, 2, -2, 2 have the inverse deviation 1/2, a power of two
/// let y = norm.forward(&cx, Value::Real(Matrix::new(4, 1, vec![1.0, 5.0, 1.0, 5.0])?))?.into_real("y")?;
/// assert_eq!(y.values(), [-1.0, 1.0, -1.0, 1.0]);
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub type ShiftBatchNorm = FeatureNorm<Shifts>;

const EPS: f64 = 1e-5;

/// The formula of [`ShiftBatchNorm`]. It keeps `AP2(x_hat)` for the backward pass.
#[derive(Default)]
pub struct Shifts {
    sums: BatchSums<f64, 1>,
}

impl Formula for Shifts {
    const NAME: &'static str = "shift_batch_norm";
    const MOMENTUM: f32 = 0.125;

    fn measure(&mut self, engine: &Engine, x: &Matrix, batch: &mut BatchNormStatistics) -> Result<()> {
        let BatchNormStatistics { mean, inv_std } = batch;
        let sums = self.sums.over(engine, x, |part, sums| add_up(engine.isa(), x, part, sums))?;
        for (feature, mean) in mean.iter_mut().enumerate() {
            *mean = (sums.of(feature)[0] / x.rows() as f64) as f32;
        }
        let add = |part, sums: [&mut [f64]; 1]| add_spread(engine.isa(), x, mean, part, sums);
        let sums = self.sums.over(engine, x, add)?;
        for (feature, inv_std) in inv_std.iter_mut().enumerate() {
            *inv_std = (1.0 / (sums.of(feature)[0] / x.rows() as f64 + EPS).sqrt()) as f32;
        }
        Ok(())
    }

    fn scale(gamma: f32, inv_std: f32) -> f32 {
        ap2(gamma) * ap2(inv_std)
    }

    fn normalize(
        isa: Isa,
        x: &mut [f32],
        y: &mut [f32],
        batch: &BatchNormStatistics,
        gamma: &[f32],
        beta: &[f32],
    ) {
        normalize(isa, x, y, batch, gamma, beta);
    }

    fn pass_back(
        isa: Isa,
        dy: &mut [f32],
        x_hat: &[f32],
        share: f32,
        gamma: &[f32],
        inv_std: &[f32],
        sums: &BatchNormGradients,
    ) {
        pass_back(isa, dy, x_hat, share, gamma, inv_std, sums);
    }
}

vectorized! {
    fn add_up<'a>(x: &'a Matrix, part: Block, sums: [&'a mut [f64]; 1]) {
        let [sums] = sums;
        for x in rows_of(x, part) {
            for (sum, &x) in sums.iter_mut().zip(x) {
                *sum += f64::from(x);
            }
        }
    }
}

vectorized! {
    fn add_spread<'a>(x: &'a Matrix, mean: &'a [f32], block: Block, sums: [&'a mut [f64]; 1]) {
        let [sums] = sums;
        let mean = &mean[block.col..];
        for x in rows_of(x, block) {
            for ((sum, &x), &mean) in sums.iter_mut().zip(x).zip(mean) {
                let c = x - mean;
                *sum += f64::from(c) * f64::from(ap2(c));
            }
        }
    }
}

vectorized! {
    /// x becomes AP2(x_hat).
    fn normalize<'a>(
        x: &'a mut [f32], y: &'a mut [f32], batch: &'a BatchNormStatistics, gamma: &'a [f32], beta: &'a [f32],
    ) {
        let features = gamma.len();
        for (x, y) in x.chunks_exact_mut(features).zip(y.chunks_exact_mut(features)) {
            let units = batch.mean.iter().zip(&batch.inv_std).zip(gamma.iter().zip(beta));
            for ((x, y), ((mean, inv_std), (gamma, beta))) in x.iter_mut().zip(y).zip(units) {
                let x_hat = (*x - mean) * ap2(*inv_std);
                *x = ap2(x_hat);
                *y = ap2(*gamma) * x_hat + beta;
            }
        }
    }
}

vectorized! {
    fn pass_back<'a>(
        dy: &'a mut [f32], x_hat: &'a [f32], share: f32,
        gamma: &'a [f32], inv_std: &'a [f32], sums: &'a BatchNormGradients,
    ) {
        let features = gamma.len();
        for (dy, x_hat) in dy.chunks_exact_mut(features).zip(x_hat.chunks_exact(features)) {
            let units = gamma.iter().zip(inv_std).zip(sums.dgamma.iter().zip(&sums.dbeta));
            for ((dx, x_hat), ((gamma, inv_std), (dgamma, dbeta))) in dy.iter_mut().zip(x_hat).zip(units) {
                *dx = ap2(*gamma) * ap2(*inv_std) * (*dx - share * dbeta - x_hat * share * dgamma);
            }
        }
    }
}
