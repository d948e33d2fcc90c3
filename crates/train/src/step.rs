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
    error::Result,
    layer::{Context, Layer},
    value::{Signal, Value},
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
    let second = (order == Order::InputFirst).then(|| x.clone());
    let y = forward(layers, cx, x)?;
    let (result, signal) = judge(y)?;
    backward(layers, cx, signal, (order == Order::WeightFirst).then_some(rate))?;
    match (order, second) {
        (Order::WeightFirst, _) => {}
        (Order::InputFirst, Some(mut x)) => {
            for layer in layers {
                layer.correct(cx, &x)?;
                layer.update(cx, rate)?;
                x = layer.forward(cx, x)?;
            }
        }
        _ => layers.iter_mut().try_for_each(|layer| layer.update(cx, rate))?,
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
/// first layer would send.
fn backward(
    layers: &mut [Box<dyn Layer>],
    cx: &Context,
    mut signal: Signal,
    update: Option<f64>,
) -> Result<()> {
    for (index, layer) in layers.iter_mut().enumerate().rev() {
        layer.receive(cx, signal)?;
        if let Some(rate) = update {
            layer.update(cx, rate)?;
        }
        if index == 0 {
            break;
        }
        signal = layer.send(cx)?;
    }
    Ok(())
}
