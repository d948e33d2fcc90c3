//! The settings of [`Counter`](crate::rules::Counter).

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The settings of [`Counter`](crate::rules::Counter).
///
/// ```
/// use onebit_train::rules::{Counter, Counting};
///
/// let counting = Counting { dead_band: 128, ..Counting::default() };
/// let error = Counter::new(counting).err().map(|error| error.to_string());
/// assert_eq!(error.as_deref(), Some("counter dead_band: expected less than 128, got 128"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Counting {
    /// Bits of a counter including its sign, 2 to 8, by default 8. With few bits, steps are coarse and
    /// weights never settle.
    pub bits: u32,
    /// The distance that a counter moves away from 0 when its weight flips, from 0 to below half of the
    /// counter's range, by default 32. At 0, weights chatter.
    pub dead_band: u8,
    /// The number of batches over which a vote is averaged, a power of two up to 64. The default, 1, averages
    /// nothing. Averaging costs a second byte per weight and helps with batches of less than a few hundred
    /// samples.
    pub average: u32,
    /// What the rate controls, by default the step of a counter (`way`).
    pub hold: RateTarget,
}

/// What the rate of a [`Counter`](crate::rules::Counter) controls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RateTarget {
    /// The mean step of a counter, as a share of its range. Configurations call it `way`.
    #[default]
    #[serde(rename = "way")]
    Step,
    /// The share of the weights that flip in a step. A controller finds the counters' step: after each step
    /// it multiplies it by the 16th root of `rate / mean flips`, with the quotient kept between 1/2 and 2.
    Flips,
}

impl Default for Counting {
    fn default() -> Self {
        Self { bits: 8, dead_band: 32, average: 1, hold: RateTarget::Step }
    }
}

impl Counting {
    pub(super) fn check(self) -> Result<Self> {
        if !(2..=8).contains(&self.bits) {
            return Err(Error::setting("counter bits", "2 to 8", self.bits));
        }
        if i32::from(self.dead_band) >= self.range() {
            return Err(Error::setting(
                "counter dead_band",
                format!("less than {}", self.range()),
                self.dead_band,
            ));
        }
        if !(self.average.is_power_of_two() && self.average <= 64) {
            return Err(Error::setting("counter average", "a power of two from 1 to 64", self.average));
        }
        Ok(self)
    }

    /// Counters lie in `-range..range`.
    pub(super) fn range(self) -> i32 {
        1 << (self.bits - 1)
    }

    pub(super) fn averages(self) -> bool {
        self.average > 1
    }
}
