//! Networks: layers in a row, and how they are built.
//!
//! | module | contents |
//! |---|---|
//! | `sequential` | the network itself |
//! | `flip` | builds networks for flip backprop |
//! | `straight_through` | builds networks for straight-through training and integer flip backprop |
//! | `stages` | reads the notation of the papers, `128C3-MP2-R64` |
//! | `summary` | one line a layer, for reports |

mod flip;
pub(crate) mod sequential;
mod stages;
pub(crate) mod straight_through;
mod summary;

pub use flip::FlipOptions;
pub use sequential::Network;
pub use stages::{Architecture, Stage};
pub use straight_through::{Activation, Border, DropoutShares, Norm, RealWeights, StraightThroughOptions};
pub use summary::LayerSummary;
