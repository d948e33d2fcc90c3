//! Products of numbers (reals, bytes) with packed bits, and with ternaries and reals, by tables of sums.

mod blocks;
mod contract;
pub mod integer;
mod narrow;
mod product;
pub mod real;
pub mod update;
mod wide;

pub(crate) use blocks::by_blocks;
pub use blocks::{real_real_with, real_ternary_with, update_with};
pub(crate) use contract::{Left, Place, Sink, Store, Sums};
pub(crate) use integer::Bytes;
pub use integer::{
    int8_gemm_packed, int8_gemm_sums, int8_gemm_with, int8_ternary_gemm_packed, int8_ternary_gemm_with,
    u8_gemm_packed,
};
pub(crate) use product::{product, tile};
pub(crate) use real::Reals;
pub use real::{
    bf16_gemm_packed, bf16_gemm_with, real_bits, real_bits_t, real_gemm_packed, real_gemm_with, real_real,
    real_ternary,
};
pub use update::Update;
pub(crate) use update::Updating;
pub(crate) use wide::{ACROSS, CELLS, load_cells};
