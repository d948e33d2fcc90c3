//! `onebit train`: one run, or one for each of several seeds.
//!
//! | file | what |
//! |---|---|
//! | `setup` | from flags to a job, its checkpoints and its folder |
//! | `single`, `repeat` | one run, and several that differ in their seed |
//! | `listeners`, `screen` | what follows a run: the terminal, the folder, Ctrl-C |
//! | `headline`, `classes`, `layers`, `result` | what is printed before and after it |

use crate::{args::TrainArgs, failure::Result};

mod classes;
mod headline;
mod layers;
mod listeners;
mod repeat;
mod result;
mod screen;
mod setup;
mod single;

use setup::Setup;

pub(crate) fn run(args: &TrainArgs) -> Result<()> {
    let (setup, source) = Setup::new(args)?;
    let engine = args.engine.engine()?;
    match args.seeds {
        Some(seeds) => repeat::run(args, setup.job, source, &engine, seeds as u64),
        None => single::run(args, setup, source, &engine),
    }
}
