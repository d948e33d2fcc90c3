//! Layers that contain other layers, and dropout.

pub(crate) mod dropout;
pub(crate) mod local_head;
pub(crate) mod residual;

pub use dropout::Dropout;
pub use local_head::{Heads, LocalHead};
pub use residual::{Residual, Shortcut};
