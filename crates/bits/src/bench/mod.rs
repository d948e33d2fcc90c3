//! What is measured, in one list: for `onebit bench kernels`, for the criterion benches, and for whoever adds a kernel.
//!
//! A [`Case`] is one product of a layer with m samples, k inputs and n outputs: forward `y = x w^T`, backward
//! `dx = dy w` and `dw = dy^T x`, all of m n k multiplications. Beside it stands the product of the same three
//! sizes in f32 ([`Float`], by the crate `gemm-f32`), and what the same instructions do without memory ([`Ceiling`]).
//!
//! A convolution counts as the product that it stands for: m pixels of output, n channels of output, and k the
//! weights of one of them.
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
