//! Products of bits, and of -1, 0 and +1, with packed bits, and the votes of flip backprop.

mod count;
mod count_rows;
pub mod gemm;
mod left;
mod lookup;
mod product;
mod scaled;
mod short_sums;
mod sink;
pub mod votes;

pub(crate) use count::{count_rows, height};
pub(crate) use count_rows::Rows;
pub use gemm::{
    ternary_gemm, ternary_gemm_bytes, ternary_gemm_packed, xnor_gemm, xnor_gemm_packed, xnor_gemm_reals,
    xnor_scores, xnor_threshold,
};
pub(crate) use left::Left;
pub(crate) use lookup::{CHUNK, DIFFERENCES, LIMIT, PAIRS, Tables, add_differences, add_lanes};
pub(crate) use product::tile;
pub use scaled::{scaled_ternary_gemm, scaled_ternary_gemm_with};
pub(crate) use sink::{Compare, Sink, Store, StoreReal, put_rows};
pub use votes::{votes, votes_to_flips};
