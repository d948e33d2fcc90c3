//! The rule: from a signal to the flips of binary weights.

use std::{any::Any, borrow::Cow};

use onebit_bits::{BitTensor, BitView};

use crate::{
    contract::{context::Context, state::State, value::Signal, weight_gradient::WeightGradient},
    error::Result,
};

/// Decides which binary weights change sign.
pub trait Rule: Any + Send {
    /// The weights to start from, `(rows, cols)`: random bits, unless the rule has a state to agree with.
    ///
    /// # Errors
    /// When a state that was set by hand does not fit; the rules here have no other.
    fn start(&mut self, rows: usize, cols: usize, seed: u64) -> Result<BitTensor> {
        Ok(onebit_bits::random_bits(seed, 0, rows, cols))
    }

    /// Says before the start that weights are kernels of so many taps: each input meets `taps` times as many weights as
    /// there are outputs.
    fn set_taps(&mut self, _taps: usize) {}

    /// The flips for one step, in the shape of `weights`.
    ///
    /// `rate` is the learning rate for rules with real state, and the share of requested flips that is
    /// carried out for rules without.
    ///
    /// # Errors
    /// [`Error::Kind`](crate::Error::Kind) when the rule does not take this kind of signal.
    fn flips(&mut self, cx: &Context, weights: BitView, signal: &Signal, rate: f64) -> Result<BitTensor>;

    /// `weights ^= flips` by a gradient that is not computed yet; returns how many weights flipped.
    ///
    /// A rule that keeps numbers for each weight can take the gradient [run by run](WeightGradient::each_run), which
    /// is several times faster than to store it. By default it becomes a matrix, which goes to
    /// [`flips`](Self::flips).
    ///
    /// # Errors
    /// As [`flips`](Self::flips).
    fn descend(
        &mut self,
        cx: &Context,
        weights: &mut BitTensor,
        gradient: &mut WeightGradient,
        rate: f64,
    ) -> Result<u64> {
        let signal = Signal::Grad(gradient.matrix(cx)?);
        let flips = self.flips(cx, weights.view(), &signal, rate)?;
        cx.recycle(signal.into_grad("descend").ok());
        weights.flip(flips.view())?;
        Ok(flips.count_ones())
    }

    /// A factor for each output, `(o)`, that the layer multiplies its sums by, for rules whose weights stand for
    /// `scale * bit`. The signal that such a rule gets is the gradient with respect to `scale * bit`.
    fn scales(&self) -> Option<&[f32]> {
        None
    }

    /// The real weights, `(o, i)`, whose signs are the bits, if there are any: for reports.
    fn reals(&self) -> Option<Cow<'_, [f32]>> {
        None
    }

    /// What keeps the weights where they are, to look at: its name and an even sample of at most `most` of its numbers.
    fn inertia(&self, most: usize) -> Option<(&'static str, Vec<f32>)> {
        let reals = self.reals().filter(|reals| !reals.is_empty())?;
        Some(("latent weights", even_sample(&reals, most).copied().collect()))
    }

    /// Names the rule's state, as [`Layer::state`](crate::contract::layer::Layer::state) does.
    ///
    /// # Errors
    /// Those of `state`.
    fn state(&mut self, state: &mut State) -> Result<()>;
}

/// At most `most` of `all`, at even distances.
pub(crate) fn even_sample<T>(all: &[T], most: usize) -> impl Iterator<Item = &T> {
    all.iter().step_by(all.len().div_ceil(most.max(1)).max(1))
}

impl dyn Rule {
    /// This rule as an `R`, if it is one: the way to the state of a rule inside a layer.
    pub fn downcast_ref<R: Rule>(&self) -> Option<&R> {
        (self as &dyn Any).downcast_ref()
    }
}
