//! Learned parameters, one for each channel.

use crate::{
    contract::{context::Context, state::State},
    error::{Error, Result},
    optimizers::{Adam, real_tensor::RealTensor},
};

/// Values that learn by Adam, and their gradient for the last signal.
pub(crate) struct PerChannel {
    values: RealTensor,
    gradient: Vec<f32>,
    received: bool,
}

impl PerChannel {
    pub(crate) fn new(values: Vec<f32>) -> Self {
        let gradient = vec![0.0; values.len()];
        Self { values: RealTensor::new(values, Adam::new()), gradient, received: false }
    }

    pub(crate) fn values(&self) -> &[f32] {
        self.values.values()
    }

    /// The gradient for the last signal received.
    pub(crate) fn gradient(&self) -> Option<&[f32]> {
        self.received.then_some(&self.gradient[..])
    }

    /// Marks the start of a forward pass, which has no signal yet.
    pub(crate) fn wait(&mut self) {
        self.received = false;
    }

    pub(crate) fn receive(&mut self, gradient: impl Fn(usize) -> f64) {
        self.received = true;
        self.gradient.iter_mut().enumerate().for_each(|(channel, slot)| *slot = gradient(channel) as f32);
    }

    pub(crate) fn update(&mut self, cx: &Context, layer: &'static str, rate: f64) -> Result<()> {
        if !self.received {
            return Err(Error::Sequence { layer, verb: "update", needs: "signal" });
        }
        self.values.step(&cx.engine, &self.gradient, rate as f32)
    }

    pub(crate) fn state(&mut self, name: &str, state: &mut State) -> Result<()> {
        state.within(name, |state| self.values.state(state))
    }
}
