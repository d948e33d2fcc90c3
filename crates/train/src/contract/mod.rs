//! The contract between layers, rules and training steps.
//!
//! | module | contents |
//! |---|---|
//! | `value` | values, which travel forward, and signals, which travel backward |
//! | `context` | the engine, mode and buffers (`recycled`) that every verb gets |
//! | `layer` | the trait of a layer and its four verbs; `kept`, `check` and `meter` serve all layers |
//! | `rule` | the trait of a rule, which turns a signal into flips |
//! | `rounding` | gradients of fewer bits |
//! | `weight_gradient` | the gradient of binary weights before it is multiplied out |
//! | `state` | the walk that saves and restores a network |
//! | `step` | the three orders of learning |
//! | `export` | the conversion of trained layers to deployed ones |

pub(crate) mod check;
pub(crate) mod context;
pub mod export;
pub(crate) mod kept;
pub mod layer;
pub(crate) mod meter;
pub(crate) mod recycled;
pub(crate) mod rounding;
pub(crate) mod rule;
pub mod state;
pub mod step;
pub(crate) mod value;
pub mod weight_gradient;
