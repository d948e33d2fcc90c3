//! The options of network and training that a configuration resolves to.

use onebit_data::ImageShape;

use crate::{
    config::{Config, LossName, Method, NetworkConfig, RealProduct, Thresholds},
    contract::{rounding::Precision, step::Order},
    error::{Error, Result},
    layers::flip::signals as flip,
    network::{DropoutShares, FlipOptions, Norm, RealWeights, StraightThroughOptions},
    rules::{Counting, RuleConfig},
    training::Phase,
};

impl Config {
    /// Returns the options of a network for flip backprop.
    ///
    /// # Errors
    /// [`Error::Setting`] for a number of thresholds other than 1, 3, 7 or 15.
    pub fn flip_options(&self) -> Result<FlipOptions> {
        let resolved = |name, thresholds: &Option<Thresholds>| match thresholds {
            None => Ok(None),
            Some(Thresholds::Values(values)) => Ok(Some(values.clone())),
            Some(Thresholds::Depth(depth)) => flip::thresholds(*depth)
                .map(Some)
                .map_err(|_| Error::setting(name, "a depth of 1, 3, 7 or 15, or a list", depth)),
        };
        let thresholds = resolved("network.thresholds", &self.network.thresholds)?;
        let hidden = resolved("network.hidden_thresholds", &self.network.hidden_thresholds)?;
        let mut options = FlipOptions::new(&thresholds.map_or_else(|| flip::thresholds(3), Ok)?);
        options.hidden_thresholds = hidden.unwrap_or(options.hidden_thresholds);
        options.weight_quorum = self.training.quorum.unwrap_or(options.weight_quorum);
        options.activation_quorum = self.training.activation_quorum.unwrap_or(options.activation_quorum);
        Ok(options)
    }

    /// Returns the options of a network for straight-through training or integer flip backprop; `image` is
    /// the shape of the samples if they are images.
    pub fn straight_through_options(&self, image: Option<ImageShape>) -> StraightThroughOptions {
        let NetworkConfig { convolutions, border, norm, activation, estimator, .. } = &self.network;
        let NetworkConfig { dropout_input, dropout_hidden, heads, .. } = &self.network;
        let (default_norm, default_gradient, default_rule) = match self.method {
            Method::IntegerFlip => {
                (Norm::Threshold, Precision::Int8, RuleConfig::Counter(Counting::default()))
            }
            Method::Flip | Method::StraightThrough => Default::default(),
        };
        StraightThroughOptions {
            convolutions: convolutions.clone().unwrap_or_default(),
            image,
            border: border.unwrap_or_default(),
            norm: norm.unwrap_or(default_norm),
            activation: activation.unwrap_or_default(),
            estimator: *estimator,
            dropout: DropoutShares { input: *dropout_input, hidden: *dropout_hidden },
            gradient: self.training.gradient.unwrap_or(default_gradient),
            rule: self.training.rule.unwrap_or(default_rule),
            optimizer: self.training.optimizer.unwrap_or_default(),
            binary_input: self.network.binary_input,
            heads: *heads,
            thermometer: None, // its thresholds depend on the data
            real: RealWeights {
                first: self.network.real.contains(&RealProduct::First),
                last: self.network.real.contains(&RealProduct::Last),
                all: self.network.real.contains(&RealProduct::All),
            },
            real_optimizer: self.training.real_optimizer.or(self.training.optimizer).unwrap_or_default(),
        }
    }

    /// Returns the loss.
    pub fn loss(&self) -> LossName {
        self.training.loss.unwrap_or(match self.method {
            Method::IntegerFlip => LossName::IntegerSoftmax,
            _ => LossName::default(),
        })
    }

    /// Returns the order of learning.
    pub fn order(&self) -> Order {
        match self.method {
            Method::Flip => self.training.order.unwrap_or(Order::InputFirst),
            Method::IntegerFlip => self.training.order.unwrap_or(Order::Parallel),
            Method::StraightThrough => Order::Parallel,
        }
    }

    /// Returns the phases for the trainer.
    ///
    /// # Errors
    /// [`Error::Setting`] when a rate is missing, given twice, or outside its range.
    pub fn phases(&self) -> Result<Vec<Phase>> {
        self.phases.iter().enumerate().map(|(i, p)| p.phase(i, self.method)).collect()
    }

    /// Returns the configuration as a TOML text.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a configuration has only types that TOML has")
    }
}
