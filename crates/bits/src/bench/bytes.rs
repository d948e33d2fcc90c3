//! Gradients rounded to bytes, and bits.

use alloc::{boxed::Box, vec, vec::Vec};

use super::{Run, Size, operands};
use crate::{
    engine::Engine,
    error::Result,
    integer::int8_gemm_packed,
    panels::Panels,
    quantize::{Int8, Noise},
    tensor::BitTensor,
};

struct Rounded {
    engine: Engine,
    /// Samples and outputs of dy: (m, n).
    shape: (usize, usize),
    dy: Vec<f32>,
    /// Whether it is `dy^T` that is multiplied.
    transposed: bool,
    rounded: Int8,
    /// w: (n, k), or x: (m, k).
    operand: BitTensor,
    panels: Panels,
    /// (m, k), or (n, k)
    gradient: Vec<f32>,
}

impl Rounded {
    fn make(engine: &Engine, size: Size, transposed: bool) -> Result<Box<dyn Run>> {
        let Size { m, n, k } = size;
        let (operand, outputs) =
            if transposed { (operands::bits(0, m, k), n) } else { (operands::bits(1, n, k), m) };
        let mut run = Self {
            engine: engine.clone(),
            shape: (m, n),
            dy: operands::reals(2, m * n),
            transposed,
            rounded: Int8::new(),
            panels: Panels::of_columns_for_reals(engine, operand.view()),
            operand,
            gradient: vec![0.0; outputs * k],
        };
        run.prepare()?;
        Ok(Box::new(run))
    }
}

/// `dx = dy w`.
pub(super) fn input_gradient(engine: &Engine, size: Size) -> Result<Box<dyn Run>> {
    Rounded::make(engine, size, false)
}

/// `dw = dy^T x`, stored.
pub(super) fn weight_gradient(engine: &Engine, size: Size) -> Result<Box<dyn Run>> {
    Rounded::make(engine, size, true)
}

impl Run for Rounded {
    fn prepare(&mut self) -> Result<()> {
        let ((m, n), noise) = (self.shape, Noise { seed: 0, step: 0 });
        self.panels.repack(&self.engine, self.operand.view());
        match self.transposed {
            false => self.rounded.round(&self.engine, m, n, &self.dy, noise),
            true => self.rounded.round_transposed(&self.engine, m, n, &self.dy, noise),
        }
    }

    fn run(&mut self) -> Result<()> {
        int8_gemm_packed(&self.engine, &self.rounded, &self.panels, &mut self.gradient)
    }
}
