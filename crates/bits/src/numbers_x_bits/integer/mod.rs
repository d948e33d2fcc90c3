//! Bytes x bits: exact sums.

mod byte;
mod bytes;
mod digits;
mod halves;
mod products;

pub(crate) use bytes::Bytes;
