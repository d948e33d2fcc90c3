//! Shift-based batch normalization (arXiv:1602.02830, section 1.3): every factor is a power of two.
//!
//! With `AP2(x) = sgn(x) 2^round(log2 |x|)` and `AP2(0) = 0`, forward over a batch of `b`, for each feature:
//! `mean = sum x / b`, `c = x - mean`, `inv_std = 1 / sqrt(sum c AP2(c) / b + eps)`, `x_hat = c AP2(inv_std)`,
//! `y = AP2(gamma) x_hat + beta`. In evaluation `y = (x - running_mean) (AP2(gamma) AP2(running_inv_std)) + beta`.
//!
//! Backward, straight through every AP2: `dbeta = sum dy`, `dgamma = sum dy AP2(x_hat)`,
//! `dx = AP2(gamma) AP2(inv_std) (dy - dbeta / b - AP2(x_hat) dgamma / b)`.
//!
//! Running statistics: the first batch sets them, then `new = 0.875 old + 0.125 batch`; neither is rounded.
//!
//! Paper and code of the authors differ, and this is the code. The paper lists the forward pass over a batch alone, without
//! `beta`; what evaluation uses and the way back are only in the code, in Torch. In one point the code is not followed: it
//! starts the running mean at 0 and the running inverse deviation at 0 or 1, and so forgets these only slowly.

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
        ap2::ap2,
        batch_blocks::Block,
        batch_sums::{BatchSums, rows_of},
        jobs::job_of_rows,
        matrix::Matrix,
    },
    optimizers::{Adam, OptimizerConfig, real_tensor::RealTensor},
};

const EPS: f64 = 1e-5;
const MOMENTUM: f32 = 0.125;

/// Normalizes, scales and shifts each feature, with shifts of binary digits in place of multiplications.
pub struct ShiftBatchNorm {
    gamma: RealTensor,
    beta: RealTensor,
    running: Option<BatchNormStatistics>,
    batch: BatchNormStatistics,
    x_hat: Option<Matrix>, // AP2 of it: (b, x)
    dx: Option<Matrix>,    // (b, x), until it is sent
    gradients: BatchNormGradients,
    received: bool,
    sums: BatchSums<f64, 1>,
    gradient_sums: BatchSums<f32, 2>,
}

impl ShiftBatchNorm {
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
            sums: BatchSums::default(),
            gradient_sums: BatchSums::default(),
            gamma: RealTensor::new(gamma, Adam::new()),
            beta: RealTensor::new(beta, Adam::new()),
        }
    }

    /// Starts from running statistics of an earlier training, in place of those of the first batch.
    ///
    /// # Errors
    /// [`Error::Shape`] unless there is one mean and one inverse deviation for each feature.
    pub fn with_running(mut self, running: BatchNormStatistics) -> Result<Self> {
        check_cols("shift_batch_norm running mean", self.features(), running.mean.len())?;
        check_cols("shift_batch_norm running inverse deviation", self.features(), running.inv_std.len())?;
        self.running = Some(running);
        Ok(self)
    }

    /// Learns by another optimizer than Adam.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for a setting of it outside its range.
    pub fn with_optimizer(mut self, optimizer: &OptimizerConfig) -> Result<Self> {
        self.gamma.learn_by(optimizer)?;
        self.beta.learn_by(optimizer)?;
        Ok(self)
    }

    /// `gamma` and `beta`, before they are rounded.
    pub fn affine(&self) -> (&[f32], &[f32]) {
        (self.gamma.values(), self.beta.values())
    }

    /// The running statistics, not rounded; none before the first batch.
    pub fn running(&self) -> Option<&BatchNormStatistics> {
        self.running.as_ref()
    }

    /// The gradients of the last signal received.
    pub fn gradients(&self) -> Option<&BatchNormGradients> {
        self.received.then_some(&self.gradients)
    }

    fn features(&self) -> usize {
        self.gamma.values().len()
    }

    /// Mean, scale and shift in evaluation: `y = (x - mean) scale + shift`.
    fn evaluation(&self) -> Result<(Vec<f32>, Vec<f32>, Vec<f32>)> {
        let running = kept(&self.running, "shift_batch_norm", "evaluate", "training step")?;
        let scales = self.gamma.values().iter().zip(&running.inv_std);
        let scale = scales.map(|(gamma, inv_std)| ap2(*gamma) * ap2(*inv_std)).collect();
        Ok((running.mean.clone(), scale, self.beta.values().to_vec()))
    }

    /// The statistics of the batch `x`: (b, x); the running ones follow.
    fn look(&mut self, engine: &Engine, x: &Matrix) -> Result<()> {
        let BatchNormStatistics { mean, inv_std } = &mut self.batch;
        let sums = self.sums.over(engine, x, |part, sums| add_up(engine.isa(), x, part, sums))?;
        for (feature, mean) in mean.iter_mut().enumerate() {
            *mean = (sums.of(feature)[0] / x.rows() as f64) as f32;
        }
        let add = |part, sums: [&mut [f64]; 1]| add_spread(engine.isa(), x, mean, part, sums);
        let sums = self.sums.over(engine, x, add)?;
        for (feature, inv_std) in inv_std.iter_mut().enumerate() {
            *inv_std = (1.0 / (sums.of(feature)[0] / x.rows() as f64 + EPS).sqrt()) as f32;
        }
        BatchNormStatistics::follow(&mut self.running, &self.batch, MOMENTUM);
        Ok(())
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
    fn add_spread<'a>(x: &'a Matrix, mean: &'a [f32], part: Block, sums: [&'a mut [f64]; 1]) {
        let ([sums], mean) = (sums, &mean[part.col..]);
        for x in rows_of(x, part) {
            for ((sum, &x), &mean) in sums.iter_mut().zip(x).zip(mean) {
                let c = x - mean;
                *sum += f64::from(c) * f64::from(ap2(c));
            }
        }
    }
}

vectorized! {
    /// x becomes AP2(x_hat); x, y: whole rows.
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
    /// dy becomes dx; dy, x_hat: whole rows of a batch of `1 / share`.
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

impl Layer for ShiftBatchNorm {
    fn name(&self) -> &'static str {
        "shift_batch_norm"
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let mut x = x.into_real("shift_batch_norm")?; // x: (b, x) real
        let features = self.features();
        check_cols("shift_batch_norm", features, x.cols())?;
        check_cols("shift_batch_norm beta", x.cols(), self.beta.values().len())?;
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
            let (expected, got) =
                ("at least one row and one column to learn from", format!("{} x {}", x.rows(), x.cols()));
            return Err(Error::shape("shift_batch_norm", expected, got));
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
        let mut dy = signal.into_grad("shift_batch_norm")?;
        let x_hat = kept(&self.x_hat, "shift_batch_norm", "receive", "forward pass")?;
        check_shape("shift_batch_norm", "a gradient", x_hat.shape(), dy.shape())?;
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
        take(&mut self.dx, "shift_batch_norm", "send", "signal").map(Signal::Grad)
    }

    fn update(&mut self, cx: &Context, rate: f64) -> Result<()> {
        if !self.received {
            return Err(Error::Sequence { layer: "shift_batch_norm", verb: "update", needs: "signal" });
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
