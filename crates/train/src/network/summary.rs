//! What a network is made of, layer by layer: its parameters, and what its weights look like.
//!
//! `N_param` is the number of parameters, `N_bits` what they take: 1 bit for a binary weight, 32 for a real number. The same
//! network in f32 takes `32 N_param`.
//!
//! **Unique filters** (arXiv:1602.02830, section 3.3): for each input channel of a convolution the number of different
//! `kh x kw` kernels among those of all output channels, where a kernel and its negative count as one, divided by the
//! number of output channels; the mean over input channels. Of random kernels there are
//! `M (1 - (1 - 1/M)^o) / o` with `M = 2^(kh kw - 1)`: less means that the network repeats itself.

use std::collections::HashSet;

use onebit_bits::BitTensor;
use serde::{Deserialize, Serialize};

use crate::{
    contract::{
        layer::{Layer, Weights},
        meter::Parameters,
    },
    network::sequential::Network,
    rules::{Rbnn, mean_angle},
};

/// Taps of a kernel at most: one is looked at as a word of bits.
const MOST_TAPS: usize = 64;

/// One layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerSummary {
    /// Its name, in a composite layer `residual.conv`.
    pub name: String,
    /// Its binary weights and real parameters.
    pub parameters: Parameters,
    /// Share of unique filters, and what it would be for random ones; of convolutions.
    pub unique_filters: Option<(f64, f64)>,
    /// Mean angle in degrees between the real weights of an output and their signs; where there are real weights.
    pub angle: Option<f64>,
    /// The same before and after the weights were rotated last; of [`Rbnn`].
    pub rotation: Option<[f64; 2]>,
}

impl LayerSummary {
    fn of(name: String, layer: &dyn Layer) -> Self {
        let weights = layer.binary_weights();
        Self {
            name,
            rotation: weights.and_then(|Weights { rule, .. }| rule.downcast_ref().map(Rbnn::fitted_angles)),
            parameters: layer.parameters(),
            unique_filters: weights.and_then(unique_filters),
            angle: weights.and_then(|Weights { bits, rule, .. }| {
                rule.reals().filter(|reals| !reals.is_empty()).map(|reals| mean_angle(&reals, bits.view()))
            }),
        }
    }
}

impl Parameters {
    /// `N_param`.
    pub fn count(&self) -> usize {
        self.bits + self.reals
    }

    /// `N_bits`.
    pub fn size_in_bits(&self) -> usize {
        self.bits + 32 * self.reals
    }
}

impl Network {
    /// Every layer that has parameters, first to last, with its index. Of a composite layer its parts.
    pub fn summary(&self) -> Vec<(usize, LayerSummary)> {
        let mut all = Vec::new();
        self.layers().iter().enumerate().for_each(|(index, layer)| summarize(index, "", &**layer, &mut all));
        all
    }
}

fn summarize(index: usize, prefix: &str, layer: &dyn Layer, all: &mut Vec<(usize, LayerSummary)>) {
    let (name, parts) = (format!("{prefix}{}", layer.name()), layer.parts());
    if parts.is_empty() && layer.parameters().count() > 0 {
        all.push((index, LayerSummary::of(name.clone(), layer)));
    }
    parts.into_iter().for_each(|part| summarize(index, &format!("{name}."), part, all));
}

fn unique_filters(Weights { bits, taps, .. }: Weights) -> Option<(f64, f64)> {
    let (outputs, channels) = (bits.rows(), bits.cols() / taps.max(1));
    if !(2..=MOST_TAPS).contains(&taps) || outputs == 0 || channels == 0 {
        return None;
    }
    let unique = |channel| {
        let kernels = (0..outputs).map(|output| up_to_sign(kernel(bits, output, channel, taps), taps));
        kernels.collect::<HashSet<_>>().len() as f64
    };
    let share = (0..channels).map(unique).sum::<f64>() / (channels * outputs) as f64;
    let (kinds, outputs) = (libm::exp2((taps - 1) as f64), outputs as f64);
    let random = -kinds * libm::expm1(outputs * libm::log1p(-1.0 / kinds)) / outputs;
    Some((share, random))
}

/// One output's taps of an input channel.
fn kernel(bits: &BitTensor, output: usize, channel: usize, taps: usize) -> u64 {
    let channels = bits.cols() / taps;
    (0..taps).fold(0, |kernel, tap| kernel << 1 | u64::from(bits.get(output, tap * channels + channel)))
}

/// The same for a kernel and its negative.
fn up_to_sign(kernel: u64, taps: usize) -> u64 {
    kernel.min(!kernel & (!0 >> (64 - taps)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{contract::rule::Rule, rules::Vote};

    fn share(bits: &BitTensor, taps: usize) -> Option<(f64, f64)> {
        let rule: &dyn Rule = &Vote::new();
        unique_filters(Weights { bits, taps, rule })
    }

    #[test]
    fn equal_and_opposite_filters_count_once() {
        // 4 outputs, 2 channels, 4 taps; channel 0: one kernel and its negative, channel 1: four kernels
        let bits = BitTensor::from_fn(4, 8, |output, at| match at % 2 {
            0 => (output % 2 == 0) == (at / 2 == 0),
            _ => at / 2 == output,
        });
        let (share, _) = share(&bits, 4).unwrap();
        assert_eq!(share, (1.0 + 4.0) / 2.0 / 4.0);
    }

    #[test]
    fn random_filters_repeat_as_often_as_expected() {
        for (outputs, expected) in [(128, 0.788), (256, 0.633), (512, 0.433)] {
            let bits = onebit_bits::random_bits(1, 0, outputs, 9 * 64);
            let (share, random) = share(&bits, 9).unwrap();
            assert!((random - expected).abs() < 1e-3, "{random}");
            assert!((share - random).abs() < 0.01, "{share} {random}");
        }
    }

    #[test]
    fn dense_layers_have_no_filters() {
        assert_eq!(share(&BitTensor::zeros(3, 8), 1), None);
        assert_eq!(share(&BitTensor::zeros(0, 8), 2), None);
    }
}
