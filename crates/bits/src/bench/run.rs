//! What is timed, and its sizes.

use crate::error::Result;

/// A computation to time, with its operands.
pub trait Run {
    /// Repeats the preparation of a training step: packs bits, rounds gradients. Does nothing by default.
    ///
    /// # Errors
    /// The errors of the kernel; none with the operands of a [`Case`](super::Case).
    fn prepare(&mut self) -> Result<()> {
        Ok(())
    }

    /// The product, from packed operands.
    ///
    /// # Errors
    /// The errors of the kernel; none with the operands of a [`Case`](super::Case).
    fn run(&mut self) -> Result<()>;
}

/// A product of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// `y = x w^T`: (m, n).
    Forward,
    /// `dx = dy w`: (m, k).
    InputGradient,
    /// `dw = dy^T x`: (n, k).
    WeightGradient,
}

/// The sizes of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Samples.
    pub m: usize,
    /// Outputs.
    pub n: usize,
    /// Inputs.
    pub k: usize,
}
