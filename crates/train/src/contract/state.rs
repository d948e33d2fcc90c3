//! The state of a network: everything that training changes and that the next step depends on.
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
//! Sizes, settings and seeds are fixed when a network is built, so they are no state: a checkpoint is
//! restored into a network that is built from the same configuration.

use onebit_bits::BitTensor;

use crate::error::Result;

/// One item to save or to restore. Its length and shape are fixed by the network.
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
    /// A counter.
    Count(&'a mut u64),
}

/// The action on each item: measure, write or read it.
pub trait Visitor {
    /// Visits one item. `name` is the whole path, for example `3.weights.latent.values`; every path comes
    /// once.
    ///
    /// # Errors
    /// An error when the item cannot be written, or when the data read do not fit it.
    fn visit(&mut self, name: &str, item: Item) -> Result<()>;
}

/// A walk over a network.
pub struct State<'a> {
    path: String,
    visitor: &'a mut dyn Visitor,
}

impl<'a> State<'a> {
    /// Starts a walk for `visitor`.
    pub fn new(visitor: &'a mut dyn Visitor) -> Self {
        Self { path: String::new(), visitor }
    }

    /// Names real numbers.
    ///
    /// # Errors
    /// Returns the errors of the visitor.
    pub fn reals(&mut self, name: &str, values: &mut [f32]) -> Result<()> {
        self.item(name, Item::Reals(values))
    }

    /// Names integers.
    ///
    /// # Errors
    /// Returns the errors of the visitor.
    pub fn integers(&mut self, name: &str, values: &mut [i32]) -> Result<()> {
        self.item(name, Item::Integers(values))
    }

    /// Names small integers.
    ///
    /// # Errors
    /// Returns the errors of the visitor.
    pub fn bytes(&mut self, name: &str, values: &mut [i8]) -> Result<()> {
        self.item(name, Item::Bytes(values))
    }

    /// Names bits.
    ///
    /// # Errors
    /// Returns the errors of the visitor.
    pub fn bits(&mut self, name: &str, bits: &mut BitTensor) -> Result<()> {
        self.item(name, Item::Bits(bits))
    }

    /// Names a counter, for example of steps.
    ///
    /// # Errors
    /// Returns the errors of the visitor.
    pub fn count(&mut self, name: &str, count: &mut u64) -> Result<()> {
        self.item(name, Item::Count(count))
    }

    /// Names a flag, for example whether running statistics exist yet.
    ///
    /// # Errors
    /// Returns the errors of the visitor.
    pub fn flag(&mut self, name: &str, flag: &mut bool) -> Result<()> {
        let mut count = u64::from(*flag);
        self.count(name, &mut count)?;
        *flag = count != 0;
        Ok(())
    }

    /// Names the state of a part: its names begin with `name` and a dot.
    ///
    /// # Errors
    /// Returns the errors of `part`.
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
