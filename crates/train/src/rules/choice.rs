//! Rules by name, for configurations.

use serde::{Deserialize, Serialize};

use crate::{
    contract::rule::Rule,
    error::Result,
    optimizers::{
        OptimizerConfig, Sgd,
        schedule::{Schedule, Scheduled},
    },
    rules::{Bop, Bop2, Correction, Counter, Counting, Latent, Rbnn, Standardization, Standardized, Xnor},
};

/// A rule and its settings. TOML: `"latent"`, or with settings
/// `{ name = "bop", threshold = 1e-8, gamma = 1e-4 }`.
///
/// ```
/// use onebit_train::rules::RuleConfig;
///
/// let error = RuleConfig::Latent { scale: Some(0.0), bound: 1.0 }.build(&Default::default()).err().unwrap();
/// assert_eq!(error.to_string(), "latent scale: expected a positive number, got 0");
/// # Ok::<(), onebit_train::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum RuleConfig {
    /// [`Latent`].
    Latent {
        /// The scale on the optimizer's step, by default Glorot's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scale: Option<f32>,
        /// The bound on the magnitude of latent weights, by default 1.
        #[serde(default = "one")]
        bound: f32,
    },
    /// [`Bop`].
    Bop {
        /// The bound on the average gradient, by default 1e-8.
        #[serde(default = "bop_threshold")]
        threshold: f64,
        /// The rate of the average, by default 1e-4.
        #[serde(default = "bop_gamma")]
        gamma: f64,
        /// The factor by which gamma is multiplied after every `every` epochs, by default 0.1.
        #[serde(default = "a_tenth")]
        factor: f64,
        /// The number of epochs between changes of gamma; by default it never changes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        every: Option<usize>,
    },
    /// [`Bop2`], without correction.
    Bop2 {
        /// The bound on the quotient of the averages, by default 1e-6.
        #[serde(default = "bop2_threshold")]
        threshold: f64,
        /// The rate of the gradients' average, by default 1e-7.
        #[serde(default = "bop2_gamma")]
        gamma: f64,
        /// The rate of the average of their squares, by default 1e-3.
        #[serde(default = "bop2_sigma")]
        sigma: f64,
    },
    /// [`Xnor`].
    Xnor {},
    /// [`Standardized`] with [`Standardization::Centred`].
    Centred {},
    /// [`Standardized`] with [`Standardization::Libra`].
    IrNet {},
    /// [`Standardized`] with [`Standardization::ReCu`].
    Recu {},
    /// [`Rbnn`], with its angles under SGD with momentum 0.9, as in the authors' code.
    Rbnn {},
    /// [`Counter`]: integers instead of real weights.
    Counter(Counting),
}

fn one() -> f32 {
    1.0
}

fn bop_threshold() -> f64 {
    1e-8
}

fn bop_gamma() -> f64 {
    1e-4
}

fn a_tenth() -> f64 {
    0.1
}

fn bop2_threshold() -> f64 {
    1e-6
}

fn bop2_gamma() -> f64 {
    1e-7
}

fn bop2_sigma() -> f64 {
    1e-3
}

/// [`Latent`](RuleConfig::Latent) with the settings of arXiv:1602.02830.
impl Default for RuleConfig {
    fn default() -> Self {
        Self::Latent { scale: None, bound: 1.0 }
    }
}

impl RuleConfig {
    /// Builds a rule with these settings. `optimizer` moves its real weights, if it has any.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for a setting outside its range.
    pub fn build(&self, optimizer: &OptimizerConfig) -> Result<Box<dyn Rule>> {
        let standardized =
            |how| -> Result<Box<dyn Rule>> { Ok(Box::new(Standardized::new(how, optimizer.build()?))) };
        Ok(match *self {
            Self::Latent { scale, bound } => {
                let latent = Latent::new(optimizer.build()?).with_bound(bound)?;
                Box::new(match scale {
                    Some(scale) => latent.with_scale(scale)?,
                    None => latent,
                })
            }
            Self::Bop { threshold, gamma, factor, every } => {
                let schedule = every.map_or(Schedule::Constant, |every| Schedule::Step { factor, every });
                Box::new(Bop::with(threshold, Scheduled { start: gamma, schedule })?)
            }
            Self::Bop2 { threshold, gamma, sigma } => {
                Box::new(Bop2::with(threshold, gamma, sigma, Correction::None)?)
            }
            Self::Xnor {} => Box::new(Xnor::new(optimizer.build()?)),
            Self::Centred {} => standardized(Standardization::Centred)?,
            Self::IrNet {} => standardized(Standardization::Libra)?,
            Self::Recu {} => standardized(Standardization::ReCu)?,
            Self::Counter(counting) => Box::new(Counter::new(counting)?),
            // An optimizer that divides by the gradient's size would amplify the decay of the angles.
            Self::Rbnn {} => Box::new(Rbnn::new(optimizer.build()?, Sgd::new(0.9, 0.0)?)),
        })
    }
}
