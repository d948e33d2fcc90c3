//! The `.onebit` file; `docs/reference/format.md` is its specification.
//!
//! | module | what it knows |
//! |---|---|
//! | [`layout`] | the sizes of header and records, and the types of tensors |
//! | [`writer`], [`reader`] | records and tensors to bytes and back, without knowing what they mean |
//! | [`geometry`] | the shape of a convolution as the numbers of one tensor |
//! | [`codec`] | which records and tensors a model consists of |
//! | [`disk`] | files: saved atomically, read with care (feature `std`) |

mod codec;
#[cfg(feature = "std")]
mod disk;
mod geometry;
mod layout;
mod reader;
mod writer;

#[cfg(feature = "std")]
pub use disk::{read, replace};
pub(crate) use geometry::GEOMETRY;
pub(crate) use layout::{ALIGN, HEADER, LAYER_RECORD, TENSOR_RECORD};
pub use layout::{Kind, MAGIC, TensorInfo, VERSION};
