//! A learned factor for each channel (RBNN, arXiv:2009.13055; ReCU, arXiv:2103.12369).

use onebit_bits::vectorized;

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
    layers::{norms::per_channel::PerChannel, products::scaling},
    numeric::{
        batch_blocks::Block,
        batch_sums::{BatchSums, rows_of},
        matrix::Matrix,
    },
};

const NAME: &str = "channel_scale";

/// Multiplies each channel by a learned factor (RBNN, arXiv:2009.13055; ReCU, arXiv:2103.12369).
///
/// After a product of bits the factor restores the magnitude that binary weights lack. Forward:
/// `y = x factor`. Backward: `dx = dy factor`, `dfactor = sum dy x` over the batch. x, y: `(b, x)` real.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{
///     Matrix, Signal, Value,
///     layer::{Context, Layer},
///     layers::ChannelScale,
/// };
///
/// let cx = Context::train(&Engine::single());
/// let mut scale = ChannelScale::new(vec![2.0, -1.0])?;
/// let y = scale.forward(&cx, Value::Real(Matrix::new(1, 2, vec![3.0, 4.0])?))?;
/// assert_eq!(y, Value::Real(Matrix::new(1, 2, vec![6.0, -4.0])?));
///
/// scale.receive(&cx, Signal::Grad(Matrix::new(1, 2, vec![1.0, 10.0])?))?;
/// assert_eq!(scale.gradient(), Some(&[3.0, 40.0][..]));
/// assert_eq!(scale.send(&cx)?, Signal::Grad(Matrix::new(1, 2, vec![2.0, -10.0])?));
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct ChannelScale {
    factors: PerChannel,
    x: Kept<Matrix>,
    dx: Kept<Matrix>,
    sums: BatchSums<f32, 1>,
}

impl ChannelScale {
    /// Starts from these factors, `(x)`, which learn by Adam. RBNN starts from the mean magnitude of each
    /// output's weights.
    ///
    /// # Errors
    /// [`Error::Setting`] when a factor is not finite.
    pub fn new(factors: Vec<f32>) -> Result<Self> {
        if let Some(factor) = factors.iter().find(|factor| !factor.is_finite()) {
            return Err(Error::setting(NAME, "finite factors", factor));
        }
        Ok(Self {
            factors: PerChannel::new(factors),
            x: Kept::by_forward(NAME),
            dx: Kept::by_receive(NAME),
            sums: BatchSums::default(),
        })
    }

    /// The factors, `(x)`.
    pub fn factors(&self) -> &[f32] {
        self.factors.values()
    }

    /// `dfactor` for the last signal received, `(x)`.
    pub fn gradient(&self) -> Option<&[f32]> {
        self.factors.gradient()
    }
}

vectorized! {
    fn add_products<'a>(dy: &'a Matrix, x: &'a Matrix, part: Block, sums: [&'a mut [f32]; 1]) {
        let [sums] = sums;
        for (dy, x) in rows_of(dy, part).zip(rows_of(x, part)) {
            for (sum, (dy, x)) in sums.iter_mut().zip(dy.iter().zip(x)) {
                *sum += dy * x;
            }
        }
    }
}

impl Layer for ChannelScale {
    fn name(&self) -> &'static str {
        NAME
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let mut x = x.into_real(NAME)?; // x: (b, x) real
        check_cols(NAME, self.factors().len(), x.cols())?;
        cx.recycle(self.x.clear());
        cx.recycle(self.dx.clear());
        self.factors.wait();
        if cx.training() {
            self.x.set(cx.copy(&x));
        }
        scaling::multiply(cx, &mut x, Some(self.factors()))?;
        Ok(Value::Real(x))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let mut dy = signal.into_grad(NAME)?;
        let x = self.x.get("receive")?;
        check_shape(NAME, "a gradient", x.shape(), dy.shape())?;
        let engine = &cx.engine;
        let sums = self.sums.over(engine, x, |part, sums| add_products(engine.isa(), &dy, x, part, sums))?;
        scaling::multiply(cx, &mut dy, Some(self.factors.values()))?;
        self.factors.receive(|channel| sums.of(channel)[0]);
        cx.recycle(self.dx.replace(dy));
        Ok(())
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        self.dx.take("send").map(Signal::Grad)
    }

    fn update(&mut self, cx: &Context, rate: f64) -> Result<()> {
        self.factors.update(cx, NAME, rate)
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        self.factors.state("factors", state)
    }

    fn export(&self, to: &mut Exporter) -> Result<()> {
        to.factors(self.factors())
    }

    fn parameters(&self) -> Parameters {
        Parameters { bits: 0, reals: self.factors().len() }
    }
}
