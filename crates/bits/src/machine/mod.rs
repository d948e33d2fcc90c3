//! What kernels run on: an instruction set, worker threads, memory, and slices that threads share.

pub(crate) mod engine;
mod isa;
#[cfg(all(test, feature = "std"))]
pub(crate) mod meeting;
pub(crate) mod memory;
pub(crate) mod slices;
#[cfg(feature = "std")]
mod workers;

pub use engine::Engine;
pub(crate) use engine::Tile;
pub use isa::{Isa, Kernel};
pub(crate) use isa::{Level, has_bf16, simd};
pub use memory::Buffer;
pub(crate) use memory::{Ahead, Plain, Scratch, scratch};
pub(crate) use slices::SharedSlice;
pub use slices::Slices;
