//! The memory of an interpreter: enough for every layer of its model.

use alloc::{vec, vec::Vec};

use super::patch::Patch;
use crate::{layer::Layer, model::Model};

/// The sizes of all parts of a workspace.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    features: usize,
    classes: usize,
    /// Most words of output of a layer at an even and at an odd position.
    bits: [usize; 2],
    patch_words: usize,
    patch_reals: usize,
}

impl Sizes {
    /// The sizes that `model` needs.
    pub(super) fn of<W: AsRef<[u64]>>(model: &Model<W>) -> Self {
        let (features, classes) = (model.inputs(), model.classes());
        let mut sizes = Self { features, classes, bits: [0; 2], patch_words: 0, patch_reals: 0 };
        let scores = model.layers.len() - 1;
        for (index, layer) in model.layers.iter().enumerate() {
            let written = if index < scores { layer.outputs().div_ceil(64) } else { 0 };
            sizes.bits[index % 2] = sizes.bits[index % 2].max(written);
            match layer {
                Layer::Conv(conv) if index == 0 => sizes.patch_reals = conv.weights.cols(),
                Layer::Conv(conv) => sizes.patch_words = sizes.patch_words.max(conv.weights.words_per_row()),
                _ => {}
            }
        }
        sizes
    }

    pub(super) fn bytes(&self) -> usize {
        let reals = self.features + self.classes + self.patch_reals;
        let words = self.bits[0] + self.bits[1] + 2 * self.patch_words;
        reals * size_of::<f32>() + words * size_of::<u64>()
    }
}

/// Everything that changes while a sample runs.
#[derive(Debug)]
pub(super) struct Workspace {
    /// The features, standardized.
    pub(super) reals: Vec<f32>,
    /// Outputs of layers at even and at odd positions: a layer reads one and writes the other.
    pub(super) bits: [Vec<u64>; 2],
    pub(super) patch: Patch,
    pub(super) scores: Vec<f32>,
}

impl Workspace {
    pub(super) fn new(sizes: Sizes) -> Self {
        Self {
            reals: Vec::with_capacity(sizes.features),
            bits: sizes.bits.map(|words| vec![0; words]),
            patch: Patch::new(sizes.patch_words, sizes.patch_reals),
            scores: vec![0.0; sizes.classes],
        }
    }
}
