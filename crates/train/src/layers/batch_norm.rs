//! Batch normalization (arXiv:1502.03167), with the running inverse deviation of the authors' code of
//! arXiv:1602.02830.
//!
//! Forward over a batch of `b`, for each feature:
//! `mean = sum x / b`, `inv_std = 1 / sqrt(sum (x - mean)^2 / b + eps)`, `x_hat = (x - mean) inv_std`,
//! `y = gamma x_hat + beta`. In evaluation `y = (x - running_mean) (gamma running_inv_std) + beta`.
//! Backward: `dbeta = sum dy`, `dgamma = sum dy x_hat`,
//! `dx = gamma inv_std (dy - dbeta / b - x_hat dgamma / b)`.
//!
//! Running statistics: the first batch sets them, then `new = 0.9 old + 0.1 batch`, with the biased
//! variance.

use crate::{
    error::{Error, Result},
    export::Exporter,
    layer::{Context, Layer, Parameters, check_cols, check_shape, kept},
    optimizers::{Adam, Optimizer},
    value::{Matrix, Signal, Value},
};

const EPS: f64 = 1e-4;
const MOMENTUM: f32 = 0.1;

/// Normalizes, scales and shifts each feature.
pub struct BatchNorm {
    gamma: Vec<f32>,
    beta: Vec<f32>,
    running: Option<BatchNormStatistics>,
    optimizers: [Adam; 2],
    kept: Option<(Matrix, Vec<f32>)>, // x_hat (b, x) and inv_std of the batch
    gradients: Option<BatchNormGradients>,
}

/// What one backward pass found.
#[derive(Clone, Debug)]
pub struct BatchNormGradients {
    /// `dL/dx`, `(b, x)`.
    pub dx: Matrix,
    /// `dL/dgamma`, `(x)`.
    pub dgamma: Vec<f32>,
    /// `dL/dbeta`, `(x)`.
    pub dbeta: Vec<f32>,
}

/// What a batch is normalized by, or in evaluation its running mean over batches.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNormStatistics {
    /// `mean`, `(x)`.
    pub mean: Vec<f32>,
    /// `1 / sqrt(variance + eps)` with the biased variance, `(x)`.
    pub inv_std: Vec<f32>,
}

impl BatchNorm {
    /// `gamma = 1`, `beta = 0` for each of `features`; both learn by Adam.
    pub fn new(features: usize) -> Self {
        Self::with_affine(vec![1.0; features], vec![0.0; features])
    }

    /// Another start for `gamma` and `beta`, of the same length.
    pub fn with_affine(gamma: Vec<f32>, beta: Vec<f32>) -> Self {
        let (running, kept, gradients) = Default::default();
        Self { gamma, beta, running, optimizers: Default::default(), kept, gradients }
    }

    /// `gamma` and `beta`.
    pub fn affine(&self) -> (&[f32], &[f32]) {
        (&self.gamma, &self.beta)
    }

    /// Starts from running statistics of an earlier training, in place of those of the first batch.
    ///
    /// # Errors
    /// [`Error::Shape`] unless there is one mean and one inverse deviation for each feature.
    pub fn with_running(mut self, running: BatchNormStatistics) -> Result<Self> {
        check_cols("batch_norm running mean", self.gamma.len(), running.mean.len())?;
        check_cols("batch_norm running inverse deviation", self.gamma.len(), running.inv_std.len())?;
        self.running = Some(running);
        Ok(self)
    }

    /// The running statistics; none before the first batch.
    pub fn running(&self) -> Option<&BatchNormStatistics> {
        self.running.as_ref()
    }

    /// The gradients of the last signal received.
    pub fn gradients(&self) -> Option<&BatchNormGradients> {
        self.gradients.as_ref()
    }

    /// Mean, scale and shift in evaluation: `y = (x - mean) scale + shift`.
    fn evaluation(&self) -> Result<(Vec<f32>, Vec<f32>, Vec<f32>)> {
        let running = kept(&self.running, "batch_norm", "evaluate", "training step")?;
        let scale = self.gamma.iter().zip(&running.inv_std).map(|(g, s)| g * s).collect();
        Ok((running.mean.clone(), scale, self.beta.clone()))
    }

    fn statistics(&self, x: &Matrix) -> BatchNormStatistics {
        let rows = x.rows() as f64;
        let mut sums = vec![0.0f64; x.cols()];
        for row in x.iter_rows() {
            sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
        }
        let mean: Vec<f32> = sums.iter().map(|sum| (sum / rows) as f32).collect();
        sums.fill(0.0);
        for row in x.iter_rows() {
            for ((sum, &x), &mean) in sums.iter_mut().zip(row).zip(&mean) {
                let centred = f64::from(x - mean);
                *sum += centred * centred;
            }
        }
        let inv_std = sums.iter().map(|sum| (1.0 / (sum / rows + EPS).sqrt()) as f32).collect();
        BatchNormStatistics { mean, inv_std }
    }

    fn remember(&mut self, batch: &BatchNormStatistics) {
        let Some(running) = &mut self.running else {
            self.running = Some(batch.clone());
            return;
        };
        let blend = |old: &mut Vec<f32>, new: &[f32]| {
            old.iter_mut().zip(new).for_each(|(old, new)| *old = (1.0 - MOMENTUM) * *old + MOMENTUM * new);
        };
        blend(&mut running.mean, &batch.mean);
        blend(&mut running.inv_std, &batch.inv_std);
    }
}

impl Layer for BatchNorm {
    fn name(&self) -> &'static str {
        "batch_norm"
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let mut x = x.into_real("batch_norm")?; // x: (b, x) real
        check_cols("batch_norm", self.gamma.len(), x.cols())?;
        check_cols("batch_norm beta", x.cols(), self.beta.len())?;
        (self.kept, self.gradients) = (None, None);
        if !cx.training() {
            let (mean, scale, shift) = self.evaluation()?;
            for row in x.values_mut().chunks_exact_mut(mean.len().max(1)) {
                for (((x, mean), scale), shift) in row.iter_mut().zip(&mean).zip(&scale).zip(&shift) {
                    *x = (*x - mean) * scale + shift;
                }
            }
            return Ok(Value::Real(x));
        }
        if x.values().is_empty() {
            let got = format!("{} x {}", x.rows(), x.cols());
            return Err(Error::shape("batch_norm", "at least one row and one column to learn from", got));
        }
        let batch = self.statistics(&x);
        self.remember(&batch);
        let mut y = Matrix::zeros(x.rows(), x.cols());
        let features = self.gamma.len();
        let rows = x.values_mut().chunks_exact_mut(features).zip(y.values_mut().chunks_exact_mut(features));
        for (x_hat, y) in rows {
            let batch = batch.mean.iter().zip(&batch.inv_std);
            let units = batch.zip(self.gamma.iter().zip(&self.beta));
            for ((x_hat, y), ((mean, inv_std), (gamma, beta))) in x_hat.iter_mut().zip(y).zip(units) {
                *x_hat = (*x_hat - mean) * inv_std;
                *y = gamma * *x_hat + beta;
            }
        }
        self.kept = Some((x, batch.inv_std));
        Ok(Value::Real(y))
    }

    fn receive(&mut self, _cx: &Context, signal: Signal) -> Result<()> {
        let dy = signal.into_grad("batch_norm")?;
        let (x_hat, inv_std) = kept(&self.kept, "batch_norm", "receive", "forward pass")?;
        check_shape("batch_norm", "a gradient", x_hat.shape(), dy.shape())?;
        let features = self.gamma.len();
        let (mut dgamma, mut dbeta) = (vec![0.0f32; features], vec![0.0f32; features]);
        for (dy, x_hat) in dy.iter_rows().zip(x_hat.iter_rows()) {
            for (((dgamma, dbeta), dy), x_hat) in dgamma.iter_mut().zip(&mut dbeta).zip(dy).zip(x_hat) {
                *dbeta += dy;
                *dgamma += dy * x_hat;
            }
        }
        let share = 1.0 / x_hat.rows() as f32;
        let scale: Vec<f32> =
            self.gamma.iter().zip(inv_std).map(|(gamma, inv_std)| gamma * inv_std).collect();
        let mut dx = dy;
        for (dx, x_hat) in dx.values_mut().chunks_exact_mut(features).zip(x_hat.iter_rows()) {
            for (j, (dx, x_hat)) in dx.iter_mut().zip(x_hat).enumerate() {
                *dx = scale[j] * (*dx - share * dbeta[j] - x_hat * share * dgamma[j]);
            }
        }
        self.gradients = Some(BatchNormGradients { dx, dgamma, dbeta });
        Ok(())
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        kept(&self.gradients, "batch_norm", "send", "signal").map(|g| Signal::Grad(g.dx.clone()))
    }

    fn update(&mut self, _cx: &Context, rate: f64) -> Result<()> {
        let gradients = kept(&self.gradients, "batch_norm", "update", "signal")?;
        let [of_gamma, of_beta] = &mut self.optimizers;
        of_gamma.step(&mut self.gamma, &gradients.dgamma, rate as f32);
        of_beta.step(&mut self.beta, &gradients.dbeta, rate as f32);
        Ok(())
    }

    fn export(&self, to: &mut Exporter) -> Result<()> {
        let (mean, scale, shift) = self.evaluation().map_err(|_| to.refuse("it has not been trained"))?;
        to.scores(mean, scale, shift)
    }

    fn parameters(&self) -> Parameters {
        Parameters { bits: 0, reals: 2 * self.gamma.len() }
    }
}
