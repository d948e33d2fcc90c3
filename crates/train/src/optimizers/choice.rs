//! Optimizers by name, for configurations.

use serde::{Deserialize, Serialize};

use crate::{
    error::Result,
    optimizers::{AdaMax, Adam, AdamW, Optimizer, Sgd, ShiftAdaMax},
};

/// An optimizer and its settings. TOML: `"adam"`, or with settings
/// `{ name = "sgd", momentum = 0.9, decay = 1e-4 }`.
///
/// ```
/// use onebit_train::optimizers::OptimizerConfig;
///
/// let optimizer = OptimizerConfig::Sgd { momentum: 0.9, decay: 0.0 }.build()?;
/// let error = OptimizerConfig::AdamW { decay: -1.0 }.build().err().map(|error| error.to_string());
/// assert_eq!(error.as_deref(), Some("decay: expected a number from 0 on, got -1"));
/// # Ok::<(), onebit_train::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum OptimizerConfig {
    /// [`Adam`].
    Adam {},
    /// [`AdamW`].
    #[serde(rename = "adamw")]
    AdamW {
        /// The weight decay, by default 0.01.
        #[serde(default = "a_hundredth")]
        decay: f32,
    },
    /// [`AdaMax`].
    #[serde(rename = "adamax")]
    AdaMax {},
    /// [`ShiftAdaMax::paper`].
    #[serde(rename = "shift-adamax")]
    ShiftAdaMax {},
    /// [`ShiftAdaMax::torch`].
    #[serde(rename = "shift-adamax-torch")]
    ShiftAdaMaxTorch {},
    /// [`Sgd`].
    Sgd {
        /// The momentum, by default 0.9.
        #[serde(default = "nine_tenths")]
        momentum: f32,
        /// The weight decay, by default 0.
        #[serde(default)]
        decay: f32,
    },
}

fn a_hundredth() -> f32 {
    0.01
}

fn nine_tenths() -> f32 {
    0.9
}

/// [`Adam`] with the settings of its paper.
impl Default for OptimizerConfig {
    fn default() -> Self {
        Self::Adam {}
    }
}

impl OptimizerConfig {
    /// Builds an optimizer with these settings.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for a setting outside its range.
    pub fn build(&self) -> Result<Box<dyn Optimizer>> {
        Ok(match *self {
            Self::Adam {} => Box::new(Adam::new()),
            Self::AdamW { decay } => Box::new(AdamW::new(decay)?),
            Self::AdaMax {} => Box::new(AdaMax::new()),
            Self::ShiftAdaMax {} => Box::new(ShiftAdaMax::paper()),
            Self::ShiftAdaMaxTorch {} => Box::new(ShiftAdaMax::torch()),
            Self::Sgd { momentum, decay } => Box::new(Sgd::new(momentum, decay)?),
        })
    }
}
