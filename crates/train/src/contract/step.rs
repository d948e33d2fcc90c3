//! One step of learning, in its three orders.
//!
//! | order | back | then |
//! |---|---|---|
//! | parallel | every layer receives and sends against the old weights | all weights update |
//! | weight-first | each layer receives, updates, and sends what its new weights have left to ask | |
//! | input-first (FBF) | every layer receives and sends against the old weights | a second forward pass, front layer first: each corrects its request for its new input, updates, and computes its output anew |
//!
//! Straight-through training is the parallel order. On a chain of XNOR gates the parallel order flips
//! both operands of a gate, which cancels; the other two orders exist because of that.

use serde::{Deserialize, Serialize};

use crate::{
    contract::{
        context::Context,
        layer::Layer,
        value::{Signal, Value},
    },
    error::Result,
};

/// When the weights flip, seen from the signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Both operands at once: forward, backward, update.
    #[default]
    Parallel,
    /// Weights before inputs, on the way back.
    WeightFirst,
    /// Inputs before weights: forward, backward, forward (FBF learning).
    InputFirst,
}

/// A verb of [`Layer`], for one who watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are the layer's own")]
pub enum Verb {
    Forward,
    Receive,
    Send,
    Correct,
    Update,
}

/// Sees every call of a verb, for example to take its time.
pub trait Watch {
    /// Calls `act`, which calls `verb` of `layer`.
    fn verb<T>(&mut self, verb: Verb, layer: &mut dyn Layer, act: impl FnOnce(&mut dyn Layer) -> T) -> T;

    /// Calls `act`, which makes the input.
    fn load<T>(&mut self, act: impl FnOnce() -> T) -> T;

    /// Calls `act`, which judges the output.
    fn judge<T>(&mut self, act: impl FnOnce() -> T) -> T;

    /// Sees what the layer at `index` hands on in the first forward pass.
    #[inline(always)]
    fn output(&mut self, _index: usize, _layer: &dyn Layer, _y: &Value) {}

    /// Sees the signal about the output of the layer at `index`.
    #[inline(always)]
    fn signal(&mut self, _index: usize, _layer: &dyn Layer, _signal: &Signal) {}
}

/// Nobody watches, and it costs nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    #[inline(always)]
    fn verb<T>(&mut self, _: Verb, layer: &mut dyn Layer, act: impl FnOnce(&mut dyn Layer) -> T) -> T {
        act(layer)
    }

    #[inline(always)]
    fn load<T>(&mut self, act: impl FnOnce() -> T) -> T {
        act()
    }

    #[inline(always)]
    fn judge<T>(&mut self, act: impl FnOnce() -> T) -> T {
        act()
    }
}

/// Runs one step and returns what `judge` made of the output, for example the loss.
///
/// `judge` turns the output into a result and the signal about it; `rate` goes to every
/// [`update`](Layer::update).
///
/// # Errors
/// Those of the layers and of `judge`.
pub fn step<T>(
    layers: &mut [Box<dyn Layer>],
    cx: &Context,
    x: Value,
    order: Order,
    rate: f64,
    judge: impl FnOnce(Value) -> Result<(T, Signal)>,
) -> Result<T> {
    step_watched(layers, cx, x, order, rate, judge, &mut Unwatched)
}

/// [`step`], watched.
///
/// # Errors
/// As [`step`].
pub fn step_watched<T>(
    layers: &mut [Box<dyn Layer>],
    cx: &Context,
    x: Value,
    order: Order,
    rate: f64,
    judge: impl FnOnce(Value) -> Result<(T, Signal)>,
    watch: &mut impl Watch,
) -> Result<T> {
    let second = (order == Order::InputFirst).then(|| x.clone());
    let mut y = x;
    for (index, layer) in layers.iter_mut().enumerate() {
        y = watch.verb(Verb::Forward, &mut **layer, |layer| layer.forward(cx, y))?;
        watch.output(index, &**layer, &y);
    }
    let (result, signal) = watch.judge(|| judge(y))?;
    backward(layers, cx, signal, (order == Order::WeightFirst).then_some(rate), watch)?;
    match (order, second) {
        (Order::WeightFirst, _) => {}
        (Order::InputFirst, Some(mut x)) => {
            for layer in layers {
                watch.verb(Verb::Correct, &mut **layer, |layer| layer.correct(cx, &x))?;
                watch.verb(Verb::Update, &mut **layer, |layer| layer.update(cx, rate))?;
                x = watch.verb(Verb::Forward, &mut **layer, |layer| layer.forward(cx, x))?;
            }
            cx.recycle(Some(x));
        }
        _ => {
            for layer in layers {
                watch.verb(Verb::Update, &mut **layer, |layer| layer.update(cx, rate))?;
            }
        }
    }
    Ok(result)
}

/// The output of the last layer.
///
/// # Errors
/// Those of the layers.
pub fn forward(layers: &mut [Box<dyn Layer>], cx: &Context, x: Value) -> Result<Value> {
    layers.iter_mut().try_fold(x, |x, layer| layer.forward(cx, x))
}

/// Hands the signal back; with a rate, each layer updates before it sends. Nobody listens to what the
/// first layer would send, nor the layer behind one that judges itself.
fn backward(
    layers: &mut [Box<dyn Layer>],
    cx: &Context,
    signal: Signal,
    update: Option<f64>,
    watch: &mut impl Watch,
) -> Result<()> {
    let mut signal = Some(signal);
    for index in (0..layers.len()).rev() {
        let wanted = index > 0 && layers[index - 1].listens();
        let layer = &mut layers[index];
        if let Some(signal) = signal.take() {
            watch.signal(index, &**layer, &signal);
            watch.verb(Verb::Receive, &mut **layer, |layer| layer.receive(cx, signal))?;
        }
        if let Some(rate) = update {
            watch.verb(Verb::Update, &mut **layer, |layer| layer.update(cx, rate))?;
        }
        if wanted {
            signal = Some(watch.verb(Verb::Send, &mut **layer, |layer| layer.send(cx))?);
        }
    }
    Ok(())
}
