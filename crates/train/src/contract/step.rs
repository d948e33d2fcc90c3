//! One training step, in three orders.
//!
//! | order | backward pass | afterwards |
//! |---|---|---|
//! | parallel | every layer receives and sends with the old weights | all weights update |
//! | weight-first | each layer receives, updates, and sends what its new weights leave to ask for | |
//! | input-first (FBF) | as in parallel | a second pass: each layer corrects, updates and runs again |
//!
//! In the second forward pass of FBF, each layer first corrects its request for its new input.
//!
//! Straight-through training uses the parallel order. On a chain of XNOR gates this order flips both operands
//! of a gate, and the two flips cancel; the other two orders avoid that.

use serde::{Deserialize, Serialize};

use crate::{
    contract::{
        context::Context,
        layer::Layer,
        value::{Signal, Value},
    },
    error::Result,
};

/// The order in which weights and inputs flip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Weights and inputs at once: forward, backward, update.
    #[default]
    Parallel,
    /// Weights before inputs, during the backward pass.
    WeightFirst,
    /// Inputs before weights: forward, backward, forward (FBF learning).
    InputFirst,
}

/// A verb of [`Layer`], for a [`Watch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named after the methods of Layer")]
pub enum Verb {
    Forward,
    Receive,
    Send,
    Correct,
    Update,
}

/// Observes every call of a verb, for example to time it.
pub trait Watch {
    /// Calls `act`, which calls `verb` of `layer`.
    fn verb<T>(&mut self, verb: Verb, layer: &mut dyn Layer, act: impl FnOnce(&mut dyn Layer) -> T) -> T;

    /// Calls `act`, which prepares the input.
    fn load<T>(&mut self, act: impl FnOnce() -> T) -> T;

    /// Calls `act`, which evaluates the output.
    fn judge<T>(&mut self, act: impl FnOnce() -> T) -> T;

    /// Observes the output of the layer at `index` in the first forward pass.
    #[inline(always)]
    fn output(&mut self, _index: usize, _layer: &dyn Layer, _y: &Value) {}

    /// Observes the signal about the output of the layer at `index`.
    #[inline(always)]
    fn signal(&mut self, _index: usize, _layer: &dyn Layer, _signal: &Signal) {}
}

/// A [`Watch`] that does nothing and costs nothing.
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

/// Runs one step and returns the result of `judge`, for example the loss.
///
/// `judge` turns the output into this result and the signal about the output; `rate` goes to every
/// [`update`](Layer::update).
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{
///     Matrix, Signal, Value,
///     layer::{Context, Layer},
///     layers::RealDense,
///     optimizers::Sgd,
///     step::{Order, step},
/// };
///
/// let dense = RealDense::new(1, 1, Sgd::new(0.0, 0.0)?, 0)?.with_weights(vec![3.0])?;
/// let mut layers: Vec<Box<dyn Layer>> = vec![Box::new(dense)];
/// let cx = Context::train(&Engine::single());
/// let x = Value::Real(Matrix::new(1, 1, vec![2.0])?);
/// // the loss y^2 / 2 has the gradient y
/// let judge = |y: Value| {
///     let y = y.into_real("loss")?;
///     Ok((0.5 * y.values()[0].powi(2), Signal::Grad(y)))
/// };
/// assert_eq!(step(&mut layers, &cx, x, Order::Parallel, 0.125, judge)?, 18.0);
/// // dw = dy x = 12, w = 3 - 0.125 * 12
/// assert_eq!(layers[0].downcast_ref::<RealDense>().unwrap().weights(), [1.5]);
/// # Ok::<(), onebit_train::Error>(())
/// ```
///
/// # Errors
/// Returns the errors of the layers and of `judge`.
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

/// Runs one [`step`], observed by `watch`.
///
/// # Errors
/// Returns the errors of the layers and of `judge`.
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

/// Returns the output of the last layer.
///
/// # Errors
/// Returns the errors of the layers.
pub fn forward(layers: &mut [Box<dyn Layer>], cx: &Context, x: Value) -> Result<Value> {
    layers.iter_mut().try_fold(x, |x, layer| layer.forward(cx, x))
}

/// Passes the signal backward; with `update`, each layer updates before it sends. A layer skips `send` when
/// it is the first, or when the layer before it does not listen.
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
