//! The layer: four verbs, in the order in which training calls them.
//!
//! | verb | action |
//! |---|---|
//! | [`forward`](Layer::forward) | computes the output; in training it keeps what the other verbs need |
//! | [`receive`](Layer::receive) | keeps the signal about its output |
//! | [`send`](Layer::send) | returns the signal about its input |
//! | [`update`](Layer::update) | turns the kept signal into `weights ^= flips` |
//!
//! [`correct`](Layer::correct) is for flip training only: in a second forward pass it subtracts from the kept
//! signal what a changed input has already achieved. [`step`](crate::step) composes the verbs into the three
//! orders of learning.

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

/// One layer of a network. A user adds a layer by implementing this trait.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{
///     Matrix, Result, Signal, Value,
///     layer::{Context, Layer},
///     state::State,
/// };
///
/// /// `y = 2 x`
/// #[derive(Default)]
/// struct Double {
///     dy: Option<Matrix>,
/// }
///
/// impl Layer for Double {
///     fn name(&self) -> &'static str {
///         "double"
///     }
///
///     fn forward(&mut self, _: &Context, x: Value) -> Result<Value> {
///         let mut x = x.into_real("double")?;
///         x.values_mut().iter_mut().for_each(|x| *x *= 2.0);
///         Ok(Value::Real(x))
///     }
///
///     fn receive(&mut self, _: &Context, signal: Signal) -> Result<()> {
///         self.dy = Some(signal.into_grad("double")?);
///         Ok(())
///     }
///
///     fn send(&mut self, _: &Context) -> Result<Signal> {
///         let mut dy = self.dy.take().expect("a signal was received");
///         dy.values_mut().iter_mut().for_each(|dy| *dy *= 2.0);
///         Ok(Signal::Grad(dy))
///     }
///
///     fn state(&mut self, _: &mut State) -> Result<()> {
///         Ok(())
///     }
/// }
///
/// let cx = Context::train(&Engine::single());
/// let mut double = Double::default();
/// let y = double.forward(&cx, Value::Real(Matrix::new(1, 2, vec![1.0, -3.0])?))?;
/// assert_eq!(y, Value::Real(Matrix::new(1, 2, vec![2.0, -6.0])?));
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub trait Layer: Any + Send {
    /// The layer's name in tables and messages, for example `bmab`.
    fn name(&self) -> &'static str;

    /// Computes the output for a batch, one row for each sample.
    ///
    /// # Errors
    /// [`Error::Kind`](crate::Error::Kind) or [`Error::Shape`](crate::Error::Shape) when the layer does not
    /// take the input.
    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value>;

    /// Whether the layer uses the backward signal. A layer with its own loss may return `false`; later layers
    /// then skip `send`.
    fn listens(&self) -> bool {
        true
    }

    /// Takes the signal about the output of the last forward pass.
    ///
    /// # Errors
    /// [`Error::Kind`](crate::Error::Kind) or [`Error::Shape`](crate::Error::Shape) when the signal does not
    /// fit that output, [`Error::Sequence`](crate::Error::Sequence) without a forward pass.
    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()>;

    /// Returns the signal about the input, computed with the current weights. Training calls it once a step,
    /// so a layer without weights may move its kept signal out.
    ///
    /// # Errors
    /// [`Error::Sequence`](crate::Error::Sequence) when no signal was received.
    fn send(&mut self, cx: &Context) -> Result<Signal>;

    /// Subtracts from the kept signal what the changed input `x` has already achieved.
    ///
    /// # Errors
    /// Returns the errors of [`forward`](Layer::forward).
    fn correct(&mut self, _cx: &Context, _x: &Value) -> Result<()> {
        Ok(())
    }

    /// Learns from the kept signal. `rate` is the learning rate of real parameters, and the share of the
    /// requested flips to carry out.
    ///
    /// # Errors
    /// [`Error::Sequence`](crate::Error::Sequence) when no signal was received.
    fn update(&mut self, _cx: &Context, _rate: f64) -> Result<()> {
        Ok(())
    }

    /// Names everything that training changes and that the next step depends on, for checkpoints. Values that
    /// live within one step are no state. A layer that only computes names nothing.
    ///
    /// # Errors
    /// Returns the errors of `state`.
    fn state(&mut self, state: &mut State) -> Result<()>;

    /// Adds this layer to the deployed network.
    ///
    /// # Errors
    /// [`Error::Export`](crate::Error::Export) when the runtime has no counterpart; this is the default.
    fn export(&self, to: &mut Exporter) -> Result<()> {
        Err(to.refuse("it has no counterpart in the runtime"))
    }

    /// Returns the measurements since the last call.
    fn observe(&mut self) -> Observation {
        Observation::default()
    }

    /// Number of thresholds of each output feature: feature `x` at threshold `k` is column
    /// `k * features + x`.
    fn depth(&self) -> usize {
        1
    }

    /// The binary weights, for reports; `None` for a layer without.
    fn binary_weights(&self) -> Option<Weights<'_>> {
        None
    }

    /// Number of binary weights and real parameters, including those of its parts.
    fn parameters(&self) -> Parameters {
        Parameters::default()
    }

    /// The layers that this layer contains. Each is observed separately and reports its own weights.
    fn parts(&self) -> Vec<&dyn Layer> {
        Vec::new()
    }

    /// Mutable access to [`parts`](Self::parts).
    fn parts_mut(&mut self) -> Vec<&mut dyn Layer> {
        Vec::new()
    }
}

impl dyn Layer {
    /// This layer as an `L`, or `None` if it has another type. Gives access to the weights, statistics and
    /// gradients of a layer inside a [`Network`](crate::Network).
    pub fn downcast_ref<L: Layer>(&self) -> Option<&L> {
        (self as &dyn Any).downcast_ref()
    }
}

/// Binary weights, for reports.
#[derive(Clone, Copy)]
pub struct Weights<'a> {
    /// `(o, taps i)` bits.
    pub bits: &'a BitTensor,
    /// Positions of a kernel; 1 in a dense layer.
    pub taps: usize,
    /// The rule that decides which weights flip.
    pub rule: &'a dyn Rule,
}
