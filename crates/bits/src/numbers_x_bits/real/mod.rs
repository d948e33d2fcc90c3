//! Reals x bits, x ternaries and x reals, and reals in bf16 x bits.

mod half;
mod micro;
mod products;
mod table;

pub(crate) use micro::multiply_reals;
pub(crate) use table::Reals;
