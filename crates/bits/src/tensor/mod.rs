//! Matrices of bits and of -1, 0 and +1: storage, comparison to bits, transposition, random bits.

mod bits;
mod compare;
pub mod random;
mod ternary;
mod transpose;

pub use bits::{BitTensor, BitView, Bits};
pub(crate) use bits::{copy, put};
pub(crate) use compare::{compare, compare_pairs};
pub(crate) use random::mix;
pub use random::{Probability, mask, mask_into, random_bits};
pub use ternary::Ternary;
pub use transpose::transpose;
pub(crate) use transpose::transpose_block;
