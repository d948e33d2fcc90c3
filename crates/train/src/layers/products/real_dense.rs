//! The dense layer with real weights: for the first or last layer of a network that keeps them real, and for the twin
//! in floats that a binary network is compared with.
//!
//! Forward: `y = x w^T`, x `(b, i)` of any kind, w `(o, i)` and y `(b, o)` real. Backward: `dx = dy w`, `dw = dy^T x`.
//! There is no bias, for a norm follows.

use crate::{
    contract::{
        check::{check_cols, check_shape, check_sizes, kept},
        context::Context,
        export::Exporter,
        layer::Layer,
        meter::Parameters,
        state::State,
        value::{Signal, Value},
    },
    error::Result,
    layers::products::{real_weights::RealWeights, reals::reals},
    numeric::matrix::Matrix,
    optimizers::Optimizer,
};

/// Real weights, inputs and sums.
pub struct RealDense {
    sizes: (usize, usize), // o, i
    weights: RealWeights,
    x: Option<Matrix>,  // (b, i)
    dy: Option<Matrix>, // (b, o)
}

impl RealDense {
    /// Weights `(outputs, inputs)`, uniform within `+-sqrt(6 / (inputs + outputs))`, that learn by `optimizer`.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) when a size is 0.
    pub fn new(
        inputs: usize,
        outputs: usize,
        optimizer: impl Optimizer + 'static,
        seed: u64,
    ) -> Result<Self> {
        check_sizes("real_dense", [inputs, outputs, 1])?;
        let sizes = (outputs, inputs);
        Ok(Self { sizes, weights: RealWeights::new(sizes, 1, optimizer, seed), x: None, dy: None })
    }

    /// Starts from these weights, `(o, i)`, row-major.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for another number of them.
    pub fn with_weights(mut self, weights: Vec<f32>) -> Result<Self> {
        self.weights.restart(weights)?;
        Ok(self)
    }

    /// The weights, `(o, i)`, row-major.
    pub fn weights(&self) -> &[f32] {
        self.weights.values()
    }

    /// `dL/dw`, `(o, i)`, of the signal received.
    ///
    /// # Errors
    /// [`Error::Sequence`](crate::Error::Sequence) when nothing was received.
    pub fn weight_gradient(&self, cx: &Context) -> Result<Matrix> {
        let x = kept(&self.x, "real_dense", "update", "forward pass")?;
        let dy = kept(&self.dy, "real_dense", "update", "signal")?;
        self.weights.gradient(cx, dy, x)
    }
}

impl Layer for RealDense {
    fn name(&self) -> &'static str {
        "real_dense"
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        check_cols("real_dense", self.sizes.1, x.cols())?;
        let x = reals(cx, x)?;
        let y = self.weights.output(cx, &x)?;
        cx.recycle(self.x.replace(x));
        cx.recycle(self.dy.take());
        if !cx.training() {
            cx.recycle(self.x.take());
        }
        Ok(Value::Real(y))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let dy = signal.into_grad("real_dense")?;
        let x = kept(&self.x, "real_dense", "receive", "forward pass")?;
        check_shape("real_dense", "a gradient", (x.rows(), self.sizes.0), dy.shape())?;
        cx.recycle(self.dy.replace(dy));
        Ok(())
    }

    fn send(&mut self, cx: &Context) -> Result<Signal> {
        let dy = kept(&self.dy, "real_dense", "send", "signal")?;
        self.weights.input_gradient(cx, dy).map(Signal::Grad)
    }

    fn update(&mut self, cx: &Context, rate: f64) -> Result<()> {
        let dw = self.weight_gradient(cx)?;
        self.weights.update(cx, dw, rate)
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        self.weights.state(state)
    }

    fn export(&self, to: &mut Exporter) -> Result<()> {
        Err(to.refuse("its weights are real"))
    }

    fn parameters(&self) -> Parameters {
        self.weights.parameters()
    }
}
