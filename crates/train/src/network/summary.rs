//! Parameters and weight statistics of each layer.
//!
//! `N_param` is the number of parameters and `N_bits` their size: 1 bit for a binary weight, 32 bits for a
//! real number. The same network in f32 takes `32 N_param` bits.
//!
//! **Unique filters** (arXiv:1602.02830, section 3.3): for each input channel of a convolution, count the
//! different `kh x kw` kernels of all `o` output channels, where a kernel and its negative count as one, and
//! divide by `o`. The share is the mean over input channels. Random kernels have an expected share of `M (1 -
//! (1 - 1/M)^o) / o` with `M = 2^(kh kw - 1)`; a lower share means that the network has redundant filters.

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

/// Maximum number of taps of a kernel, which is handled as one word of bits.
const MOST_TAPS: usize = 64;

/// Parameters and weight statistics of one layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerSummary {
    /// Name; `residual.conv` for a part of a composite layer.
    pub name: String,
    /// Numbers of binary weights and real parameters.
    pub parameters: Parameters,
    /// Share of unique filters and its expectation for random weights, for convolutions.
    pub unique_filters: Option<(f64, f64)>,
    /// Mean angle in degrees between the real weights of an output and their signs, if the rule has real
    /// weights.
    pub angle: Option<f64>,
    /// That angle before and after the last rotation of the weights, for [`Rbnn`].
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
    /// Number of parameters, `N_param`.
    pub fn count(&self) -> usize {
        self.bits + self.reals
    }

    /// Size of the parameters in bits, `N_bits`.
    pub fn size_in_bits(&self) -> usize {
        self.bits + 32 * self.reals
    }
}

impl Network {
    /// Returns index and summary of each layer with parameters, first to last. A composite layer is listed by
    /// its parts.
    ///
    /// ```
    /// use onebit_train::{FlipOptions, Network};
    ///
    /// let net = Network::flip(4, &[64], 3, &FlipOptions::new(&[0.0]), 42)?;
    /// let sizes: Vec<_> = net.summary().iter().map(|(_, layer)| layer.parameters.size_in_bits()).collect();
    /// assert_eq!(sizes, [4 * 64, 64 * 3]);
    /// # Ok::<(), onebit_train::Error>(())
    /// ```
    pub fn summary(&self) -> Vec<(usize, LayerSummary)> {
        let mut all = Vec::new();
        self.layers().iter().enumerate().for_each(|(index, layer)| summarize(index, "", &**layer, &mut all));
        all
    }
}

fn summarize(index: usize, prefix: &str, layer: &dyn Layer, all: &mut Vec<(usize, LayerSummary)>) {
    let name = format!("{prefix}{}", layer.name());
    let parts = layer.parts();
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
    let kinds = libm::exp2((taps - 1) as f64);
    let outputs = outputs as f64;
    let random = -kinds * libm::expm1(outputs * libm::log1p(-1.0 / kinds)) / outputs;
    Some((share, random))
}

/// Returns the taps of one output and one input channel as bits of a word.
fn kernel(bits: &BitTensor, output: usize, channel: usize, taps: usize) -> u64 {
    let channels = bits.cols() / taps;
    (0..taps).fold(0, |kernel, tap| kernel << 1 | u64::from(bits.get(output, tap * channels + channel)))
}

/// Returns the same word for a kernel and its negative.
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
