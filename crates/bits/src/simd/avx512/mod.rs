//! AVX-512: the operations, permutations of whole vectors, and one loop body in a fixed order of
//! instructions.

mod count;
mod vectors;
mod wide;

pub(crate) use vectors::Avx512;
