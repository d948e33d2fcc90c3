//! Looks at single steps: what goes forward, what comes back, and what keeps the weights where they are.
//!
//! A step that is looked at computes the same as any other. What is kept of it is small, whatever the size of the network:
//! histograms of even samples, and the means of a few features.

use serde::{Deserialize, Serialize};

use crate::{
    contract::{
        layer::Layer,
        step::{Unwatched, Verb, Watch},
        value::{Signal, Value},
    },
    network::{Network, sequential::label},
};

mod bit_means;
mod histogram;

pub use bit_means::BitMeans;
pub use histogram::Histogram;

/// Numbers of a tensor that a histogram is made of, at most.
const SAMPLE: usize = 1 << 10;

/// One step that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// Step over all epochs, from 1.
    pub step: u64,
    /// Epoch over all phases, from 1.
    pub epoch: usize,
    /// Phase, from 1.
    pub phase: usize,
    /// The epoch's rate.
    pub rate: f64,
    /// Mean loss over the step's samples.
    pub loss: f64,
    /// Share of the step's samples that were right.
    pub accuracy: f64,
    /// What was seen of each layer.
    pub layers: Vec<LayerReport>,
}

/// What was seen of one layer in one step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LayerReport {
    /// Index and name, such as `1 bmab`.
    pub layer: String,
    /// The bits that it handed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits: Option<BitMeans>,
    /// The real numbers that it handed on: of a last layer the scores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Histogram>,
    /// The share of ones in the flips that it received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flip_ratio: Option<f64>,
    /// The gradient that it received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient: Option<Histogram>,
    /// What keeps its weights where they are, after the step: latent weights, counters, averages or votes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inertia: Option<Inertia>,
}

/// What a rule keeps behind weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inertia {
    /// What it is: `latent weights`, `counters`, `averages`, `votes`.
    pub name: String,
    /// Its numbers.
    pub histogram: Histogram,
}

/// Takes down a step.
#[derive(Default)]
pub(crate) struct Inspector {
    layers: Vec<LayerReport>,
}

impl Inspector {
    /// What was seen, once the step is over.
    pub(crate) fn finish(mut self, net: &Network) -> Vec<LayerReport> {
        for (layer, weights) in net.labelled_weights() {
            let Some((name, values)) = weights.rule.inertia(SAMPLE) else { continue };
            let inertia = Some(Inertia { name: name.into(), histogram: Histogram::of(&values) });
            match self.layers.iter_mut().find(|seen| seen.layer == layer) {
                Some(seen) => seen.inertia = inertia,
                // a part of a layer, of which nothing else is seen
                None => self.layers.push(LayerReport { layer, inertia, ..LayerReport::default() }),
            }
        }
        self.layers
    }

    fn layer(&mut self, index: usize, layer: &dyn Layer) -> &mut LayerReport {
        while self.layers.len() <= index {
            self.layers.push(LayerReport::default());
        }
        let seen = &mut self.layers[index];
        if seen.layer.is_empty() {
            seen.layer = label(index, layer.name());
        }
        seen
    }
}

impl Watch for Inspector {
    fn verb<T>(&mut self, verb: Verb, layer: &mut dyn Layer, act: impl FnOnce(&mut dyn Layer) -> T) -> T {
        Unwatched.verb(verb, layer, act)
    }

    fn load<T>(&mut self, act: impl FnOnce() -> T) -> T {
        act()
    }

    fn judge<T>(&mut self, act: impl FnOnce() -> T) -> T {
        act()
    }

    fn output(&mut self, index: usize, layer: &dyn Layer, y: &Value) {
        let depth = layer.depth();
        let seen = self.layer(index, layer);
        match y {
            Value::Bits(bits) => seen.bits = Some(BitMeans::of(bits, depth)),
            Value::Real(y) => seen.output = Some(Histogram::of_sample(y.values(), SAMPLE)),
            // what dropout silences were bits of the layer before
            Value::Ternary(..) | Value::Bytes(_) => {}
        }
    }

    fn signal(&mut self, index: usize, layer: &dyn Layer, signal: &Signal) {
        let seen = self.layer(index, layer);
        match signal {
            Signal::Flip(flips) => {
                let bits = (flips.rows() * flips.cols()).max(1);
                seen.flip_ratio = Some(flips.count_ones() as f64 / bits as f64);
            }
            Signal::Grad(grad) => seen.gradient = Some(Histogram::of_sample(grad.values(), SAMPLE)),
            Signal::Votes(_) => {}
        }
    }
}
