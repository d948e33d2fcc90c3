//! Batch normalization (arXiv:1502.03167), with the running inverse deviation of the authors' code of
//! arXiv:1602.02830.

use onebit_bits::{Engine, Isa, vectorized};

use crate::{
    error::Result,
    layers::norms::feature_norm::{BatchNormGradients, BatchNormStatistics, FeatureNorm, Formula},
    numeric::{
        batch_blocks::{Block, Grid},
        batch_sums::rows_of,
        matrix::Matrix,
    },
};

/// Normalizes, scales and shifts each feature (arXiv:1502.03167).
///
/// Forward over a batch of `b` rows, for each feature of x `(b, x)`:
///
/// ```text
/// mean    = sum x / b
/// inv_std = 1 / sqrt(sum (x - mean)^2 / b + 1e-4)
/// x_hat   = (x - mean) inv_std
/// y       = gamma x_hat + beta
/// ```
///
/// In evaluation `y = (x - running_mean) (gamma running_inv_std) + beta`. Backward: `dbeta = sum dy`,
/// `dgamma = sum dy x_hat`, `dx = gamma inv_std (dy - dbeta / b - x_hat dgamma / b)`.
///
/// The first batch sets the running statistics, then `new = 0.9 old + 0.1 batch`, with the biased variance.
/// Every sum over the batch adds sums of 128 rows in their order, on any number of threads.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{
///     Matrix, Signal, Value,
///     layer::{Context, Layer},
///     layers::BatchNorm,
/// };
///
/// let cx = Context::train(&Engine::single());
/// let mut norm = BatchNorm::new(1);
/// let y = norm.forward(&cx, Value::Real(Matrix::new(4, 1, vec![1.0, 1.0, 3.0, 3.0])?))?.into_real("y")?;
/// assert!(y.values().iter().zip([-1.0, -1.0, 1.0, 1.0]).all(|(y, exact)| (y - exact).abs() < 1e-4));
///
/// norm.receive(&cx, Signal::Grad(Matrix::new(4, 1, vec![1.0, 0.0, 0.0, 0.0])?))?;
/// assert_eq!(norm.gradients().unwrap().dbeta, [1.0]);
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub type BatchNorm = FeatureNorm<Exact>;

const EPS: f64 = 1e-4;

/// The formula of [`BatchNorm`].
#[derive(Default)]
pub struct Exact {
    parts: [Vec<f64>; 3], // a buffer for the sums of parts of the batch
}

impl Formula for Exact {
    const NAME: &'static str = "batch_norm";
    const MOMENTUM: f32 = 0.1;

    fn measure(&mut self, engine: &Engine, x: &Matrix, batch: &mut BatchNormStatistics) -> Result<()> {
        let grid = Grid::over(x);
        let [sums, means, squares] = &mut self.parts;
        for parts in [&mut *sums, means, squares] {
            parts.resize(grid.len(), 0.0);
        }
        engine.chunks((&mut sums[..], &mut means[..], &mut squares[..]), grid.width, |first, parts| {
            statistics(engine.isa(), x, grid.block(first), parts);
        })?;
        for (feature, (mean, inv_std)) in batch.mean.iter_mut().zip(&mut batch.inv_std).enumerate() {
            let parts = || grid.blocks_of(feature).map(|(at, rows)| (sums[at], means[at], squares[at], rows));
            *mean = (parts().map(|(sum, ..)| sum).sum::<f64>() / x.rows() as f64) as f32;
            let about = |(sum, own, square, rows): (f64, f64, f64, f64)| {
                let off = own - f64::from(*mean); // 0 if the batch is a single part
                square + off * (2.0 * (sum - rows * own) + rows * off)
            };
            let variance = parts().map(about).sum::<f64>() / x.rows() as f64;
            *inv_std = (1.0 / (variance.max(0.0) + EPS).sqrt()) as f32;
        }
        Ok(())
    }

    fn scale(gamma: f32, inv_std: f32) -> f32 {
        gamma * inv_std
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

/// For each feature of a part: the sum, the mean and the sum of squared distances from that mean.
type PartSums<'a> = (&'a mut [f64], &'a mut [f64], &'a mut [f64]);

vectorized! {
    fn statistics<'a>(x: &'a Matrix, part: Block, sums: PartSums<'a>) {
        let (sums, means, squares) = sums;
        let rows = || rows_of(x, part);
        sums.fill(0.0);
        squares.fill(0.0);
        for row in rows() {
            for (sum, &x) in sums.iter_mut().zip(row) {
                *sum += f64::from(x);
            }
        }
        for (mean, sum) in means.iter_mut().zip(&*sums) {
            *mean = f64::from((*sum / part.rows as f64) as f32);
        }
        for row in rows() {
            for ((square, &x), &mean) in squares.iter_mut().zip(row).zip(&*means) {
                let centred = f64::from(x - mean as f32);
                *square += centred * centred;
            }
        }
    }
}

vectorized! {
    fn normalize<'a>(
        x: &'a mut [f32], y: &'a mut [f32], batch: &'a BatchNormStatistics, gamma: &'a [f32], beta: &'a [f32],
    ) {
        let features = gamma.len();
        for (x, y) in x.chunks_exact_mut(features).zip(y.chunks_exact_mut(features)) {
            let units = batch.mean.iter().zip(&batch.inv_std).zip(gamma.iter().zip(beta));
            for ((x_hat, y), ((mean, inv_std), (gamma, beta))) in x.iter_mut().zip(y).zip(units) {
                *x_hat = (*x_hat - mean) * inv_std;
                *y = gamma * *x_hat + beta;
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
                *dx = gamma * inv_std * (*dx - share * dbeta - x_hat * share * dgamma);
            }
        }
    }
}
