#![doc = include_str!("../README.md")]
//!
//! # What is where
//! This crate re-exports three others: everything of [`onebit_train`] and [`onebit_model`] that a program
//! needs, and [`bits`] for tensors and kernels.

#![forbid(unsafe_code)]

pub use onebit_bits as bits;
pub use onebit_bits::{BitTensor, Engine, Isa};
pub use onebit_model as model;
pub use onebit_model::{CSource, Model};
pub use onebit_train::*;
