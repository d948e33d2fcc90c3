//! Rules that keep numbers for each weight and update them in one pass over the gradient.
//!
//! Such a rule implements [`OnePass::follow`] alone; [`flips`] and [`descend`] are the bodies of the two
//! methods of [`Rule`](crate::rules::Rule), for a gradient that is stored and for one that is computed run by
//! run.

use onebit_bits::{BitTensor, BitView, Slices, Update, update_with};

use crate::{
    contract::{check::check_shape, context::Context, value::Signal, weight_gradient::WeightGradient},
    error::{Error, Result},
    numeric::matrix::Matrix,
};

/// A rule whose state is updated while the gradient is read once.
pub(crate) trait OnePass {
    /// The name in messages.
    const NAME: &'static str;

    /// Takes one step along `gradient`, which has the shape of `weights`; returns how many weights flipped.
    fn follow(&mut self, cx: &Context, weights: &mut BitTensor, gradient: Gradient, rate: f64)
    -> Result<u64>;
}

/// The gradient of a step, `(o, i)`.
pub(crate) enum Gradient<'a, 'b> {
    Stored(&'a Matrix),
    Pending(&'a mut WeightGradient<'b>),
}

impl Gradient<'_, '_> {
    /// Passes each run of the gradient to `update`, with the same elements of `states` and of the weights.
    pub(crate) fn each_run<S: Slices>(
        self,
        cx: &Context,
        states: S,
        weights: &mut BitTensor,
        update: &impl Update<S>,
    ) -> Result<()> {
        match self {
            Self::Stored(matrix) => Ok(update_with(&cx.engine, matrix.values(), states, weights, update)?),
            Self::Pending(gradient) => gradient.each_run(cx, states, weights, update),
        }
    }
}

/// [`Rule::flips`](crate::rules::Rule::flips) of a one-pass rule.
pub(crate) fn flips<R: OnePass>(
    rule: &mut R,
    cx: &Context,
    weights: BitView,
    signal: &Signal,
    rate: f64,
) -> Result<BitTensor> {
    let Signal::Grad(gradient) = signal else {
        return Err(Error::Kind { layer: R::NAME, expected: "a gradient", got: signal.kind() });
    };
    check_shape(R::NAME, "a gradient", weights.shape(), gradient.shape())?;
    let mut after = weights.to_tensor();
    rule.follow(cx, &mut after, Gradient::Stored(gradient), rate)?;
    Ok(after.xor(weights)?)
}

/// [`Rule::descend`](crate::rules::Rule::descend) of a one-pass rule.
pub(crate) fn descend<R: OnePass>(
    rule: &mut R,
    cx: &Context,
    weights: &mut BitTensor,
    gradient: &mut WeightGradient,
    rate: f64,
) -> Result<u64> {
    check_shape(R::NAME, "a gradient", weights.shape(), gradient.shape())?;
    rule.follow(cx, weights, Gradient::Pending(gradient), rate)
}

/// Checks that a rule has a state for each weight of an `(o, i)` layer; `states` names the numbers.
pub(crate) fn check_states(
    rule: &'static str,
    states: &str,
    (rows, cols): (usize, usize),
    got: usize,
) -> Result<()> {
    if got != rows * cols {
        return Err(Error::shape(rule, format!("{rows} x {cols} {states}"), got));
    }
    Ok(())
}
