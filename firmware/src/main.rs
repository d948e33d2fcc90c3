//! Classifies samples on a Cortex-M4 and prints the output of `onebit predict`; then prints instructions and
//! memory to standard error. `.ci/firmware` builds it with a model, runs it under qemu and compares.
//!
//! At compile time, `ONEBIT_MODEL` is the path of the `.onebit` file, and `ONEBIT_SAMPLES` the path of a Rust
//! array with the features of all samples.

#![no_std]
#![no_main]

mod memory;
mod time;

use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, heprintln, hprint, hprintln};
use onebit_model::{Interpreter, Model, Result, best};
use panic_semihosting as _;

/// Aligns bytes to a multiple of 8, so that the weights among them can be used in place.
#[repr(C, align(8))]
struct Aligned<B: ?Sized>(B);

static FILE: &Aligned<[u8]> = &Aligned(*include_bytes!(env!("ONEBIT_MODEL")));

/// The features of all samples, `(samples, features)`.
static SAMPLES: &[f32] = &include!(env!("ONEBIT_SAMPLES"));

#[entry]
fn main() -> ! {
    memory::start();
    let status = match classify() {
        Ok(()) => debug::EXIT_SUCCESS,
        Err(error) => {
            heprintln!("{error}");
            debug::EXIT_FAILURE
        }
    };
    debug::exit(status);
    unreachable!("the emulator has exited")
}

fn classify() -> Result<()> {
    let model = Model::in_place(&FILE.0)?;
    let mut interpreter = Interpreter::new(&model)?;
    let ready = memory::heap_in_use();
    let (mut clock, mut instructions, mut rows) = (time::Clock::start(), 0, 0);

    hprint!("row,label");
    model.labels().iter().for_each(|label| hprint!(",score {label}"));
    hprintln!();
    for (row, x) in SAMPLES.chunks_exact(model.inputs()).enumerate() {
        let begin = clock.now();
        let scores = interpreter.scores(x)?;
        instructions += clock.since(begin);
        rows += 1;
        hprint!("{row},{}", model.labels()[best(scores)]);
        scores.iter().for_each(|score| hprint!(",{score}"));
        hprintln!();
    }

    assert_eq!(memory::heap_in_use(), ready, "a sample must not allocate");
    heprintln!("a sample        {:6} instructions", instructions / rows);
    heprintln!("model file      {:6} bytes of flash", FILE.0.len());
    heprintln!("workspace       {:6} bytes of the heap", model.workspace());
    heprintln!("heap, ready     {ready:6} bytes");
    heprintln!("heap, at most   {:6} bytes, while the model is read", memory::heap_at_most());
    heprintln!("stack, at most  {:6} bytes", memory::stack_at_most());
    Ok(())
}
