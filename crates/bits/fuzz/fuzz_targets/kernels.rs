//! Every kernel, on every instruction set of this machine with 1 and 2 workers, against the oracle.
//!
//! ```sh
//! cargo +nightly fuzz run --fuzz-dir crates/bits/fuzz kernels
//! ```
//!
//! The first byte of an input chooses the kernel, the next ones the shape, the others are the data.
#![no_main]

mod cases;
mod input;

use input::Input;
use libfuzzer_sys::fuzz_target;
use onebit_bits::{Engine, Isa};
use std::sync::LazyLock;

/// Every instruction set with every number of workers.
static ENGINES: LazyLock<Vec<Engine>> = LazyLock::new(|| {
    let of = |threads| {
        let engine = Engine::new(threads).expect("two threads");
        Isa::available().into_iter().map(move |isa| engine.clone().with_isa(isa))
    };
    (1..=2).flat_map(of).collect()
});

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let case = cases::ALL[input.up_to(cases::ALL.len() - 1)];
    case(&mut input, &ENGINES);
});
