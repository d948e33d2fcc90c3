//! Flip backprop, materialized: each product `h = xnor(x, w)` is one bit of a tensor (b, d, o, i).
//!
//! Bit 1 (`true`) is +1, bit 0 is -1. Axes: `b` batch, `d` depth (thresholds), `o` outputs, `i` inputs, `x`
//! features. A *flip* tensor has the shape of the bits that it refers to: 1 means "this bit should change". A
//! bit that already has the requested value does not ask for a flip, but it still counts as a voter.
//!
//! ```text
//! forward   x: bdi, w: doi --xnor--> h: bdoi --popcount--> bo (real)     the last layer,    BMA
//!                                    h: bdoi --PNB-------> bdo (bits)    every other layer, BMAB
//! backward  h_flip --votes over o--> x_flip: bdi,   h_flip --votes over b--> w_flip: doi
//! ```
//!
//! It is neither fast nor clever: tests check the counting kernels against it.
//!
//! ```
//! use onebit_reference::flip::{Tensor, popcount, popcount_backward, votes_to_flips, w_votes, xnor_weight};
//! let x = Tensor::new([1, 1, 2], vec![true, false]); // x: (b, d, i)
//! let w = Tensor::new([1, 1, 2], vec![true, true]); //  w: (d, o, i)
//! let h = xnor_weight(&x, &w); //                       h: (b, d, o, i)
//! assert_eq!(popcount(&h).data, [0.0]); // +1 - 1
//!
//! // a positive gradient asks for a smaller sum, so the product that is +1 should flip
//! let dy = Tensor::new([1, 1], vec![0.3]);
//! let h_flip = popcount_backward(&h, &dy);
//! assert_eq!(h_flip.data, [true, false]);
//! assert_eq!(votes_to_flips(&w_votes(&h_flip, 1), 1, 0.5).data, [true, false]);
//! ```
//!
//! # References
//! "Flip backprop" and "FBF learning of full binary NN by flip backprop" (lilacs2039, FlipBackprop-pytorch,
//! 2023).

mod net;
mod operations;
mod tensor;
#[cfg(test)]
mod tests;

pub use net::{FlipNet, Order, Step};
pub use operations::{
    P_MIN, binarize, binarize_backward, bit_balance, correct, flip2grad, grad2flip, pnb, pnb_backward,
    popcount, popcount_backward, sign, thresholds, votes_to_flips, w_flip, w_votes, x_flip, x_votes, xnor,
    xnor_weight,
};
pub use tensor::{Bits, Tensor};
