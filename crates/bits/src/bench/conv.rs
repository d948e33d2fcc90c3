//! Convolution of bits: 3 x 3, stride 1, output as large as the input, thresholds to the bits of the next
//! layer.

use alloc::{boxed::Box, vec, vec::Vec};

use super::{
    operands,
    run::{Run, Size},
};
use crate::{
    conv::{ConvWeights, Geometry, Images, Pad, Padding, convolve},
    error::Result,
    machine::Engine,
    product::Threshold,
    tensor::BitTensor,
};

struct Convolution {
    engine: Engine,
    images: Images,
    /// (pixels, c)
    x: BitTensor,
    /// (c, 9 c)
    weights: BitTensor,
    packed: ConvWeights,
    /// (c)
    thresholds: Vec<i32>,
    descending: BitTensor,
    /// (pixels, c)
    y: BitTensor,
}

/// The sizes of the product that it stands for.
pub(super) fn size(channels: usize, images: Images) -> Size {
    Size { m: images.b * images.h * images.w, n: channels, k: 9 * channels }
}

pub(super) fn forward(engine: &Engine, channels: usize, images: Images) -> Result<Box<dyn Run>> {
    let conv =
        Geometry { padding: Padding::around(1), pad: Pad::Plus, ..Geometry::new(channels, channels, (3, 3)) };
    let Size { m, n, k } = size(channels, images);
    let weights = operands::bits(1, n, k);
    Ok(Box::new(Convolution {
        engine: engine.clone(),
        images,
        x: operands::bits(0, m, channels),
        packed: ConvWeights::pack(engine, conv, weights.view())?,
        weights,
        thresholds: vec![0; n],
        descending: BitTensor::zeros(1, n),
        y: BitTensor::zeros(m, n),
    }))
}

impl Run for Convolution {
    fn prepare(&mut self) -> Result<()> {
        self.packed.repack(&self.engine, self.weights.view())
    }

    fn run(&mut self) -> Result<()> {
        let Self { engine, images, x, packed, thresholds, descending, y, .. } = self;
        convolve(
            engine,
            x.view(),
            *images,
            packed,
            Threshold { thresholds, descending: descending.view(), bits: y },
        )
    }
}
