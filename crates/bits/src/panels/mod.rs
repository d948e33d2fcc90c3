//! The right operand of every product, packed once in the order in which kernels read it.

mod bytes;
mod cell;
mod packed;
mod ternary;
mod words;

pub(crate) use cell::{Cell, SEVEN, fold, lanes};
pub use packed::Panels;
pub use ternary::TernaryPanels;
