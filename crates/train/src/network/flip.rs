//! Networks for flip backprop.

use crate::{
    error::{Error, Result},
    layers::{Binarize, Bma, Bmab},
    network::sequential::{Network, count_weights, layer_seed},
    numeric::matrix::Matrix,
    rules::Vote,
};

/// The options of a network for flip backprop.
#[derive(Clone, Debug, PartialEq)]
pub struct FlipOptions {
    /// Thresholds of the features, in standard deviations.
    pub thresholds: Vec<f32>,
    /// Thresholds `(d, x)` of each feature in its own unit, which replace `thresholds`.
    pub thermometer: Option<Matrix>,
    /// Thresholds of the hidden sums, in standard deviations of a random sum.
    pub hidden_thresholds: Vec<f32>,
    /// Share of the batch that must request a weight's flip, `p_min` in `p = max(mean(n) / voters, p_min)`.
    pub weight_quorum: f64,
    /// Share of the outputs that must request an activation's flip, `p_min` in the same formula.
    pub activation_quorum: f64,
}

impl FlipOptions {
    /// The same thresholds for features and hidden sums, and quorums of 1/2.
    pub fn new(thresholds: &[f32]) -> Self {
        Self {
            thresholds: thresholds.to_vec(),
            thermometer: None,
            hidden_thresholds: thresholds.to_vec(),
            weight_quorum: 0.5,
            activation_quorum: 0.5,
        }
    }
}

impl Network {
    /// Builds a network for flip backprop: [`Binarize`], one [`Bmab`] for each hidden width, [`Bma`]. The
    /// initial weights are drawn from `seed`.
    ///
    /// ```
    /// use onebit_train::{FlipOptions, Network, flip::thresholds};
    ///
    /// // Binarize(3 thresholds), BMAB(4 -> 64), BMA(64 -> 3)
    /// let net = Network::flip(4, &[64], 3, &FlipOptions::new(&thresholds(3)?), 42)?;
    /// assert_eq!(net.parameters().bits, 3 * (4 * 64 + 64 * 3));
    /// # Ok::<(), onebit_train::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] for a size of 0, no thresholds, thresholds that do not fit the features, a quorum
    /// outside 0 to 1, or more than 2^30 weights.
    pub fn flip(
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
        let mut width = inputs;
        let mut depth = depth;
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
