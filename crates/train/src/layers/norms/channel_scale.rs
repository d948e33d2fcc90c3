//! A factor that learns for each channel: behind a product of bits it gives back what binary weights lack in size
//! (RBNN, arXiv:2009.13055; ReCU, arXiv:2103.12369).
//!
//! Forward: `y = x factor`. Backward: `dx = dy factor`, `dfactor = sum dy x` over the batch.

use onebit_bits::vectorized;

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
    layers::{norms::per_channel::PerChannel, products::scaling},
    numeric::{
        batch_blocks::Block,
        batch_sums::{BatchSums, rows_of},
        matrix::Matrix,
    },
};

/// Scales each channel.
pub struct ChannelScale {
    factors: PerChannel,
    x: Option<Matrix>,
    dx: Option<Matrix>,
    sums: BatchSums<f32, 1>,
}

impl ChannelScale {
    /// The factors to start from, which learn by Adam; RBNN starts from the mean magnitude of each output's weights.
    ///
    /// # Errors
    /// [`Error::Setting`] when one is not finite.
    pub fn new(factors: Vec<f32>) -> Result<Self> {
        if let Some(factor) = factors.iter().find(|factor| !factor.is_finite()) {
            return Err(Error::setting("channel_scale", "finite factors", factor));
        }
        Ok(Self { factors: PerChannel::new(factors), x: None, dx: None, sums: BatchSums::default() })
    }

    /// The factors, `(x)`.
    pub fn factors(&self) -> &[f32] {
        self.factors.values()
    }

    /// `dfactor` of the last signal received, `(x)`.
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
        "channel_scale"
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let mut x = x.into_real("channel_scale")?; // x: (b, x) real
        check_cols("channel_scale", self.factors().len(), x.cols())?;
        cx.recycle(self.x.take());
        cx.recycle(self.dx.take());
        self.factors.wait();
        if cx.training() {
            let mut copy = cx.matrix(x.rows(), x.cols());
            copy.values_mut().copy_from_slice(x.values());
            self.x = Some(copy);
        }
        scaling::multiply(cx, &mut x, Some(self.factors()))?;
        Ok(Value::Real(x))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let mut dy = signal.into_grad("channel_scale")?;
        let x = kept(&self.x, "channel_scale", "receive", "forward pass")?;
        check_shape("channel_scale", "a gradient", x.shape(), dy.shape())?;
        let engine = &cx.engine;
        let sums = self.sums.over(engine, x, |part, sums| add_products(engine.isa(), &dy, x, part, sums))?;
        scaling::multiply(cx, &mut dy, Some(self.factors.values()))?;
        self.factors.receive(|channel| sums.of(channel)[0]);
        cx.recycle(self.dx.replace(dy));
        Ok(())
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        take(&mut self.dx, "channel_scale", "send", "signal").map(Signal::Grad)
    }

    fn update(&mut self, cx: &Context, rate: f64) -> Result<()> {
        self.factors.update(cx, "channel_scale", rate)
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
