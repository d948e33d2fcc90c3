//! `onebit predict`: a label and scores for each row, in constant memory.
//!
//! A second thread reads rows, and this one classifies all that have arrived: rows of a slow stream are
//! answered at once, rows of a fast one in batches.

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

/// Maximum number of rows in a batch.
const ROWS: usize = 256;
/// Maximum number of values in a batch, 4 MiB; another batch may wait in the queue.
const NUMBERS: usize = 1 << 20;

pub(crate) fn run(args: &PredictArgs) -> Result<()> {
    let engine = args.engine.engine()?;
    let model = Model::load(&args.model)?;
    let inputs = Inputs::new(args, &model)?;
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
    // All rows before a bad one are answered by now.
    reader.join().unwrap_or_else(|panic| panic::resume_unwind(panic))?;
    answers.finish()
}
