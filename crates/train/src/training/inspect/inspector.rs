//! Watches a step and builds the reports of its layers.

use crate::{
    contract::{
        layer::Layer,
        step::{Unwatched, Verb, Watch},
        value::{Signal, Value},
    },
    network::{Network, label},
    training::inspect::{BitMeans, Histogram, Inertia, LayerReport},
};

/// Maximum number of values that enter a histogram.
const SAMPLE: usize = 1 << 10;

/// Watches a step and builds the reports of its layers.
#[derive(Default)]
pub(crate) struct Inspector {
    layers: Vec<LayerReport>,
}

impl Inspector {
    /// Adds the per-weight states and returns the reports, after the step.
    pub(crate) fn finish(mut self, net: &Network) -> Vec<LayerReport> {
        for (layer, weights) in net.labelled_weights() {
            let Some((name, values)) = weights.rule.inertia(SAMPLE) else { continue };
            let inertia = Some(Inertia { name: name.into(), histogram: Histogram::of(&values) });
            match self.layers.iter_mut().find(|report| report.layer == layer) {
                Some(report) => report.inertia = inertia,
                // a part of a composite layer, which has no other entries
                None => self.layers.push(LayerReport { layer, inertia, ..LayerReport::default() }),
            }
        }
        self.layers
    }

    /// Returns the report of a layer, which is added if it is new.
    fn layer(&mut self, index: usize, layer: &dyn Layer) -> &mut LayerReport {
        while self.layers.len() <= index {
            self.layers.push(LayerReport::default());
        }
        let report = &mut self.layers[index];
        if report.layer.is_empty() {
            report.layer = label(index, layer.name());
        }
        report
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
        let report = self.layer(index, layer);
        match y {
            Value::Bits(bits) => report.bits = Some(BitMeans::of(bits, depth)),
            Value::Real(y) => report.output = Some(Histogram::of_sample(y.values(), SAMPLE)),
            // dropout zeroes bits that the previous layer has reported
            Value::Ternary(..) | Value::Bytes(_) => {}
        }
    }

    fn signal(&mut self, index: usize, layer: &dyn Layer, signal: &Signal) {
        let report = self.layer(index, layer);
        match signal {
            Signal::Flip(flips) => {
                let bits = (flips.rows() * flips.cols()).max(1);
                report.flip_ratio = Some(flips.count_ones() as f64 / bits as f64);
            }
            Signal::Grad(grad) => report.gradient = Some(Histogram::of_sample(grad.values(), SAMPLE)),
            Signal::Votes(_) => {}
        }
    }
}
