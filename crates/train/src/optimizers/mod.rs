//! Optimizers of real parameters, and the schedules of their rates.
//!
//! | optimizer | step | source |
//! |---|---|---|
//! | [`Sgd`] | along a running sum of gradients | |
//! | [`Adam`] | first moment over the root of the second | arXiv:1412.6980 |
//! | [`AdamW`] | Adam with decoupled weight decay | arXiv:1711.05101 |
//! | [`AdaMax`] | first moment over a running maximum | arXiv:1412.6980 |
//! | [`ShiftAdaMax`] | AdaMax with steps that are powers of two | arXiv:1602.02830 |

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
/// A step begins once and then moves the parameters run by run, in any order and on any thread, while each
/// run of the gradient is in the cache. So the result of a run may depend only on that run. Two
/// [moments](Run::moments) are kept for each parameter, whether the optimizer uses them or not.
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
///         Ok(()) // the rate is passed with each step
///     }
/// }
/// ```
pub trait Optimizer: Send + Sync {
    /// Begins a step with the learning rate `rate`; the whole step is multiplied by `scale`.
    ///
    /// The two are separate because a step need not be linear in the rate: [`ShiftAdaMax`] rounds it.
    fn begin(&mut self, rate: f32, scale: f32);

    /// Moves one run of the parameters. Loops compiled for an instruction set need `isa`:
    /// see [`Kernel`](onebit_bits::Kernel).
    fn run(&self, isa: Isa, run: Run<'_>);

    /// Names the optimizer's state beside the moments, as
    /// [`Layer::state`](crate::contract::layer::Layer::state) does.
    ///
    /// # Errors
    /// Returns the errors of `state`.
    fn state(&mut self, state: &mut State) -> Result<()>;
}

/// An optimizer that is chosen at run time.
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

/// A run of parameters: four slices of equal length.
#[derive(Debug)]
pub struct Run<'a> {
    /// The parameters.
    pub params: &'a mut [f32],
    /// The gradient of the loss with respect to the parameters.
    pub grad: &'a [f32],
    /// Two numbers of state per parameter, 0 at first.
    pub moments: [&'a mut [f32]; 2],
}

/// Checks the share of an average that each step keeps.
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
