//! Networks for flip backprop.

use crate::{
    error::{Error, Result},
    layers::{Binarize, Bma, Bmab},
    network::sequential::{Network, count_weights, layer_seed},
    numeric::matrix::Matrix,
    rules::Vote,
};

/// What else a flip-trained network can be told.
#[derive(Clone, Debug, PartialEq)]
pub struct FlipOptions {
    /// Thresholds of the features, in standard deviations.
    pub thresholds: Vec<f32>,
    /// In place of these, thresholds `(d, x)` of each feature, in its units.
    pub thermometer: Option<Matrix>,
    /// Thresholds of the hidden sums, in standard deviations of a random sum.
    pub hidden_thresholds: Vec<f32>,
    /// Share of the batch that must ask before a weight flips, `p_min` in `p = max(mean(n) / voters, p_min)`.
    pub weight_quorum: f64,
    /// Share of the outputs that must ask before an activation flips, likewise.
    pub activation_quorum: f64,
}

impl FlipOptions {
    /// The report's: the same thresholds everywhere, and quorums of half.
    pub fn new(thresholds: &[f32]) -> Self {
        let thresholds = thresholds.to_vec();
        let hidden_thresholds = thresholds.clone();
        Self { thresholds, thermometer: None, hidden_thresholds, weight_quorum: 0.5, activation_quorum: 0.5 }
    }
}

impl Network {
    /// A net for flip backprop: Binarize, one BMAB a hidden width, BMA. Every stage uses the same
    /// `thresholds`; weights are drawn from `seed`.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for a size of 0 or no thresholds.
    pub fn flip(
        inputs: usize,
        hidden: &[usize],
        classes: usize,
        thresholds: &[f32],
        seed: u64,
    ) -> Result<Self> {
        Self::flip_with(inputs, hidden, classes, &FlipOptions::new(thresholds), seed)
    }

    /// As [`flip`](Self::flip), with every option spelled out.
    ///
    /// # Errors
    /// As [`flip`](Self::flip), and for a quorum outside 0 to 1.
    pub fn flip_with(
        inputs: usize,
        hidden: &[usize],
        classes: usize,
        options: &FlipOptions,
        seed: u64,
    ) -> Result<Self> {
        let FlipOptions { thresholds, thermometer, hidden_thresholds, weight_quorum, activation_quorum } =
            options;
        let rule = || Vote::with_quorum(*weight_quorum).map(Box::new);
        let (binarize, depth) = match thermometer {
            None => (Binarize::new(inputs, thresholds.clone())?, thresholds.len()),
            Some(of_each) if of_each.cols() == inputs => {
                (Binarize::of_each(of_each.clone())?, of_each.rows())
            }
            Some(of_each) => {
                let expected = format!("thresholds of {inputs} features");
                let got = format!("of {}", of_each.cols());
                return Err(Error::setting("network.thermometer", expected, got));
            }
        };
        let mut net = Self::new(inputs).with(binarize);
        let widths = [&[inputs], hidden, &[classes]].concat();
        let mut weights = 0;
        widths.windows(2).try_for_each(|w| count_weights(&mut weights, w[0], w[1]))?;
        let (mut width, mut depth) = (inputs, depth);
        for (index, &outputs) in hidden.iter().enumerate() {
            let seed = layer_seed(seed, index);
            let layer = Bmab::new(width, outputs, depth, hidden_thresholds, rule()?, seed)?;
            net = net.with(layer.with_quorum(*activation_quorum)?);
            (width, depth) = (outputs, hidden_thresholds.len());
        }
        let layer = Bma::new(width, classes, depth, rule()?, layer_seed(seed, hidden.len()))?;
        Ok(net.with(layer.with_quorum(*activation_quorum)?))
    }
}
