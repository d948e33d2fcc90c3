//! Real weights, `(o, i)`, and their three products: `y = x w^T`, `dx = dy w`, `dw = dy^T x`.

use onebit_bits::{Columns, RealView, product};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{
    contract::{context::Context, meter::Parameters, state::State},
    error::{Error, Result},
    numeric::matrix::{Matrix, transpose},
    optimizers::{Optimizer, real_tensor::RealTensor},
};

pub(crate) struct RealWeights {
    values: RealTensor,
    shape: (usize, usize), // o, i
}

impl RealWeights {
    /// Draws weights from `uniform(-r, r)` with `r = sqrt(6 / (fan_in + fan_out))`, which preserves the
    /// magnitude of values and gradients from layer to layer (Glorot and Bengio, AISTATS 2010). `fan_in = i`
    /// and `fan_out = taps o`.
    pub(crate) fn new(
        (outputs, inputs): (usize, usize),
        taps: usize,
        optimizer: impl Optimizer + 'static,
        seed: u64,
    ) -> Self {
        let bound = (6.0 / (inputs as f32 + (taps * outputs) as f32)).sqrt();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let values = (0..outputs * inputs).map(|_| rng.random_range(-bound..bound)).collect();
        Self { values: RealTensor::new(values, optimizer), shape: (outputs, inputs) }
    }

    pub(crate) fn values(&self) -> &[f32] {
        self.values.values()
    }

    /// Number of outputs, `o`.
    pub(crate) fn outputs(&self) -> usize {
        self.shape.0
    }

    /// Starts again from these weights.
    pub(crate) fn restart(&mut self, values: Vec<f32>) -> Result<()> {
        let (outputs, inputs) = self.shape;
        if values.len() != outputs * inputs {
            return Err(Error::shape("real weights", format!("{outputs} x {inputs} weights"), values.len()));
        }
        self.values.restart(values);
        Ok(())
    }

    /// `x w^T`. x: (b, i) -> (b, o)
    pub(crate) fn output(&self, cx: &Context, x: &Matrix) -> Result<Matrix> {
        let (outputs, inputs) = self.shape;
        let (mut turned, mut y) = (cx.matrix(inputs, outputs), cx.matrix(x.rows(), outputs));
        transpose(&cx.engine, self.values(), inputs, &mut turned)?;
        let w = Columns(RealView { rows: inputs, cols: outputs, values: turned.values() });
        product(&cx.engine, x.values(), w, y.values_mut())?;
        cx.recycle([turned]);
        Ok(y)
    }

    /// `dy w`. dy: (b, o) -> (b, i)
    pub(crate) fn input_gradient(&self, cx: &Context, dy: &Matrix) -> Result<Matrix> {
        let (outputs, inputs) = self.shape;
        let mut dx = cx.matrix(dy.rows(), inputs);
        let w = Columns(RealView { rows: outputs, cols: inputs, values: self.values() });
        product(&cx.engine, dy.values(), w, dx.values_mut())?;
        Ok(dx)
    }

    /// `dy^T x`. dy: (b, o), x: (b, i) -> (o, i)
    pub(crate) fn gradient(&self, cx: &Context, dy: &Matrix, x: &Matrix) -> Result<Matrix> {
        let (outputs, inputs) = self.shape;
        let (mut turned, mut dw) = (cx.matrix(outputs, dy.rows()), cx.matrix(outputs, inputs));
        dy.transpose_into(&cx.engine, &mut turned)?;
        let x = Columns(RealView { rows: dy.rows(), cols: inputs, values: x.values() });
        product(&cx.engine, turned.values(), x, dw.values_mut())?;
        cx.recycle([turned]);
        Ok(dw)
    }

    pub(crate) fn update(&mut self, cx: &Context, dw: Matrix, rate: f64) -> Result<()> {
        self.values.step(&cx.engine, dw.values(), rate as f32)?;
        cx.recycle([dw]);
        Ok(())
    }

    pub(crate) fn state(&mut self, state: &mut State) -> Result<()> {
        state.within("weights", |state| self.values.state(state))
    }

    pub(crate) fn parameters(&self) -> Parameters {
        Parameters { bits: 0, reals: self.shape.0 * self.shape.1 }
    }
}
