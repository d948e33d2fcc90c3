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
//!
//! Each sum over the batch is of sums of 128 rows, in their order, on any number of threads.

use onebit_bits::{Engine, vectorized};

use crate::{
    contract::{
        check::{check_cols, check_shape, kept, take},
        context::Context,
        export::Exporter,
        layer::Layer,
        meter::Parameters,
        state::State,
        value::{Signal, Value},
    },
    error::{Error, Result},
    layers::norms::norm::{BatchNormGradients, BatchNormStatistics, add_gradients, affine},
    numeric::{
        batch_blocks::{Block, Grid},
        batch_sums::{BatchSums, rows_of},
        jobs::job_of_rows,
        matrix::Matrix,
    },
    optimizers::{Adam, OptimizerConfig, real_tensor::RealTensor},
};

const EPS: f64 = 1e-4;
const MOMENTUM: f32 = 0.1;

/// Normalizes, scales and shifts each feature.
pub struct BatchNorm {
    gamma: RealTensor,
    beta: RealTensor,
    running: Option<BatchNormStatistics>,
    batch: BatchNormStatistics,
    x_hat: Option<Matrix>, // (b, x)
    dx: Option<Matrix>,    // (b, x), until it is sent
    gradients: BatchNormGradients,
    received: bool,
    parts: [Vec<f64>; 3], // sums of parts of the batch, kept only to be written again
    gradient_sums: BatchSums<f32, 2>,
}

impl BatchNorm {
    /// `gamma = 1`, `beta = 0` for each of `features`; both learn by Adam.
    pub fn new(features: usize) -> Self {
        Self::with_affine(vec![1.0; features], vec![0.0; features])
    }

    /// Another start for `gamma` and `beta`, of the same length.
    pub fn with_affine(gamma: Vec<f32>, beta: Vec<f32>) -> Self {
        let zeros = vec![0.0; gamma.len()];
        Self {
            running: None,
            batch: BatchNormStatistics { mean: zeros.clone(), inv_std: zeros.clone() },
            x_hat: None,
            dx: None,
            gradients: BatchNormGradients { dgamma: zeros.clone(), dbeta: zeros },
            received: false,
            parts: Default::default(),
            gradient_sums: BatchSums::default(),
            gamma: RealTensor::new(gamma, Adam::new()),
            beta: RealTensor::new(beta, Adam::new()),
        }
    }

    /// Both learn by another optimizer.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting of it outside its range.
    pub fn with_optimizer(mut self, optimizer: &OptimizerConfig) -> Result<Self> {
        self.gamma.learn_by(optimizer)?;
        self.beta.learn_by(optimizer)?;
        Ok(self)
    }

    /// `gamma` and `beta`.
    pub fn affine(&self) -> (&[f32], &[f32]) {
        (self.gamma.values(), self.beta.values())
    }

    fn features(&self) -> usize {
        self.gamma.values().len()
    }

    /// Starts from running statistics of an earlier training, in place of those of the first batch.
    ///
    /// # Errors
    /// [`Error::Shape`] unless there is one mean and one inverse deviation for each feature.
    pub fn with_running(mut self, running: BatchNormStatistics) -> Result<Self> {
        check_cols("batch_norm running mean", self.features(), running.mean.len())?;
        check_cols("batch_norm running inverse deviation", self.features(), running.inv_std.len())?;
        self.running = Some(running);
        Ok(self)
    }

    /// The running statistics; none before the first batch.
    pub fn running(&self) -> Option<&BatchNormStatistics> {
        self.running.as_ref()
    }

    /// The gradients of the last signal received.
    pub fn gradients(&self) -> Option<&BatchNormGradients> {
        self.received.then_some(&self.gradients)
    }

    /// Mean, scale and shift in evaluation: `y = (x - mean) scale + shift`.
    fn evaluation(&self) -> Result<(Vec<f32>, Vec<f32>, Vec<f32>)> {
        let running = kept(&self.running, "batch_norm", "evaluate", "training step")?;
        let scale = self.gamma.values().iter().zip(&running.inv_std).map(|(g, s)| g * s).collect();
        Ok((running.mean.clone(), scale, self.beta.values().to_vec()))
    }

    /// The statistics of the batch `x`: (b, x); the running ones follow.
    fn look(&mut self, engine: &Engine, x: &Matrix) -> Result<()> {
        let grid = Grid::over(x);
        let [sums, means, squares] = &mut self.parts;
        for parts in [&mut *sums, means, squares] {
            parts.resize(grid.len(), 0.0);
        }
        engine.chunks((&mut sums[..], &mut means[..], &mut squares[..]), grid.width, |first, parts| {
            statistics(engine.isa(), x, grid.block(first), parts);
        })?;
        let BatchNormStatistics { mean, inv_std } = &mut self.batch;
        for (feature, (mean, inv_std)) in mean.iter_mut().zip(inv_std).enumerate() {
            let parts = || grid.blocks_of(feature).map(|(at, rows)| (sums[at], means[at], squares[at], rows));
            *mean = (parts().map(|(sum, ..)| sum).sum::<f64>() / x.rows() as f64) as f32;
            let about = |(sum, own, square, rows): (f64, f64, f64, f64)| {
                let off = own - f64::from(*mean); // of a single part: 0
                square + off * (2.0 * (sum - rows * own) + rows * off)
            };
            let variance = parts().map(about).sum::<f64>() / x.rows() as f64;
            *inv_std = (1.0 / (variance.max(0.0) + EPS).sqrt()) as f32;
        }
        BatchNormStatistics::follow(&mut self.running, &self.batch, MOMENTUM);
        Ok(())
    }
}

/// Sum, mean and sum of squared distances from that mean, of each feature of a part.
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
    /// x becomes x_hat; x, y: whole rows.
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
    /// dy becomes dx; dy, x_hat: whole rows of a batch of `1 / share`.
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

impl Layer for BatchNorm {
    fn name(&self) -> &'static str {
        "batch_norm"
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let mut x = x.into_real("batch_norm")?; // x: (b, x) real
        let features = self.features();
        check_cols("batch_norm", features, x.cols())?;
        check_cols("batch_norm beta", x.cols(), self.beta.values().len())?;
        self.received = false;
        cx.recycle(self.x_hat.take());
        cx.recycle(self.dx.take());
        if !cx.training() {
            let (mean, scale, shift) = self.evaluation()?;
            cx.engine.chunks(x.values_mut(), job_of_rows(features), |_, x| {
                affine(cx.engine.isa(), x, &mean, &scale, &shift);
            })?;
            return Ok(Value::Real(x));
        }
        if x.values().is_empty() {
            let got = format!("{} x {}", x.rows(), x.cols());
            return Err(Error::shape("batch_norm", "at least one row and one column to learn from", got));
        }
        self.look(&cx.engine, &x)?;
        let mut y = cx.matrix(x.rows(), x.cols());
        let (gamma, beta) = self.affine();
        cx.engine.chunks((x.values_mut(), y.values_mut()), job_of_rows(features), |_, (x, y)| {
            normalize(cx.engine.isa(), x, y, &self.batch, gamma, beta);
        })?;
        self.x_hat = Some(x);
        Ok(Value::Real(y))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let mut dy = signal.into_grad("batch_norm")?;
        let x_hat = kept(&self.x_hat, "batch_norm", "receive", "forward pass")?;
        check_shape("batch_norm", "a gradient", x_hat.shape(), dy.shape())?;
        let (engine, isa) = (&cx.engine, cx.engine.isa());
        let sums = self
            .gradient_sums
            .over(engine, x_hat, |part, sums| add_gradients(isa, &dy, x_hat, part, sums))?;
        let BatchNormGradients { dgamma, dbeta } = &mut self.gradients;
        for (feature, (dgamma, dbeta)) in dgamma.iter_mut().zip(dbeta).enumerate() {
            [*dgamma, *dbeta] = sums.of(feature).map(|sum| sum as f32);
        }
        let share = 1.0 / x_hat.rows() as f32;
        let (gamma, sums) = (self.gamma.values(), &self.gradients);
        let part = job_of_rows(gamma.len());
        engine.chunks((dy.values_mut(), x_hat.values()), part, |_, (dy, x_hat)| {
            pass_back(isa, dy, x_hat, share, gamma, &self.batch.inv_std, sums);
        })?;
        self.received = true;
        cx.recycle(self.dx.replace(dy));
        Ok(())
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        take(&mut self.dx, "batch_norm", "send", "signal").map(Signal::Grad)
    }

    fn update(&mut self, cx: &Context, rate: f64) -> Result<()> {
        if !self.received {
            return Err(Error::Sequence { layer: "batch_norm", verb: "update", needs: "signal" });
        }
        let BatchNormGradients { dgamma, dbeta } = &self.gradients;
        self.gamma.step(&cx.engine, dgamma, rate as f32)?;
        self.beta.step(&cx.engine, dbeta, rate as f32)
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        BatchNormStatistics::state(&mut self.running, &self.batch, state)?;
        state.within("gamma", |state| self.gamma.state(state))?;
        state.within("beta", |state| self.beta.state(state))
    }

    fn export(&self, to: &mut Exporter) -> Result<()> {
        let (mean, scale, shift) = self.evaluation().map_err(|_| to.refuse("it has not been trained"))?;
        to.scores(mean, scale, shift)
    }

    fn parameters(&self) -> Parameters {
        Parameters { bits: 0, reals: 2 * self.features() }
    }
}
