//! Optimizers of real parameters.

mod adam;

pub use adam::Adam;

/// Moves real parameters along a gradient. The step is linear in `rate`.
pub trait Optimizer: Send {
    /// One step: `params` and `grad` have the same length in every call.
    fn step(&mut self, params: &mut [f32], grad: &[f32], rate: f32);
}
