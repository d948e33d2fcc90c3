//! The layer with real weights, for any [`Walk`] of the weights over the input.
//!
//! [`RealDense`](crate::layers::RealDense) and [`RealConv`](crate::layers::RealConv) are its two forms.

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
    error::Result,
    layers::products::{real_weights::RealWeights, reals::reals},
    numeric::matrix::Matrix,
    optimizers::Optimizer,
};

/// The walk of the weights over the input: a whole row at a time, or a patch of an image at a time.
pub trait Walk: Send + 'static {
    /// The layer's name.
    const NAME: &'static str;

    /// Columns of the input.
    fn inputs(&self) -> usize;

    /// Rows of the output for `rows` rows of the input.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) when the rows are not whole images.
    fn output_rows(&self, rows: usize) -> Result<usize>;

    /// Returns the patches of x, one row for each row of the output; `None` when these are the rows of x.
    ///
    /// # Errors
    /// Returns the errors of the kernels.
    fn gather(&self, cx: &Context, x: &Matrix) -> Result<Option<Matrix>>;

    /// Adds the gradient of the patches up to the gradient of x, which has `rows` rows: the transpose of
    /// [`gather`](Self::gather).
    ///
    /// # Errors
    /// Returns the errors of the kernels.
    fn scatter(&self, cx: &Context, dpatches: Matrix, rows: usize) -> Result<Matrix>;
}

/// Real weights, inputs and sums.
pub struct RealLayer<W> {
    walk: W,
    weights: RealWeights, // (o, i)
    x: Kept<Matrix>,
    dy: Kept<Matrix>,
}

impl<W: Walk> RealLayer<W> {
    pub(crate) fn over(
        walk: W,
        shape: (usize, usize),
        taps: usize,
        optimizer: impl Optimizer + 'static,
        seed: u64,
    ) -> Self {
        let weights = RealWeights::new(shape, taps, optimizer, seed);
        Self { walk, weights, x: Kept::by_forward(W::NAME), dy: Kept::by_receive(W::NAME) }
    }

    /// Starts from these weights, `(o, i)` row-major, of a convolution `(c_out, kh kw c_in)`.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for another number of weights.
    pub fn with_weights(mut self, weights: Vec<f32>) -> Result<Self> {
        self.weights.restart(weights)?;
        Ok(self)
    }

    /// The weights, `(o, i)` row-major, of a convolution `(c_out, kh kw c_in)`.
    pub fn weights(&self) -> &[f32] {
        self.weights.values()
    }

    /// `dL/dw`, in the shape of the weights, for the signal received.
    ///
    /// # Errors
    /// [`Error::Sequence`](crate::Error::Sequence) when no signal was received.
    pub fn weight_gradient(&self, cx: &Context) -> Result<Matrix> {
        let x = self.x.get("update")?;
        let dy = self.dy.get("update")?;
        let patches = self.walk.gather(cx, x)?;
        let dw = self.weights.gradient(cx, dy, patches.as_ref().unwrap_or(x))?;
        cx.recycle(patches);
        Ok(dw)
    }
}

impl<W: Walk> Layer for RealLayer<W> {
    fn name(&self) -> &'static str {
        W::NAME
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        check_cols(W::NAME, self.walk.inputs(), x.cols())?;
        self.walk.output_rows(x.rows())?;
        let x = reals(cx, x)?;
        let patches = self.walk.gather(cx, &x)?;
        let y = self.weights.output(cx, patches.as_ref().unwrap_or(&x))?;
        cx.recycle(patches);
        cx.recycle(self.x.replace(x));
        cx.recycle(self.dy.clear());
        if !cx.training() {
            cx.recycle(self.x.clear());
        }
        Ok(Value::Real(y))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let dy = signal.into_grad(W::NAME)?;
        let rows = self.walk.output_rows(self.x.get("receive")?.rows())?;
        check_shape(W::NAME, "a gradient", (rows, self.weights.outputs()), dy.shape())?;
        cx.recycle(self.dy.replace(dy));
        Ok(())
    }

    fn send(&mut self, cx: &Context) -> Result<Signal> {
        let dy = self.dy.get("send")?;
        let x = self.x.get("send")?;
        let dpatches = self.weights.input_gradient(cx, dy)?;
        self.walk.scatter(cx, dpatches, x.rows()).map(Signal::Grad)
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
