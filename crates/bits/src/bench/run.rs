//! Something to be timed.

use crate::error::Result;

/// Something to be timed, with its operands.
pub trait Run {
    /// Makes again what a training step has to make again: packs bits, rounds gradients. Nothing if there is nothing.
    ///
    /// # Errors
    /// Those of the kernel; none with the operands of a [`Case`](super::Case).
    fn prepare(&mut self) -> Result<()> {
        Ok(())
    }

    /// The product, from packed operands.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare).
    fn run(&mut self) -> Result<()>;
}

/// Which of the products of a layer.
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
