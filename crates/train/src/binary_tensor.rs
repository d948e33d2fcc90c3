//! Weights: bits, and the rule that decides which of them flip.

use onebit_bits::{BitTensor, BitView};

use crate::{
    error::Result,
    layer::{Context, Meter, Parameters},
    rules::Rule,
    value::Signal,
};

/// The weights of a layer, `(o, i)` bits. There is one verb for every training method:
/// `weights ^= rule.flips(weights, signal)`.
pub struct BinaryTensor {
    bits: BitTensor,
    rule: Box<dyn Rule>,
    flipped: Meter,
}

impl BinaryTensor {
    /// Weights as the rule wants them to start, `(o, i)`.
    ///
    /// # Errors
    /// Those of the rule, when a state that it was given does not fit.
    pub fn new(outputs: usize, inputs: usize, mut rule: Box<dyn Rule>, seed: u64) -> Result<Self> {
        let bits = rule.start(outputs, inputs, seed)?;
        Ok(Self { bits, rule, flipped: Meter::default() })
    }

    /// The weights, `(o, i)` bits.
    pub fn bits(&self) -> &BitTensor {
        &self.bits
    }

    /// A view of the weights, `(o, i)` bits.
    pub fn view(&self) -> BitView<'_> {
        self.bits.view()
    }

    /// The rule behind the weights.
    pub fn rule(&self) -> &dyn Rule {
        &*self.rule
    }

    /// Lets the rule decide, flips, and returns the flips, `(o, i)`.
    ///
    /// # Errors
    /// Those of the rule.
    pub fn update(&mut self, cx: &Context, signal: &Signal, rate: f64) -> Result<BitTensor> {
        let flips = self.rule.flips(cx, self.bits.view(), signal, rate)?;
        self.bits.flip(flips.view())?;
        self.flipped.add(&flips);
        Ok(flips)
    }

    /// How many weights there are.
    pub fn parameters(&self) -> Parameters {
        Parameters { bits: self.bits.rows() * self.bits.cols(), reals: 0 }
    }

    /// Share of the weights that flipped, in the mean over the steps since the last call.
    pub fn take_update_ratio(&mut self) -> Option<f64> {
        self.flipped.take()
    }
}
