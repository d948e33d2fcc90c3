//! Integer flip backprop's rule: a small saturating counter for each weight, and no real number.
//!
//! | module | contents |
//! |---|---|
//! | `settings` | the settings and their ranges |
//! | `rule` | the counters, the running means and the controller of the rate |
//! | `kernel` | the integer arithmetic of a step, run by run |

mod kernel;
mod rule;
mod settings;

pub use rule::Counter;
pub use settings::{Counting, RateTarget};
