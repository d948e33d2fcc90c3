//! The weights of a convolution, packed once for an instruction set.

use alloc::vec::Vec;

use super::shape::Geometry;
use crate::{
    error::{Result, check_shape},
    machine::Engine,
    panels::Panels,
    tensor::BitView,
};

/// The weights of a convolution, packed for the instruction set of an engine.
#[derive(Debug)]
pub struct ConvWeights {
    pub(super) conv: Geometry,
    /// Panels of each group: n = c_out / groups rows of k = kh * kw * c_in / groups bits.
    pub(super) groups: Vec<Panels>,
}

impl ConvWeights {
    /// Packs weights for images of bits: (c_out, kh * kw * c_in / groups) bits.
    ///
    /// # Errors
    /// The errors of [`Geometry::patch`]; [`Error::Shape`](crate::Error::Shape) unless the weights fit.
    pub fn pack(engine: &Engine, conv: Geometry, weights: BitView) -> Result<Self> {
        Ok(Self { conv, groups: pack(conv, weights, |group| Panels::of_rows(engine, group))? })
    }

    /// Packs weights for real images.
    ///
    /// # Errors
    /// The errors of [`pack`](Self::pack).
    pub fn pack_for_reals(engine: &Engine, conv: Geometry, weights: BitView) -> Result<Self> {
        Ok(Self { conv, groups: pack(conv, weights, |group| Panels::of_rows_for_reals(engine, group))? })
    }

    /// Packs other weights of the same convolution, for the same kind of images, in the same memory.
    ///
    /// # Errors
    /// The errors of [`pack`](Self::pack).
    pub fn repack(&mut self, engine: &Engine, weights: BitView) -> Result<()> {
        repack(engine, &self.conv, weights, &mut self.groups)
    }

    /// The geometry of the convolution.
    #[must_use]
    pub fn conv(&self) -> &Geometry {
        &self.conv
    }
}

/// Packs weights group by group.
fn pack(conv: Geometry, weights: BitView, panels: impl Fn(BitView) -> Panels) -> Result<Vec<Panels>> {
    let outputs = check_weights(&conv, weights)?;
    Ok((0..conv.groups).map(|group| panels(weights.part(group * outputs..(group + 1) * outputs))).collect())
}

fn repack(engine: &Engine, conv: &Geometry, weights: BitView, groups: &mut [Panels]) -> Result<()> {
    let outputs = check_weights(conv, weights)?;
    for (group, panels) in groups.iter_mut().enumerate() {
        panels.repack(engine, weights.part(group * outputs..(group + 1) * outputs));
    }
    Ok(())
}

/// Ok with the number of output channels of a group if the weights fit.
fn check_weights(conv: &Geometry, weights: BitView) -> Result<usize> {
    check_shape("conv", "weights", (conv.c_out, conv.patch()?), weights.shape())?;
    Ok(conv.of_group().1)
}

/// The weights of a convolution, packed for the gradient of its input.
#[derive(Debug)]
pub struct ConvTransposed {
    pub(super) conv: Geometry,
    /// Panels of each group: n = kh * kw * c_in / groups rows of k = c_out / groups bits.
    pub(super) groups: Vec<Panels>,
}

impl ConvTransposed {
    /// Packs weights: (c_out, kh * kw * c_in / groups) bits.
    ///
    /// # Errors
    /// The errors of [`ConvWeights::pack`].
    pub fn pack(engine: &Engine, conv: Geometry, weights: BitView) -> Result<Self> {
        Ok(Self { conv, groups: pack(conv, weights, |group| Panels::of_columns_for_reals(engine, group))? })
    }

    /// Packs other weights of the same convolution, in the same memory.
    ///
    /// # Errors
    /// The errors of [`pack`](Self::pack).
    pub fn repack(&mut self, engine: &Engine, weights: BitView) -> Result<()> {
        repack(engine, &self.conv, weights, &mut self.groups)
    }
}
