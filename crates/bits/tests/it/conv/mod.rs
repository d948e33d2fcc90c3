//! Convolution and pooling of bits on every instruction set this machine has, with 1 and 2 workers, against
//! the nested loops of `onebit-reference`, and their laws.

mod forward;
mod gradients;
mod pooling;
mod reals;
mod refusals;
mod shapes;
