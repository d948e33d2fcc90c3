//! What a checkpoint is made of: everything that changes in training and that the next step depends on.
//!
//! A layer, rule or optimizer names its state in one walk, and the same walk saves and restores it:
//!
//! ```
//! use onebit_train::{Result, state::State};
//!
//! struct Momentum { values: Vec<f32>, step: u64 }
//!
//! impl Momentum {
//!     fn state(&mut self, state: &mut State) -> Result<()> {
//!         state.reals("values", &mut self.values)?;
//!         state.count("step", &mut self.step)
//!     }
//! }
//! ```
//!
//! What is fixed when a network is built (sizes, settings, seeds) is no state: a checkpoint is restored into a network
//! that is built from the same configuration.

use onebit_bits::BitTensor;

use crate::error::Result;

/// One thing to save or to restore. Its length and shape are those of the network at hand.
#[derive(Debug)]
pub enum Item<'a> {
    /// Real numbers.
    Reals(&'a mut [f32]),
    /// Integers.
    Integers(&'a mut [i32]),
    /// Small integers.
    Bytes(&'a mut [i8]),
    /// Bits.
    Bits(&'a mut BitTensor),
    /// A number.
    Count(&'a mut u64),
}

/// What is done to each thing: it is measured, written or read.
pub trait Visitor {
    /// `name` is the whole path, for example `3.weights.latent.values`; every path comes once.
    ///
    /// # Errors
    /// When it cannot be written, or what was read does not fit.
    fn visit(&mut self, name: &str, item: Item) -> Result<()>;
}

/// A walk over a network.
pub struct State<'a> {
    path: String,
    visitor: &'a mut dyn Visitor,
}

impl<'a> State<'a> {
    /// A walk for `visitor`.
    pub fn new(visitor: &'a mut dyn Visitor) -> Self {
        Self { path: String::new(), visitor }
    }

    /// Real numbers.
    ///
    /// # Errors
    /// Those of the visitor, as for all here.
    pub fn reals(&mut self, name: &str, values: &mut [f32]) -> Result<()> {
        self.item(name, Item::Reals(values))
    }

    /// Integers.
    ///
    /// # Errors
    /// As [`reals`](Self::reals).
    pub fn integers(&mut self, name: &str, values: &mut [i32]) -> Result<()> {
        self.item(name, Item::Integers(values))
    }

    /// Small integers.
    ///
    /// # Errors
    /// As [`reals`](Self::reals).
    pub fn bytes(&mut self, name: &str, values: &mut [i8]) -> Result<()> {
        self.item(name, Item::Bytes(values))
    }

    /// Bits.
    ///
    /// # Errors
    /// As [`reals`](Self::reals).
    pub fn bits(&mut self, name: &str, bits: &mut BitTensor) -> Result<()> {
        self.item(name, Item::Bits(bits))
    }

    /// A counter, for example of steps.
    ///
    /// # Errors
    /// As [`reals`](Self::reals).
    pub fn count(&mut self, name: &str, count: &mut u64) -> Result<()> {
        self.item(name, Item::Count(count))
    }

    /// Yes or no, for example whether something is there yet.
    ///
    /// # Errors
    /// As [`reals`](Self::reals).
    pub fn flag(&mut self, name: &str, flag: &mut bool) -> Result<()> {
        let mut count = u64::from(*flag);
        self.count(name, &mut count)?;
        *flag = count != 0;
        Ok(())
    }

    /// The state of a part: its names begin with `name` and a dot.
    ///
    /// # Errors
    /// Those of `part`.
    pub fn within(&mut self, name: &str, part: impl FnOnce(&mut State) -> Result<()>) -> Result<()> {
        let outside = self.path.len();
        self.path.push_str(name);
        self.path.push('.');
        let done = part(self);
        self.path.truncate(outside);
        done
    }

    fn item(&mut self, name: &str, item: Item) -> Result<()> {
        let outside = self.path.len();
        self.path.push_str(name);
        let done = self.visitor.visit(&self.path, item);
        self.path.truncate(outside);
        done
    }
}
