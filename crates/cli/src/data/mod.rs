//! `onebit data`: the data sets known by name, and their downloads.

use crate::{args::DataCommand, failure::Result};

mod fetch;
mod list;
#[cfg(feature = "download")]
mod progress;

pub(crate) use fetch::fetch_if_missing;

pub(crate) fn run(command: &DataCommand) -> Result<()> {
    match command {
        DataCommand::List(args) => list::run(args),
        DataCommand::Get(args) => fetch::run(args),
    }
}
