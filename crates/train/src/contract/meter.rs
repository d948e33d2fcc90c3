//! Counts and measurements of a layer, for reports.

use std::iter::Sum;

use onebit_bits::BitTensor;
use serde::{Deserialize, Serialize};

use crate::{contract::state::State, error::Result};

/// The number of parameters that a layer trains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// Weights of one bit.
    pub bits: usize,
    /// Real parameters.
    pub reals: usize,
}

impl Sum for Parameters {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |a, b| Self { bits: a.bits + b.bits, reals: a.reals + b.reals })
    }
}

/// The measurements of one layer over some steps; each is a share from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Share of ones in the flips that the layer received.
    pub flip_ratio: Option<f64>,
    /// Share of the weights that flipped in a step, averaged over the steps.
    pub update_ratio: Option<f64>,
    /// Share of the weights whose bit was the same at the end of every epoch; `None` at the end of the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_weights: Option<f64>,
    /// Share of ones in the layer's output; near 0 or 1 the bits carry no information about the input.
    pub mean_of_bits: Option<f64>,
}

/// Counts ones and returns their share.
///
/// ```
/// use onebit_train::layer::Meter;
///
/// let mut meter = Meter::default();
/// meter.count(1, 4);
/// meter.count(2, 4);
/// assert_eq!(meter.take(), Some(0.375));
/// assert_eq!(meter.take(), None);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Meter {
    ones: u64,
    total: u64,
}

impl Meter {
    /// Counts the ones of `bits`.
    pub fn add(&mut self, bits: &BitTensor) {
        self.count(bits.count_ones(), bits.rows() * bits.cols());
    }

    /// Counts `ones` among `total`.
    pub fn count(&mut self, ones: u64, total: usize) {
        // a checkpoint may contain any number
        self.ones = self.ones.saturating_add(ones);
        self.total = self.total.saturating_add(total as u64);
    }

    /// Names the counts since the last report, for checkpoints.
    ///
    /// # Errors
    /// Returns the errors of `state`.
    pub fn state(&mut self, name: &str, state: &mut State) -> Result<()> {
        state.within(name, |state| {
            state.count("ones", &mut self.ones)?;
            state.count("total", &mut self.total)
        })
    }

    /// Returns the share of ones since the last call; `None` when nothing was counted.
    pub fn take(&mut self) -> Option<f64> {
        let Meter { ones, total } = std::mem::take(self);
        (total > 0).then(|| ones as f64 / total as f64)
    }
}
