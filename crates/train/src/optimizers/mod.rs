//! Optimizers of real parameters.

use onebit_bits::Isa;

use crate::{error::Result, state::State};

mod adam;

pub use adam::Adam;

/// Moves real parameters along a gradient. The step is linear in its rate.
///
/// A step begins once and then moves the parameters run by run, in any order and on any thread: while a run of the
/// gradient is in the cache. So what a run does depends on nothing but the run. Two [moments](Run::moments) are kept for
/// each parameter, whether it needs them or not.
///
/// ```
/// use onebit_train::{Result, optimizers::{Optimizer, Run}, state::State};
/// use onebit_bits::Isa;
///
/// struct Momentum { rate: f32 }
///
/// impl Optimizer for Momentum {
///     fn begin(&mut self, rate: f32) {
///         self.rate = rate;
///     }
///
///     fn run(&self, _: Isa, Run { params, grad, moments: [m, _] }: Run) {
///         for ((w, g), m) in params.iter_mut().zip(grad).zip(m) {
///             *m = 0.9 * *m + g;
///             *w -= self.rate * *m;
///         }
///     }
///
///     fn state(&mut self, _: &mut State) -> Result<()> {
///         Ok(()) // the rate comes anew with each step
///     }
/// }
/// ```
pub trait Optimizer: Send + Sync {
    /// The next step begins; it has this rate.
    fn begin(&mut self, rate: f32);

    /// Moves one run of the parameters. `isa` is there for loops that are compiled for it:
    /// see [`Kernel`](onebit_bits::Kernel).
    fn run(&self, isa: Isa, run: Run<'_>);

    /// Names what the optimizer remembers besides the moments, as [`Layer::state`](crate::layer::Layer::state) does.
    ///
    /// # Errors
    /// Those of `state`.
    fn state(&mut self, state: &mut State) -> Result<()>;
}

/// A run of parameters: four slices of one length.
#[derive(Debug)]
pub struct Run<'a> {
    /// What moves.
    pub params: &'a mut [f32],
    /// Along this.
    pub grad: &'a [f32],
    /// What the optimizer remembers of each parameter; 0 at first.
    pub moments: [&'a mut [f32]; 2],
}
