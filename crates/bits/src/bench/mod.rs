//! The list of measured kernels: for `onebit bench kernels`, for the criterion benches, and for the authors
//! of kernels.
//!
//! A [`Case`] is one product of a layer with m samples, k inputs and n outputs: forward `y = x w^T`, backward
//! `dx = dy w` and `dw = dy^T x`, each of m n k multiplications. It comes with the product of the same sizes
//! in f32 ([`Float`], by the crate `gemm`), and with the speed of its instructions without memory
//! ([`Ceiling`]).
//!
//! A convolution counts as the product that it stands for: m pixels of output, n channels of output, and k
//! weights of each channel.
//!
//! ```
//! use onebit_bits::{Engine, bench::{Run, cases}};
//!
//! let engine = Engine::single();
//! for case in cases(64) {
//!     let mut kernel = case.kernel(&engine)?;
//!     kernel.prepare()?; // packing and rounding
//!     kernel.run()?; // the product
//!     case.float(&engine).run()?;
//! }
//! # Ok::<(), onebit_bits::Error>(())
//! ```

mod bits;
mod case;
mod ceiling;
mod conv;
mod float;
mod gradients;
mod operands;
mod run;

pub use case::{Case, cases};
pub use ceiling::{Ceiling, Mix};
pub use float::Float;
pub use run::{Product, Run, Size};
