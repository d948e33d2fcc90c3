//! Bits x bits and ternary x bits.

use alloc::{boxed::Box, vec, vec::Vec};

use super::{
    operands,
    run::{Run, Size},
};
use crate::{
    error::Result,
    machine::Engine,
    panels::Panels,
    product::product,
    tensor::{BitTensor, Ternary},
};

/// `y = x w^T`.
struct Forward {
    engine: Engine,
    /// (m, k)
    x: BitTensor,
    /// (n, k)
    w: BitTensor,
    panels: Panels,
    /// (m, n)
    y: Vec<i32>,
}

pub(super) fn forward(engine: &Engine, Size { m, n, k }: Size) -> Result<Box<dyn Run>> {
    let w = operands::bits(1, n, k);
    Ok(Box::new(Forward {
        engine: engine.clone(),
        x: operands::bits(0, m, k),
        panels: Panels::of_rows(engine, w.view()),
        w,
        y: vec![0; m * n],
    }))
}

impl Run for Forward {
    fn prepare(&mut self) -> Result<()> {
        self.panels.repack(&self.engine, self.w.view());
        Ok(())
    }

    fn run(&mut self) -> Result<()> {
        product(&self.engine, self.x.view(), &self.panels, &mut self.y[..])
    }
}

/// Votes of flip backprop: a product with a signal in {-1, 0, +1}.
struct Votes {
    engine: Engine,
    /// dy: (m, n).
    signal: Ternary,
    /// dy, or its transpose.
    left: Ternary,
    /// w: (n, k), or x: (m, k).
    operand: BitTensor,
    panels: Panels,
    votes: Sums,
}

enum Sums {
    /// dx: (m, k), of n votes each.
    Input(Vec<i32>),
    /// dw: (n, k), of m votes each.
    Weights(Vec<i8>),
}

impl Votes {
    fn make(engine: &Engine, signal: Ternary, operand: BitTensor, votes: Sums) -> Result<Box<dyn Run>> {
        let panels = match votes {
            Sums::Input(_) => Panels::of_columns(engine, operand.view()),
            Sums::Weights(_) => Panels::of_columns_for_votes(engine, operand.view()),
        };
        let left = signal.clone();
        let mut run = Self { engine: engine.clone(), signal, left, operand, panels, votes };
        run.prepare()?;
        Ok(Box::new(run))
    }
}

/// `dx = dy w`.
pub(super) fn input_votes(engine: &Engine, Size { m, n, k }: Size) -> Result<Box<dyn Run>> {
    Votes::make(engine, operands::ternary(m, n)?, operands::bits(1, n, k), Sums::Input(vec![0; m * k]))
}

/// `dw = dy^T x`, of at most 127 samples.
pub(super) fn weight_votes(engine: &Engine, Size { m, n, k }: Size) -> Result<Box<dyn Run>> {
    Votes::make(engine, operands::ternary(m, n)?, operands::bits(0, m, k), Sums::Weights(vec![0; n * k]))
}

impl Run for Votes {
    fn prepare(&mut self) -> Result<()> {
        self.panels.repack(&self.engine, self.operand.view());
        if let Sums::Weights(_) = self.votes {
            self.left = self.signal.transpose();
        }
        Ok(())
    }

    fn run(&mut self) -> Result<()> {
        let Self { engine, left, panels, .. } = self;
        match &mut self.votes {
            Sums::Input(votes) => product(engine, &*left, &*panels, &mut votes[..]),
            Sums::Weights(votes) => product(engine, &*left, &*panels, &mut votes[..]),
        }
    }
}
