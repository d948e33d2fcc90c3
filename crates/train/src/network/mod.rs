//! Networks: layers in sequence, and the builders that create them.
//!
//! | module | contents |
//! |---|---|
//! | `sequential` | the network itself |
//! | `flip` | builds networks for flip backprop |
//! | `straight_through` | builds networks for straight-through training and integer flip backprop |
//! | `stages` | the notation of the papers for convolutions, `128C3-MP2-R64` |
//! | `summary` | parameters and weights of each layer, for reports |

mod flip;
mod sequential;
mod stages;
mod straight_through;
mod summary;

pub use flip::FlipOptions;
pub use sequential::Network;
pub(crate) use sequential::label;
pub use stages::{Architecture, Stage};
pub(crate) use straight_through::of_each_feature;
pub use straight_through::{Activation, Border, DropoutShares, Norm, RealWeights, StraightThroughOptions};
pub use summary::LayerSummary;
