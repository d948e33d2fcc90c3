//! Flip backprop against the oracle, which materializes every gate: exact equality, bit for bit.
//!
//! | module | what it checks |
//! |---|---|
//! | `rows` | every function and layer by itself, over awkward sizes |
//! | `laws` | XnorWeight then PopCount is BMA, XnorWeight then PNB is BMAB |
//! | `nets` | whole nets over several steps, in the three orders |
//! | `gates` | chains of gates: what each order achieves, and that `correct` is the heart of FBF |
//! | `suppressor` | the share of requested flips that is carried out |
//! | `determinism` | threads and instruction sets change nothing |
//! | `errors` | what does not fit is refused, never a panic |
//!
//! Letters: `b` batch, `d` depth, `i` inputs, `o` outputs. The oracle has weights as `doi`, the library as
//! `(o, d i)`; every other tensor lies in memory alike.

mod determinism;
mod errors;
mod gates;
mod laws;
mod nets;
mod rows;
mod support;
mod suppressor;
