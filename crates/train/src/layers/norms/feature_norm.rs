//! The layer that normalizes each feature over the batch, for any [`Formula`].
//!
//! [`BatchNorm`](crate::layers::BatchNorm) and [`ShiftBatchNorm`](crate::layers::ShiftBatchNorm) are its two
//! forms.

use onebit_bits::{Engine, Isa, vectorized};

use crate::{
    contract::{
        check::{check_cols, check_shape},
        context::Context,
        export::Exporter,
        kept::Kept,
        layer::Layer,
        meter::Parameters,
        state::State,
        value::{Signal, Value},
    },
    error::{Error, Result},
    numeric::{
        batch_blocks::Block,
        batch_sums::{BatchSums, rows_of},
        jobs::job_of_rows,
        matrix::Matrix,
    },
    optimizers::{Adam, OptimizerConfig, real_tensor::RealTensor},
};

/// The gradients of `gamma` and `beta` from one backward pass.
#[derive(Clone, Debug, Default)]
pub struct BatchNormGradients {
    /// `dL/dgamma`, `(x)`.
    pub dgamma: Vec<f32>,
    /// `dL/dbeta`, `(x)`.
    pub dbeta: Vec<f32>,
}

/// The statistics that normalize a batch, or their running means, which evaluation uses.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchNormStatistics {
    /// `mean`, `(x)`.
    pub mean: Vec<f32>,
    /// `1 / sqrt(variance + eps)` with the biased variance, `(x)`.
    pub inv_std: Vec<f32>,
}

impl BatchNormStatistics {
    /// Moves the running statistics toward a batch: the first batch sets them, then
    /// `new = (1 - share) old + share batch`.
    fn follow(running: &mut Option<Self>, batch: &Self, share: f32) {
        let Some(running) = running else {
            *running = Some(batch.clone());
            return;
        };
        for (old, new) in [(&mut running.mean, &batch.mean), (&mut running.inv_std, &batch.inv_std)] {
            old.iter_mut().zip(new).for_each(|(old, new)| *old = (1.0 - share) * *old + share * new);
        }
    }

    /// Names the running statistics, which are absent before the first batch; `batch` has their length.
    fn state(running: &mut Option<Self>, batch: &Self, state: &mut State) -> Result<()> {
        let mut there = running.is_some();
        state.flag("running", &mut there)?;
        *running = there.then(|| running.take().unwrap_or_else(|| batch.clone()));
        if let Some(running) = running {
            state.reals("running_mean", &mut running.mean)?;
            state.reals("running_inv_std", &mut running.inv_std)?;
        }
        Ok(())
    }
}

/// The arithmetic of a normalization: its statistics, forward pass and backward pass.
pub trait Formula: Default + Send + 'static {
    /// The layer's name.
    const NAME: &'static str;

    /// Share of the newest batch in the running statistics.
    const MOMENTUM: f32;

    /// Computes the statistics of the batch `x`, `(b, x)`.
    ///
    /// # Errors
    /// Returns the errors of the engine.
    fn measure(&mut self, engine: &Engine, x: &Matrix, batch: &mut BatchNormStatistics) -> Result<()>;

    /// Returns the factor of `x - mean` in evaluation.
    fn scale(gamma: f32, inv_std: f32) -> f32;

    /// Turns x into `x_hat` and computes `y = gamma x_hat + beta`; x, y: whole rows.
    fn normalize(
        isa: Isa,
        x: &mut [f32],
        y: &mut [f32],
        batch: &BatchNormStatistics,
        gamma: &[f32],
        beta: &[f32],
    );

    /// Turns dy into dx; dy, x_hat: whole rows of a batch of `1 / share` rows.
    fn pass_back(
        isa: Isa,
        dy: &mut [f32],
        x_hat: &[f32],
        share: f32,
        gamma: &[f32],
        inv_std: &[f32],
        sums: &BatchNormGradients,
    );
}

/// Normalizes, scales and shifts each feature over the batch.
pub struct FeatureNorm<F> {
    gamma: RealTensor,
    beta: RealTensor,
    running: Option<BatchNormStatistics>,
    batch: BatchNormStatistics,
    x_hat: Kept<Matrix>, // (b, x)
    dx: Kept<Matrix>,    // (b, x)
    gradients: BatchNormGradients,
    received: bool,
    gradient_sums: BatchSums<f32, 2>,
    formula: F,
}

impl<F: Formula> FeatureNorm<F> {
    /// A norm of `features` with `gamma = 1` and `beta = 0`; both learn by Adam.
    pub fn new(features: usize) -> Self {
        Self::with_affine(vec![1.0; features], vec![0.0; features])
    }

    /// A norm that starts from these `gamma` and `beta`, `(x)` both.
    pub fn with_affine(gamma: Vec<f32>, beta: Vec<f32>) -> Self {
        let zeros = vec![0.0; gamma.len()];
        Self {
            running: None,
            batch: BatchNormStatistics { mean: zeros.clone(), inv_std: zeros.clone() },
            x_hat: Kept::by_forward(F::NAME),
            dx: Kept::by_receive(F::NAME),
            gradients: BatchNormGradients { dgamma: zeros.clone(), dbeta: zeros },
            received: false,
            gradient_sums: BatchSums::default(),
            gamma: RealTensor::new(gamma, Adam::new()),
            beta: RealTensor::new(beta, Adam::new()),
            formula: F::default(),
        }
    }

    /// Starts from the running statistics of an earlier training instead of those of the first batch.
    ///
    /// # Errors
    /// [`Error::Shape`] unless each feature has one mean and one inverse deviation.
    pub fn with_running(mut self, running: BatchNormStatistics) -> Result<Self> {
        for (what, values) in [("mean", &running.mean), ("inverse deviation", &running.inv_std)] {
            if values.len() != self.features() {
                let expected = format!("a running {what} of {} features", self.features());
                return Err(Error::shape(F::NAME, expected, values.len()));
            }
        }
        self.running = Some(running);
        Ok(self)
    }

    /// Trains `gamma` and `beta` by this optimizer instead of Adam.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting of the optimizer outside its range.
    pub fn with_optimizer(mut self, optimizer: &OptimizerConfig) -> Result<Self> {
        self.gamma.learn_by(optimizer)?;
        self.beta.learn_by(optimizer)?;
        Ok(self)
    }

    /// `gamma` and `beta`, `(x)` both, as they are trained.
    pub fn affine(&self) -> (&[f32], &[f32]) {
        (self.gamma.values(), self.beta.values())
    }

    /// The running statistics; `None` before the first batch.
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

    /// Mean, scale and shift of evaluation, `y = (x - mean) scale + shift`, `(x)` each.
    fn evaluation(&self) -> Result<(Vec<f32>, Vec<f32>, Vec<f32>)> {
        let Some(running) = &self.running else {
            return Err(Error::Sequence { layer: F::NAME, verb: "evaluate", needs: "training step" });
        };
        let features = self.gamma.values().iter().zip(&running.inv_std);
        let scale = features.map(|(gamma, inv_std)| F::scale(*gamma, *inv_std)).collect();
        Ok((running.mean.clone(), scale, self.beta.values().to_vec()))
    }
}

impl<F: Formula> Layer for FeatureNorm<F> {
    fn name(&self) -> &'static str {
        F::NAME
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let mut x = x.into_real(F::NAME)?; // x: (b, x) real
        let features = self.features();
        check_cols(F::NAME, features, x.cols())?;
        if self.beta.values().len() != features {
            let expected = format!("a beta of {features} features");
            return Err(Error::shape(F::NAME, expected, self.beta.values().len()));
        }
        self.received = false;
        cx.recycle(self.x_hat.clear());
        cx.recycle(self.dx.clear());
        if !cx.training() {
            let (mean, scale, shift) = self.evaluation()?;
            cx.engine.chunks(x.values_mut(), job_of_rows(features), |_, x| {
                affine(cx.engine.isa(), x, &mean, &scale, &shift);
            })?;
            return Ok(Value::Real(x));
        }
        if x.values().is_empty() {
            let got = format!("{} x {}", x.rows(), x.cols());
            return Err(Error::shape(F::NAME, "at least one row and one column to learn from", got));
        }
        self.formula.measure(&cx.engine, &x, &mut self.batch)?;
        BatchNormStatistics::follow(&mut self.running, &self.batch, F::MOMENTUM);
        let mut y = cx.matrix(x.rows(), x.cols());
        let (gamma, beta) = self.affine();
        cx.engine.chunks((x.values_mut(), y.values_mut()), job_of_rows(features), |_, (x, y)| {
            F::normalize(cx.engine.isa(), x, y, &self.batch, gamma, beta);
        })?;
        self.x_hat.set(x);
        Ok(Value::Real(y))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let mut dy = signal.into_grad(F::NAME)?;
        let x_hat = self.x_hat.get("receive")?;
        check_shape(F::NAME, "a gradient", x_hat.shape(), dy.shape())?;
        let (engine, isa) = (&cx.engine, cx.engine.isa());
        let add = |part, sums: [&mut [f32]; 2]| add_gradients(isa, &dy, x_hat, part, sums);
        let sums = self.gradient_sums.over(engine, x_hat, add)?;
        let BatchNormGradients { dgamma, dbeta } = &mut self.gradients;
        for (feature, (dgamma, dbeta)) in dgamma.iter_mut().zip(dbeta).enumerate() {
            [*dgamma, *dbeta] = sums.of(feature).map(|sum| sum as f32);
        }
        let share = 1.0 / x_hat.rows() as f32;
        let gamma = self.gamma.values();
        let sums = &self.gradients;
        engine.chunks((dy.values_mut(), x_hat.values()), job_of_rows(gamma.len()), |_, (dy, x_hat)| {
            F::pass_back(isa, dy, x_hat, share, gamma, &self.batch.inv_std, sums);
        })?;
        self.received = true;
        cx.recycle(self.dx.replace(dy));
        Ok(())
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        self.dx.take("send").map(Signal::Grad)
    }

    fn update(&mut self, cx: &Context, rate: f64) -> Result<()> {
        if !self.received {
            return Err(Error::Sequence { layer: F::NAME, verb: "update", needs: "signal" });
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

vectorized! {
    /// `x <- (x - mean) scale + shift`; x: whole rows.
    pub(crate) fn affine<'a>(x: &'a mut [f32], mean: &'a [f32], scale: &'a [f32], shift: &'a [f32]) {
        for row in x.chunks_exact_mut(mean.len()) {
            for (((x, mean), scale), shift) in row.iter_mut().zip(mean).zip(scale).zip(shift) {
                *x = (*x - mean) * scale + shift;
            }
        }
    }
}

vectorized! {
    /// Adds the rows of a part to `sum dy x_hat` and `sum dy` of its features.
    fn add_gradients<'a>(dy: &'a Matrix, x_hat: &'a Matrix, block: Block, sums: [&'a mut [f32]; 2]) {
        let [dgamma, dbeta] = sums;
        for (dy, x_hat) in rows_of(dy, block).zip(rows_of(x_hat, block)) {
            for ((dgamma, dbeta), (dy, x_hat)) in dgamma.iter_mut().zip(&mut *dbeta).zip(dy.iter().zip(x_hat)) {
                *dbeta += dy;
                *dgamma += dy * x_hat;
            }
        }
    }
}
