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
//! the kept signal what a changed input has already achieved. [`step`](crate::step) composes the verbs
//! into the three orders of learning.

use std::{any::Any, iter::Sum};

use onebit_bits::{BitTensor, Engine};
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    export::Exporter,
    pool::Pool,
    rules::Rule,
    state::State,
    value::{Matrix, Signal, Value},
};

/// Whether a pass is there to learn or to be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Statistics of the batch, dropout, and everything kept for the way back.
    Train,
    /// Running statistics, no dropout, nothing kept.
    Evaluate,
}

/// What every verb is given: where to compute, why, and memory.
///
/// One context serves all steps: a layer takes the memory of what it makes from it ([`matrix`](Self::matrix),
/// [`bits`](Self::bits)) and [gives back](Self::recycle) what it need not keep any more, so that the next steps
/// allocate nothing. Both are free to leave.
#[derive(Clone, Debug)]
pub struct Context {
    /// Instruction set and threads of the kernels.
    pub engine: Engine,
    /// Learning or judging.
    pub mode: Mode,
    /// How far the run is.
    pub clock: Clock,
    /// The classes of the batch that is learned from, for layers that judge themselves.
    pub labels: Vec<u32>,
    /// Whether this step is looked at: a rule keeps what it is asked for by [`inertia`](Rule::inertia) afterwards.
    pub inspected: bool,
    pool: Pool,
}

/// How far a run is, for what depends on it: approximations of the sign that sharpen, rules that begin an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// Epoch over all phases, from 0.
    pub epoch: usize,
    /// Epochs of the whole run.
    pub epochs: usize,
    /// Batch of the epoch, from 0.
    pub batch: usize,
}

impl Clock {
    /// The share of the epochs that is over, from 0 to below 1; 0 without a run.
    pub fn progress(self) -> f64 {
        self.epoch as f64 / self.epochs.max(1) as f64
    }
}

impl Context {
    /// A context for training on `engine`.
    pub fn train(engine: &Engine) -> Self {
        Self::new(engine, Mode::Train)
    }

    /// A context for evaluation on `engine`.
    pub fn evaluate(engine: &Engine) -> Self {
        Self::new(engine, Mode::Evaluate)
    }

    fn new(engine: &Engine, mode: Mode) -> Self {
        Self {
            engine: engine.clone(),
            mode,
            clock: Clock::default(),
            labels: Vec::new(),
            inspected: false,
            pool: Pool::default(),
        }
    }

    /// The same for evaluation: it shares the memory.
    pub fn evaluating(&self) -> Self {
        Self { mode: Mode::Evaluate, ..self.clone() }
    }

    /// Whether this pass learns.
    pub fn training(&self) -> bool {
        self.mode == Mode::Train
    }

    /// A matrix `(rows, cols)` of arbitrary values.
    pub fn matrix(&self, rows: usize, cols: usize) -> Matrix {
        self.pool.matrix(rows, cols)
    }

    /// Bits `(rows, cols)`, all 0.
    pub fn bits(&self, rows: usize, cols: usize) -> BitTensor {
        self.pool.bits(rows, cols)
    }

    /// So many arbitrary bytes.
    pub fn bytes(&self, len: usize) -> Vec<u8> {
        self.pool.bytes(len)
    }

    /// Gives back what nobody needs any more: `cx.recycle(self.kept.take())`.
    pub fn recycle<V: Into<Value>>(&self, values: impl IntoIterator<Item = V>) {
        values.into_iter().for_each(|value| self.pool.give(value.into()));
    }
}

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

/// How many parameters a layer trains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// Weights of one bit.
    pub bits: usize,
    /// Real parameters.
    pub reals: usize,
}

impl Sum for Parameters {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |a, b| Self { bits: a.bits + b.bits, reals: a.reals + b.reals })
    }
}

/// The measures of one layer over some steps; each is a share between 0 and 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Share of ones in the flips that the layer received.
    pub flip_ratio: Option<f64>,
    /// Share of the weights that flipped, in the mean over steps.
    pub update_ratio: Option<f64>,
    /// Share of the weights whose bit was the same at the end of every epoch; none at the end of the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_weights: Option<f64>,
    /// Share of ones in the layer's output; near 0 or 1 the bits say nothing about the input.
    pub mean_of_bits: Option<f64>,
}

/// Counts ones, to give a share.
#[derive(Clone, Copy, Debug, Default)]
pub struct Meter {
    ones: u64,
    total: u64,
}

impl Meter {
    /// Counts the ones of `bits`.
    pub fn add(&mut self, bits: &BitTensor) {
        self.count(bits.count_ones(), bits.rows() * bits.cols());
    }

    /// Counts `ones` among `total`.
    pub fn count(&mut self, ones: u64, total: usize) {
        // what a checkpoint brings may be anything
        self.ones = self.ones.saturating_add(ones);
        self.total = self.total.saturating_add(total as u64);
    }

    /// What was counted since the last report, for checkpoints.
    ///
    /// # Errors
    /// Those of `state`.
    pub fn state(&mut self, name: &str, state: &mut State) -> Result<()> {
        state.within(name, |state| {
            state.count("ones", &mut self.ones)?;
            state.count("total", &mut self.total)
        })
    }

    /// The share of ones since the last call, `None` when nothing was counted.
    pub fn take(&mut self) -> Option<f64> {
        let Meter { ones, total } = std::mem::take(self);
        (total > 0).then(|| ones as f64 / total as f64)
    }
}

/// Returns what `slot` keeps, or says which verb is missing.
pub(crate) fn kept<'a, T>(
    slot: &'a Option<T>,
    layer: &'static str,
    verb: &'static str,
    needs: &'static str,
) -> Result<&'a T> {
    slot.as_ref().ok_or(Error::Sequence { layer, verb, needs })
}

/// As [`kept`], for what is kept no longer.
pub(crate) fn take<T>(
    slot: &mut Option<T>,
    layer: &'static str,
    verb: &'static str,
    needs: &'static str,
) -> Result<T> {
    slot.take().ok_or(Error::Sequence { layer, verb, needs })
}

/// Checks the shape of `what`, for example of a signal: that of the output it is about.
pub(crate) fn check_shape(
    layer: &'static str,
    what: &str,
    expected: (usize, usize),
    got: (usize, usize),
) -> Result<()> {
    if expected != got {
        let expected = format!("{what} of {} x {}", expected.0, expected.1);
        return Err(Error::shape(layer, expected, format!("{} x {}", got.0, got.1)));
    }
    Ok(())
}

/// Checks that a layer has at least one input, output and threshold.
pub(crate) fn check_sizes(layer: &'static str, sizes: [usize; 3]) -> Result<[usize; 3]> {
    match ["inputs", "outputs", "depth"].into_iter().zip(sizes).find(|(_, size)| *size == 0) {
        Some((name, size)) => Err(Error::setting(format!("{layer} {name}"), "at least 1", size)),
        None => Ok(sizes),
    }
}

/// Checks a share of voters: a quorum.
pub(crate) fn check_quorum(name: impl ToString, share: f64) -> Result<f64> {
    if !(0.0..=1.0).contains(&share) {
        return Err(Error::setting(name, "a share from 0 to 1", share));
    }
    Ok(share)
}

/// Checks that `got` columns are what a layer with `expected` inputs takes.
pub(crate) fn check_cols(layer: &'static str, expected: usize, got: usize) -> Result<()> {
    if expected != got {
        return Err(Error::shape(layer, format!("{expected} columns"), got));
    }
    Ok(())
}
