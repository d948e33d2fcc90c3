//! Optimizers of real parameters.

use onebit_bits::Isa;

use crate::{
    contract::state::State,
    error::{Error, Result},
};

mod adam;
mod adamax;
mod adamw;
mod choice;
pub mod real_tensor;
pub mod schedule;
mod sgd;
mod shift_adamax;

pub use adam::Adam;
pub use adamax::AdaMax;
pub use adamw::AdamW;
pub use choice::OptimizerConfig;
pub use sgd::Sgd;
pub use shift_adamax::ShiftAdaMax;

/// Moves real parameters along a gradient.
///
/// A step begins once and then moves the parameters run by run, in any order and on any thread: while a run of the
/// gradient is in the cache. So what a run does depends on nothing but the run. Two [moments](Run::moments) are kept for
/// each parameter, whether it needs them or not.
///
/// ```
/// use onebit_train::{Result, optimizers::{Optimizer, Run}, state::State};
/// use onebit_bits::Isa;
///
/// struct Momentum { step: f32 }
///
/// impl Optimizer for Momentum {
///     fn begin(&mut self, rate: f32, scale: f32) {
///         self.step = rate * scale;
///     }
///
///     fn run(&self, _: Isa, Run { params, grad, moments: [m, _] }: Run) {
///         for ((w, g), m) in params.iter_mut().zip(grad).zip(m) {
///             *m = 0.9 * *m + g;
///             *w -= self.step * *m;
///         }
///     }
///
///     fn state(&mut self, _: &mut State) -> Result<()> {
///         Ok(()) // the rate comes anew with each step
///     }
/// }
/// ```
pub trait Optimizer: Send + Sync {
    /// The next step begins; it has this learning rate, and then all of it is multiplied by `scale`.
    ///
    /// The two are apart because what an optimizer makes of its rate need not be linear: [`ShiftAdaMax`] rounds it.
    fn begin(&mut self, rate: f32, scale: f32);

    /// Moves one run of the parameters. `isa` is there for loops that are compiled for it:
    /// see [`Kernel`](onebit_bits::Kernel).
    fn run(&self, isa: Isa, run: Run<'_>);

    /// Names what the optimizer remembers besides the moments, as [`Layer::state`](crate::contract::layer::Layer::state) does.
    ///
    /// # Errors
    /// Those of `state`.
    fn state(&mut self, state: &mut State) -> Result<()>;
}

/// One that is chosen at run time.
impl Optimizer for Box<dyn Optimizer> {
    fn begin(&mut self, rate: f32, scale: f32) {
        (**self).begin(rate, scale);
    }

    fn run(&self, isa: Isa, run: Run<'_>) {
        (**self).run(isa, run);
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        (**self).state(state)
    }
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

/// A share of what was that is kept, for averages.
fn check_memory(name: &str, share: f32) -> Result<f32> {
    match share {
        0.0..1.0 => Ok(share),
        _ => Err(Error::setting(name, "a number from 0 to below 1", share)),
    }
}

fn check_decay(decay: f32) -> Result<f32> {
    match decay {
        0.0..f32::INFINITY => Ok(decay),
        _ => Err(Error::setting("decay", "a number from 0 on", decay)),
    }
}
