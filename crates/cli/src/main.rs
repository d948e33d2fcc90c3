//! The `onebit` command: train, evaluate, use, inspect and measure binarized networks.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;

mod args;
mod bench;
mod data;
mod eval;
mod export;
mod failure;
mod features;
mod inspect;
mod interrupt;
mod job;
mod output;
mod predict;
mod presets;
mod report;
mod runs;
mod settings;
mod table;
mod text;
mod train;
mod tune;

use args::{Args, Command};
use failure::Failure;

fn main() -> ExitCode {
    let args = Args::parse();
    let result = match args.command {
        Command::Train(args) => train::run(&args),
        Command::Runs(args) => runs::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Compare(args) => report::compare(&args),
        Command::Tune(args) => tune::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Presets(args) => presets::run(&args),
        Command::Data(command) => data::run(&command),
        Command::Bench(command) => bench::run(&command),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Closing our output early, as `head` does, is not an error.
        Err(Failure::Closed) => ExitCode::SUCCESS,
        Err(Failure::Stopped(message)) => {
            output::note(&message);
            ExitCode::from(interrupt::EXIT_CODE)
        }
        Err(Failure::Flag(message)) => {
            output::error(&message);
            ExitCode::from(2)
        }
        Err(Failure::Other(message)) => {
            output::error(&message);
            ExitCode::FAILURE
        }
    }
}
