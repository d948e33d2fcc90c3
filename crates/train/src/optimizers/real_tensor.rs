//! Real parameters: their values, and the optimizer that moves them.

use onebit_bits::{Buffer, Engine};

use crate::{
    contract::state::State,
    error::{Error, Result},
    optimizers::{Optimizer, OptimizerConfig, Run},
};

/// Elements per job: five slices of this length stay in the L1 and L2 cache.
const RUN: usize = 4096;

/// Real parameters with their optimizer, the counterpart of
/// [`BinaryTensor`](crate::rules::binary_tensor::BinaryTensor).
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{optimizers::Sgd, real_tensor::RealTensor};
///
/// let mut weights = RealTensor::new(vec![1.0, 2.0], Sgd::new(0.0, 0.0)?);
/// weights.step(&Engine::single(), &[1.0, -4.0], 0.5)?;
/// assert_eq!(weights.values(), [0.5, 4.0]);
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct RealTensor {
    values: Buffer<f32>,
    moments: [Buffer<f32>; 2],
    optimizer: Box<dyn Optimizer>,
}

impl RealTensor {
    /// Creates parameters with these values under `optimizer`.
    pub fn new(values: Vec<f32>, optimizer: impl Optimizer + 'static) -> Self {
        let mut it = Self {
            values: Buffer::new(),
            moments: [Buffer::new(), Buffer::new()],
            optimizer: Box::new(optimizer),
        };
        it.restart(values);
        it
    }

    /// Replaces the optimizer; its state and the moments start from 0.
    pub(crate) fn learn_by(&mut self, optimizer: &OptimizerConfig) -> Result<()> {
        let values = self.values.to_vec();
        self.optimizer = optimizer.build()?;
        self.restart(values);
        Ok(())
    }

    /// Replaces the values and sets the moments to 0.
    pub(crate) fn restart(&mut self, values: Vec<f32>) {
        self.moments = [(); 2].map(|()| Buffer::zeros(values.len()));
        self.values = Buffer::zeros(values.len());
        self.values.copy_from_slice(&values);
    }

    /// The values.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Takes one step along `grad`, which has the length of the values.
    ///
    /// # Errors
    /// [`Error::Shape`] if `grad` has another length.
    pub fn step(&mut self, engine: &Engine, grad: &[f32], rate: f32) -> Result<()> {
        if grad.len() != self.values.len() {
            return Err(Error::shape("step", format!("{} slopes", self.values.len()), grad.len()));
        }
        let isa = engine.isa();
        let (optimizer, params, [m, v]) = self.begin(rate, 1.0);
        Ok(engine.chunks((params, m, v, grad), RUN, |_, (params, m, v, grad)| {
            optimizer.run(isa, Run { params, grad, moments: [m, v] });
        })?)
    }

    /// Names the values, the moments and the state of the optimizer, as
    /// [`Layer::state`](crate::contract::layer::Layer::state) does.
    ///
    /// # Errors
    /// Returns the errors of `state`.
    pub fn state(&mut self, state: &mut State) -> Result<()> {
        state.reals("values", &mut self.values)?;
        let [m, v] = &mut self.moments;
        state.reals("m", m)?;
        state.reals("v", v)?;
        state.within("optimizer", |state| self.optimizer.state(state))
    }

    /// Begins a step that is multiplied by `scale`, for a caller with the gradient in runs. Returns the
    /// optimizer, the values and the moments.
    pub(crate) fn begin(&mut self, rate: f32, scale: f32) -> (&dyn Optimizer, &mut [f32], [&mut [f32]; 2]) {
        self.optimizer.begin(rate, scale);
        let [m, v] = &mut self.moments;
        (&*self.optimizer, &mut self.values, [m, v])
    }
}
