//! Helpers that the tests of several crates share.

pub mod close;
pub mod golden;
pub mod outside;
pub mod patience;
pub mod server;

pub use outside::outside;
