//! Gradients x bits: `dx = dy w` and `dw = dy^T x`, in three precisions of dy.

use alloc::{boxed::Box, vec, vec::Vec};

use super::{
    operands,
    run::{Run, Size},
};
use crate::{
    error::Result,
    machine::Engine,
    panels::Panels,
    product::{Bf16, Sink, Update, Updating, product},
    round::{Int8, Noise},
    tensor::{BitTensor, compare_pairs, transpose},
};

/// The precision of dy.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Precision {
    F32,
    Bf16,
    Int8,
}

/// The consumer of the gradient.
enum Then {
    /// dx: (m, k)
    Input(Vec<f32>),
    /// dw: (n, k)
    Weights(Vec<f32>),
    /// Latent weights and their two moments: (n, k) each, and their signs.
    Adam([Vec<f32>; 3], BitTensor),
}

struct Gradient {
    engine: Engine,
    precision: Precision,
    /// dy: (m, n)
    size: (usize, usize),
    dy: Vec<f32>,
    /// dy transposed, if the product needs it.
    real: Vec<f32>,
    bytes: Int8,
    /// w: (n, k), or x: (m, k).
    operand: BitTensor,
    panels: Panels,
    then: Then,
}

impl Gradient {
    fn make(
        engine: &Engine,
        Size { m, n, k }: Size,
        precision: Precision,
        then: Then,
    ) -> Result<Box<dyn Run>> {
        let operand = match then {
            Then::Input(_) => operands::bits(1, n, k),
            _ => operands::bits(0, m, k),
        };
        let mut run = Self {
            engine: engine.clone(),
            precision,
            size: (m, n),
            dy: operands::reals(2, m * n),
            real: Vec::new(),
            bytes: Int8::new(),
            panels: Panels::of_columns_for_reals(engine, operand.view()),
            operand,
            then,
        };
        run.prepare()?;
        Ok(Box::new(run))
    }
}

/// `dx = dy w`.
pub(super) fn input(engine: &Engine, size: Size, precision: Precision) -> Result<Box<dyn Run>> {
    Gradient::make(engine, size, precision, Then::Input(vec![0.0; size.m * size.k]))
}

/// `dw = dy^T x`, stored.
pub(super) fn weights(engine: &Engine, size: Size, precision: Precision) -> Result<Box<dyn Run>> {
    Gradient::make(engine, size, precision, Then::Weights(vec![0.0; size.n * size.k]))
}

/// `dw = dy^T x`, run by run to an optimizer.
pub(super) fn adam(engine: &Engine, size: Size, precision: Precision) -> Result<Box<dyn Run>> {
    let Size { n, k, .. } = size;
    let states = [operands::reals(5, n * k), vec![0.0; n * k], vec![0.0; n * k]];
    Gradient::make(engine, size, precision, Then::Adam(states, operands::bits(1, n, k)))
}

impl Run for Gradient {
    fn prepare(&mut self) -> Result<()> {
        let ((m, n), noise) = (self.size, Noise { seed: 0, step: 0 });
        let Self { engine, dy, real, bytes, .. } = self;
        self.panels.repack(engine, self.operand.view());
        match (self.precision, matches!(self.then, Then::Input(_))) {
            (Precision::Int8, true) => bytes.round(engine, m, n, dy, noise)?,
            (Precision::Int8, false) => bytes.round_transposed(engine, m, n, dy, noise)?,
            (_, true) => {}
            (_, false) => *real = transpose(m, n, dy)?,
        }
        Ok(())
    }

    fn run(&mut self) -> Result<()> {
        let Self { engine, precision, dy, real, bytes, panels, then, .. } = self;
        let left = (*precision, if real.is_empty() { &dy[..] } else { &real[..] }, &*bytes);
        match then {
            Then::Input(out) | Then::Weights(out) => multiply(engine, left, panels, &mut out[..]),
            Then::Adam([latent, m, v], weights) => {
                let states = (&mut latent[..], &mut m[..], &mut v[..]);
                multiply(engine, left, panels, Updating { states, weights, update: &Adam })
            }
        }
    }
}

/// dy in a precision x bits.
fn multiply<K: Sink<f32>>(
    engine: &Engine,
    (precision, real, bytes): (Precision, &[f32], &Int8),
    panels: &Panels,
    sink: K,
) -> Result<()> {
    match precision {
        Precision::F32 => product(engine, real, panels, sink),
        Precision::Bf16 => product(engine, Bf16(real), panels, sink),
        Precision::Int8 => product(engine, bytes, panels, sink),
    }
}

/// Adam on latent weights in -1..1, whose signs are the weights; `onebit-train` has the real one, with
/// settings.
struct Adam;

impl Update<(&mut [f32], &mut [f32], &mut [f32])> for Adam {
    #[inline(always)]
    fn run(
        &self,
        _first: usize,
        gradient: &[f32],
        (latent, m, v): (&mut [f32], &mut [f32], &mut [f32]),
        weights: &mut [u64],
    ) {
        for (((w, &g), m), v) in latent.iter_mut().zip(gradient).zip(m).zip(v) {
            *m = 0.9 * *m + 0.1 * g;
            *v = 0.999 * *v + 0.001 * g * g;
            *w = (*w - 1e-3 * *m / (v.sqrt() + 1e-8)).clamp(-1.0, 1.0);
        }
        for (word, latent) in weights.iter_mut().zip(latent.chunks(64)) {
            *word = compare_pairs(latent, &[0.0; 64][..latent.len()], |w, zero| w >= zero);
        }
    }
}
