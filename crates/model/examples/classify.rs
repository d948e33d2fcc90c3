//! Classifies the rows of a CSV table of numbers and prints the output of `onebit predict`, on any target:
//!
//! ```sh
//! cargo run -p onebit-model --example classify -- MODEL.onebit SAMPLES.csv
//! ```
//!
//! It runs a session and an interpreter, and fails unless their scores agree in every bit. `.ci/wasm`
//! compares its output in WebAssembly with that of the command.

use std::{env, error::Error, fs};

use onebit_bits::Engine;
use onebit_model::{Interpreter, Model, best};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [model, samples] = &arguments[..] else {
        return Err("expected two arguments: a model and a table".into());
    };
    let (file, table) = (fs::read(model)?, fs::read_to_string(samples)?);
    let x = table.lines().skip(1).flat_map(|row| row.split(',')).map(str::parse);
    let x: Vec<f32> = x.collect::<Result<_, _>>()?;

    let (model, engine) = (Model::in_place(&file)?, Engine::single());
    let (scores, mut interpreter) = (model.session(&engine)?.scores(&x)?, Interpreter::new(&model)?);
    let header: String = model.labels().iter().map(|label| format!(",score {label}")).collect();
    println!("row,label{header}");
    let rows = x.chunks_exact(model.inputs()).zip(scores.chunks_exact(model.classes()));
    for (row, (x, scores)) in rows.enumerate() {
        let of_interpreter = interpreter.scores(x)?;
        if !scores.iter().zip(of_interpreter).all(|(a, b)| a.to_bits() == b.to_bits()) {
            return Err(format!(
                "row {row}: the session gives {scores:?}, the interpreter {of_interpreter:?}"
            )
            .into());
        }
        let (label, scores): (_, String) =
            (&model.labels()[best(scores)], scores.iter().map(|score| format!(",{score}")).collect());
        println!("{row},{label}{scores}");
    }
    eprintln!("instruction sets that ran: {}", engine.isa().name());
    Ok(())
}
