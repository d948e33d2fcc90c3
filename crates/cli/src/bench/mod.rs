//! `onebit bench`: the speed of this machine.

use crate::{args::BenchCommand, failure::Result};

mod infer;
mod kernels;
mod timing;
mod train;

pub(crate) fn run(command: &BenchCommand) -> Result<()> {
    match command {
        BenchCommand::Kernels(args) => kernels::run(args),
        BenchCommand::Train(args) => train::run(args),
        BenchCommand::Infer(args) => infer::run(args),
    }
}
