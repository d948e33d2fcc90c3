//! `onebit bench`: what is fast here, and how fast.

use std::time::Instant;

use crate::{args::BenchCommand, bench_infer, bench_kernels, bench_train, failure::Result};

pub(crate) fn run(command: &BenchCommand) -> Result<()> {
    match command {
        BenchCommand::Kernels(args) => bench_kernels::run(args),
        BenchCommand::Train(args) => bench_train::run(args),
        BenchCommand::Infer(args) => bench_infer::run(args),
    }
}

/// Seconds that it takes.
pub(crate) fn seconds(run: impl FnOnce() -> onebit_bits::Result<()>) -> Result<f64> {
    let start = Instant::now();
    run()?;
    Ok(start.elapsed().as_secs_f64())
}

/// The middle one, or the mean of the two in the middle; 0 of none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        _ if values.is_empty() => 0.0,
        0 => (values[middle - 1] + values[middle]) / 2.0,
        _ => values[middle],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(vec![]), 0.0);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    }
}
