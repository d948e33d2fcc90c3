//! `onebit predict`: a label and scores for each row, in constant memory.
//!
//! One thread reads rows and this one answers them, all that have arrived at once: so a row of a slow stream does not
//! wait for others, and those of a fast one are run in batches.

use std::{iter, panic, sync::mpsc, thread};

use onebit::Model;

use crate::{
    args::PredictArgs,
    failure::{Failure, Result},
};

mod answers;
mod inputs;

use answers::Answers;
use inputs::{Inputs, Row};

/// Rows classified at once, at most.
const ROWS: usize = 256;
/// Numbers of the rows classified at once, 4 MiB; as many may wait.
const NUMBERS: usize = 1 << 20;

pub(crate) fn run(args: &PredictArgs) -> Result<()> {
    let engine = args.engine.engine()?;
    let model = Model::load(&args.model)?;
    let inputs = Inputs::new(args, &model);
    let at_once = (NUMBERS / model.inputs()).clamp(1, ROWS);
    let mut answers = Answers::new(args, model, &engine)?;
    let (sender, rows) = mpsc::sync_channel::<Row>(at_once);
    let reader = thread::Builder::new().name("reader".into());
    let reader = reader.spawn(move || inputs.read(&mut |row| sender.send(row).map_err(|_| Failure::Closed)));
    let reader = reader.map_err(|error| Failure::other(format!("cannot start a thread: {error}")))?;
    while let Ok(first) = rows.recv() {
        let arrived: Vec<Row> = iter::once(first).chain(rows.try_iter()).take(at_once).collect();
        answers.print(&arrived)?;
    }
    // What came before a bad row is answered by now.
    reader.join().unwrap_or_else(|panic| panic::resume_unwind(panic))?;
    answers.finish()
}
