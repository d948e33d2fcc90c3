//! The rule: turns a signal into flips of binary weights.

use std::{any::Any, borrow::Cow};

use onebit_bits::{BitTensor, BitView};

use crate::{
    contract::{context::Context, state::State, value::Signal, weight_gradient::WeightGradient},
    error::Result,
};

/// Decides which binary weights change sign.
pub trait Rule: Any + Send {
    /// Returns the initial weights, `(rows, cols)`: random bits by default, or bits that agree with the
    /// rule's state.
    ///
    /// # Errors
    /// An error when a state that was set by hand does not fit; the rules of this crate have no other.
    fn start(&mut self, rows: usize, cols: usize, seed: u64) -> Result<BitTensor> {
        Ok(onebit_bits::random_bits(seed, 0, rows, cols))
    }

    /// Called before [`start`](Self::start) for convolutions: kernels have `taps` positions, so the fan-out
    /// of an input is `taps * rows`.
    fn set_taps(&mut self, _taps: usize) {}

    /// Returns the flips of one step, in the shape of `weights`.
    ///
    /// `rate` is the learning rate of rules with real state, and for rules without it the share of the
    /// requested flips to carry out.
    ///
    /// # Errors
    /// [`Error::Kind`](crate::Error::Kind) when the rule does not take this kind of signal.
    fn flips(&mut self, cx: &Context, weights: BitView, signal: &Signal, rate: f64) -> Result<BitTensor>;

    /// Applies `weights ^= flips` for a gradient that is not computed yet; returns how many weights flipped.
    ///
    /// A rule that keeps numbers for each weight can take the gradient [run by
    /// run](WeightGradient::each_run), which is several times faster than storing it. By default the gradient
    /// becomes a matrix and goes to [`flips`](Self::flips).
    ///
    /// # Errors
    /// Returns the errors of [`flips`](Self::flips).
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

    /// The factor of each output, `(o)`, by which the layer multiplies its sums, for rules whose weights
    /// stand for `scale * bit`. Such a rule gets the gradient with respect to `scale * bit`.
    fn scales(&self) -> Option<&[f32]> {
        None
    }

    /// The real weights, `(o, i)`, whose signs are the bits, for reports; `None` for a rule without.
    fn reals(&self) -> Option<Cow<'_, [f32]>> {
        None
    }

    /// The rule's per-weight state, for reports: its name and an evenly spaced sample of at most `most`
    /// values.
    fn inertia(&self, most: usize) -> Option<(&'static str, Vec<f32>)> {
        let reals = self.reals().filter(|reals| !reals.is_empty())?;
        Some(("latent weights", even_sample(&reals, most).copied().collect()))
    }

    /// Names the rule's state, as [`Layer::state`](crate::layer::Layer::state) does.
    ///
    /// # Errors
    /// Returns the errors of `state`.
    fn state(&mut self, state: &mut State) -> Result<()>;
}

/// Iterates over at most `most` evenly spaced elements of `all`.
pub(crate) fn even_sample<T>(all: &[T], most: usize) -> impl Iterator<Item = &T> {
    all.iter().step_by(all.len().div_ceil(most.max(1)).max(1))
}

impl dyn Rule {
    /// This rule as an `R`, or `None` if it has another type. Gives access to the state of a rule inside a
    /// layer.
    pub fn downcast_ref<R: Rule>(&self) -> Option<&R> {
        (self as &dyn Any).downcast_ref()
    }
}
