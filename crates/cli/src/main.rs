//! The `onebit` command: train, evaluate, use, inspect and measure binarized networks.

#![forbid(unsafe_code)]

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;

mod args;
mod bench;
mod bench_infer;
mod bench_kernels;
mod bench_train;
mod classes;
mod dashboard;
mod data;
#[cfg(feature = "download")]
mod download_progress;
mod eval;
mod export;
mod failure;
mod features;
mod inspect;
mod layers;
mod output;
mod predict;
mod presets;
mod progress;
mod report;
mod runs;
mod screen;
mod sizes;
mod table;
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
        // Whoever reads our output has read enough.
        Err(Failure::Closed) => ExitCode::SUCCESS,
        Err(Failure::Stopped(message)) => {
            output::note(&message);
            ExitCode::from(train::interrupt::INTERRUPTED)
        }
        Err(Failure::Flag(message)) => {
            complain(&message);
            ExitCode::from(2)
        }
        Err(Failure::Other(message)) => {
            complain(&message);
            ExitCode::FAILURE
        }
    }
}

/// Not `eprintln!`, which panics when nobody reads standard error.
fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "error: {message}");
}
