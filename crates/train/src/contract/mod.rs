//! What layers, rules and the steps of learning agree on.
//!
//! | module | contents |
//! |---|---|
//! | `value` | what travels between layers: values forward, signals backward |
//! | `context` | where a verb computes, why, and with which memory (`recycled`) |
//! | `layer` | the trait of a layer and its four verbs; `check` and `meter` serve all layers |
//! | `rule` | the trait of a rule, from a signal to flips |
//! | `rounding` | gradients of fewer bits |
//! | `weight_gradient` | the gradient of binary weights before it is multiplied out |
//! | `state` | the walk that saves and restores everything |
//! | `step` | the three orders of learning |
//! | `export` | from trained layers to deployed ones |

pub(crate) mod check;
pub(crate) mod context;
pub mod export;
pub mod layer;
pub(crate) mod meter;
pub(crate) mod recycled;
pub(crate) mod rounding;
pub(crate) mod rule;
pub mod state;
pub mod step;
pub(crate) mod value;
pub mod weight_gradient;
