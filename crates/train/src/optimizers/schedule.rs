//! Schedules: how a rate, or another number, changes from epoch to epoch.
//!
//! ```
//! use onebit_train::schedule::Schedule;
//!
//! let halved = Schedule::Step { factor: 0.5, every: 20 };
//! assert_eq!(halved.rate_at(1.0, 45, 100), 0.25);
//! ```

use std::{f64::consts::PI, ops::RangeInclusive};

use serde::Serialize;

use crate::{
    contract::context::Clock,
    error::{Error, Result},
};

/// The schedule of a rate. `e` is the epoch, from 0, of `E` epochs.
///
/// For a list of milestones, use a list of phases, each with its own rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub enum Schedule {
    /// `rate` in every epoch.
    #[default]
    Constant,
    /// `rate (final_rate / rate)^(e / E)`: the same factor every epoch (arXiv:1602.02830).
    Exponential {
        /// The rate after the last epoch, above 0.
        final_rate: f64,
    },
    /// `rate factor^floor(e / every)`.
    Step {
        /// The factor, above 0; 0.5 in the Torch7 code of arXiv:1602.02830.
        factor: f64,
        /// The number of epochs between changes, at least 1.
        every: usize,
    },
    /// `final_rate + (rate - final_rate) (1 + cos(pi e / E)) / 2` (arXiv:1608.03983, without restarts), after
    /// `warmup` epochs in which the rate rises in equal steps: `rate (e + 1) / warmup`. The last warm-up
    /// epoch is the first of the cosine.
    Cosine {
        /// The rate after the last epoch, at least 0.
        final_rate: f64,
        /// The number of warm-up epochs; 0 and 1 mean none, 5 in arXiv:2009.13055.
        warmup: usize,
    },
    /// `rate + (final_rate - rate) e / E` (arXiv:2003.03488).
    Linear {
        /// The rate after the last epoch, at least 0.
        final_rate: f64,
    },
}

impl Schedule {
    /// The rate in epoch `epoch`, from 0, of `epochs`; `rate` is the initial one.
    pub fn rate_at(self, rate: f64, epoch: usize, epochs: usize) -> f64 {
        let share = |epoch: usize, epochs: usize| epoch as f64 / epochs.max(1) as f64;
        match self {
            Self::Constant => rate,
            Self::Exponential { final_rate } => rate * libm::pow(final_rate / rate, share(epoch, epochs)),
            Self::Step { factor, every } => rate * libm::pow(factor, (epoch / every.max(1)) as f64),
            Self::Cosine { final_rate, warmup } => {
                let first = warmup.saturating_sub(1);
                if epoch < first {
                    return rate * share(epoch + 1, warmup);
                }
                let turn = PI * share(epoch - first, epochs.saturating_sub(first));
                final_rate + (rate - final_rate) * (1.0 + libm::cos(turn)) / 2.0
            }
            Self::Linear { final_rate } => rate + (final_rate - rate) * share(epoch, epochs),
        }
    }

    /// Checks the settings; errors put `prefix` before their names.
    pub(crate) fn check(self, prefix: &str, epochs: usize) -> Result<()> {
        let wrong = |name: &str, expected: &str, got: &dyn ToString| {
            Err(Error::setting(format!("{prefix}{name}"), expected, got.to_string()))
        };
        match self {
            Self::Exponential { final_rate } if !(final_rate > 0.0 && final_rate.is_finite()) => {
                wrong("final_rate", "a positive number", &final_rate)
            }
            Self::Cosine { final_rate, .. } | Self::Linear { final_rate }
                if !(final_rate >= 0.0 && final_rate.is_finite()) =>
            {
                wrong("final_rate", "a number from 0 on", &final_rate)
            }
            Self::Cosine { warmup, .. } if warmup > epochs => {
                wrong("warmup", &format!("at most the {epochs} epochs"), &warmup)
            }
            Self::Step { factor, .. } if !(factor > 0.0 && factor.is_finite()) => {
                wrong("factor", "a positive number", &factor)
            }
            Self::Step { every: 0, .. } => wrong("every", "at least 1 epoch", &0),
            _ => Ok(()),
        }
    }
}

/// A number with a schedule over the whole run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scheduled {
    /// The number in the first epoch.
    pub start: f64,
    /// Its schedule; the schedule's rate is this number.
    pub schedule: Schedule,
}

impl Scheduled {
    /// The number at this time.
    pub fn at(self, clock: Clock) -> f64 {
        self.schedule.rate_at(self.start, clock.epoch, clock.epochs)
    }

    /// Checks that the number lies in `range` over the whole run.
    pub(crate) fn check(self, name: &str, range: RangeInclusive<f64>) -> Result<Self> {
        self.schedule.check(&format!("{name}."), usize::MAX)?;
        let last = match self.schedule {
            Schedule::Exponential { final_rate: last }
            | Schedule::Cosine { final_rate: last, .. }
            | Schedule::Linear { final_rate: last } => last,
            Schedule::Step { factor, .. } if factor > 1.0 => {
                return Err(Error::setting(format!("{name}.factor"), "at most 1", factor));
            }
            Schedule::Step { .. } | Schedule::Constant => self.start,
        };
        match [self.start, last].into_iter().find(|number| !range.contains(number)) {
            Some(number) => {
                Err(Error::setting(name, format!("{:?} to {:?}", range.start(), range.end()), number))
            }
            None => Ok(self),
        }
    }

    /// Checks that the number is a share that starts above 0.
    pub(crate) fn check_share(self, name: &str) -> Result<Self> {
        if self.start > 0.0 {
            self.check(name, 0.0..=1.0)
        } else {
            Err(Error::setting(name, "a number above 0 and up to 1", self.start))
        }
    }
}

impl From<f64> for Scheduled {
    /// A constant number.
    fn from(start: f64) -> Self {
        Self { start, schedule: Schedule::Constant }
    }
}
