//! Convolution of bits with bits: by tables of the pixels where that pays, otherwise as a product of patches.

use super::{
    direct,
    operands::{CONV, Over},
    patches::conv_by_patches,
    shape::Walk,
    weights::ConvWeights,
};
use crate::{
    error::{Result, check_shape},
    machine::Engine,
    product::{Multiply, Put, Sink},
    tensor::BitView,
};

/// x: (b * h * w, c_in), out: (b * h' * w', c_out).
impl<K: Sink<i32>> Multiply<Over<'_, ConvWeights>, K> for BitView<'_> {
    fn multiply(self, engine: &Engine, right: Over<ConvWeights>, sink: K) -> Result<()> {
        let walk = check(engine, self, right)?;
        let sink = sink.open(CONV, (walk.pixels().1, walk.conv.c_out))?;
        forward(engine, &walk, self, right.weights, &sink);
        Ok(())
    }
}

/// Ok if the operands fit each other and the engine.
fn check(engine: &Engine, x: BitView, Over { weights, images }: Over<ConvWeights>) -> Result<Walk> {
    let walk = Walk::new(weights.conv, images)?;
    check_shape(CONV, "x", (walk.pixels().0, walk.conv.c_in), x.shape())?;
    weights.groups.iter().try_for_each(|panels| panels.check_bits(CONV, engine))?;
    Ok(walk)
}

/// Multiplications that pay for another thread.
const WORK_PER_JOB: usize = 1 << 23;

fn forward<K: Put<i32>>(engine: &Engine, walk: &Walk, x: BitView, weights: &ConvWeights, sink: &K) {
    let Some(panels) = weights.groups.first().filter(|panels| panels.n() > 0) else { return };
    if walk.pixels().1 == 0 {
        return;
    }
    let work = walk.pixels().1.saturating_mul(walk.conv.c_out).saturating_mul(panels.k());
    let jobs = engine.threads().min(work / WORK_PER_JOB).max(1);
    if direct::pays(&walk.conv, panels) {
        direct::conv_direct(engine, walk, x, weights, jobs, sink);
    } else {
        conv_by_patches(engine, walk, x, weights, jobs, sink);
    }
}
