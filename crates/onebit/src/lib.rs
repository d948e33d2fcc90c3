#![doc = include_str!("../README.md")]
//!
//! # Modules
//! This crate re-exports three others: all of [`onebit_train`] at its root, [`onebit_model`] as [`model`],
//! and [`onebit_bits`] as [`bits`], for tensors and kernels.

#![forbid(unsafe_code)]

pub use onebit_bits as bits;
pub use onebit_bits::{BitTensor, Engine, Isa};
pub use onebit_model as model;
pub use onebit_model::{CSource, Model};
pub use onebit_train::*;
