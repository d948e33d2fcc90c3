//! The layer: four verbs, in the order in which training calls them.
//!
//! | verb | what happens |
//! |---|---|
//! | [`forward`](Layer::forward) | computes the output; while training it keeps what the other verbs need |
//! | [`receive`](Layer::receive) | takes the signal about its output and keeps it |
//! | [`send`](Layer::send) | returns the signal about its input |
//! | [`update`](Layer::update) | turns the kept signal into `weights ^= flips` |
//!
//! [`correct`](Layer::correct) is for flip training alone: in a second forward pass it takes back from
//! the kept signal what a changed input has already achieved. [`step`](crate::contract::step) composes the verbs
//! into the three orders of learning.

use std::any::Any;

use onebit_bits::BitTensor;

pub use crate::contract::{
    context::{Clock, Context, Mode},
    meter::{Meter, Observation, Parameters},
};
use crate::{
    contract::{
        export::Exporter,
        rule::Rule,
        state::State,
        value::{Signal, Value},
    },
    error::Result,
};

/// One layer of a network. Everything a user adds from outside implements this trait.
pub trait Layer: Any + Send {
    /// The layer's name in tables and messages, for example `bmab`.
    fn name(&self) -> &'static str;

    /// Computes the output for a batch, one row a sample.
    ///
    /// # Errors
    /// [`Error::Kind`] or [`Error::Shape`] when the input is not what the layer takes.
    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value>;

    /// Whether it wants a signal about its output. One that judges itself may not, and then nothing behind it need send one.
    fn listens(&self) -> bool {
        true
    }

    /// Takes the signal about the output of the last forward pass.
    ///
    /// # Errors
    /// [`Error::Kind`] or [`Error::Shape`] when the signal is not about that output,
    /// [`Error::Sequence`] when there was no forward pass.
    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()>;

    /// The signal about the input, against the weights as they are now. A layer without weights may give away
    /// what it keeps: training asks once.
    ///
    /// # Errors
    /// [`Error::Sequence`] when nothing was received.
    fn send(&mut self, cx: &Context) -> Result<Signal>;

    /// Takes back from the kept signal what the changed input `x` has already achieved.
    ///
    /// # Errors
    /// As [`forward`](Layer::forward).
    fn correct(&mut self, _cx: &Context, _x: &Value) -> Result<()> {
        Ok(())
    }

    /// Learns from the kept signal. `rate` is the learning rate of real parameters and the share of
    /// requested flips that is carried out.
    ///
    /// # Errors
    /// [`Error::Sequence`] when nothing was received.
    fn update(&mut self, _cx: &Context, _rate: f64) -> Result<()> {
        Ok(())
    }

    /// Names everything that training has changed and that the next step depends on, for checkpoints. What travels
    /// within a step is not part of it. A layer that only computes has nothing to name.
    ///
    /// # Errors
    /// Those of `state`.
    fn state(&mut self, state: &mut State) -> Result<()>;

    /// Adds this layer to the network that will be deployed.
    ///
    /// # Errors
    /// [`Error::Export`] when it has no counterpart there; that is the default.
    fn export(&self, to: &mut Exporter) -> Result<()> {
        Err(to.refuse("it has no counterpart in the runtime"))
    }

    /// What was measured since the last call.
    fn observe(&mut self) -> Observation {
        Observation::default()
    }

    /// Thresholds of a feature in the output: feature `x` at threshold `k` is column `k * features + x`.
    fn depth(&self) -> usize {
        1
    }

    /// The binary weights, if there are any, to report on.
    fn binary_weights(&self) -> Option<Weights<'_>> {
        None
    }

    /// Number of binary weights and of real parameters, those of its parts included.
    fn parameters(&self) -> Parameters {
        Parameters::default()
    }

    /// The layers that this one is made of, if it is: each is observed for itself, and reports weights of its own.
    fn parts(&self) -> Vec<&dyn Layer> {
        Vec::new()
    }

    /// [`parts`](Self::parts), to change.
    fn parts_mut(&mut self) -> Vec<&mut dyn Layer> {
        Vec::new()
    }
}

impl dyn Layer {
    /// This layer as an `L`, if it is one: the way to the weights, statistics and gradients of a layer
    /// inside a [`Network`](crate::Network).
    pub fn downcast_ref<L: Layer>(&self) -> Option<&L> {
        (self as &dyn Any).downcast_ref()
    }
}

/// Binary weights, to look at.
#[derive(Clone, Copy)]
pub struct Weights<'a> {
    /// `(o, taps i)` bits.
    pub bits: &'a BitTensor,
    /// Taps of a kernel; 1 in a dense layer.
    pub taps: usize,
    /// What decides which of them flip.
    pub rule: &'a dyn Rule,
}
