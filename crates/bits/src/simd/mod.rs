//! Vectors: the operations that kernels are written in, and one file for each instruction set.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod features;
#[cfg(target_arch = "aarch64")]
mod neon;
mod never;
mod operations;
mod portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;

#[cfg(target_arch = "x86_64")]
pub(crate) use self::{
    avx2::Avx2,
    avx512::Avx512,
    features::{enabled, with_avx2, with_avx512},
};
#[cfg(target_arch = "aarch64")]
pub(crate) use neon::Neon;
pub(crate) use operations::{Simd, Wide};
pub(crate) use portable::Portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) use simd128::Simd128;
