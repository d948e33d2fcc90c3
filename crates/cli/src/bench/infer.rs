//! `onebit bench infer`: the latency of a model, from its median to its maximum.

use std::{fs, time::Instant};

use onebit::{
    Model,
    bits::random_bits,
    model::{self, ModelView},
};
use serde_json::json;

use crate::{
    args::BenchInferArgs,
    failure::{Failure, Result},
    output,
    table::Table,
};

/// Number of calls before the measurement starts.
const WARM_UP: usize = 10;

/// Minimum duration of the measurement in seconds.
const SECONDS: f64 = 1.0;

pub(super) fn run(args: &BenchInferArgs) -> Result<()> {
    let path = args.model.display().to_string();
    let file = model::read(&args.model)?;
    let model = Model::in_place(&file).map_err(|error| Failure::other(format!("{path}: {error}")))?;
    let engine = args.engine.engine()?;
    let Some(values) = args.batch.checked_mul(model.inputs()).filter(|values| *values <= MAX_VALUES) else {
        return Err(Failure::flag(format!(
            "--batch: expected at most {MAX_VALUES} features in all, got {} samples of {}",
            args.batch,
            model.inputs()
        )));
    };
    let x = samples(&model, values);
    let session = model.into_session(&engine)?;
    drop(file); // the session has its own packed weights
    for _ in 0..WARM_UP {
        session.classify(&x)?;
    }
    let start = Instant::now();
    let mut times = Vec::new();
    while times.len() < args.calls || start.elapsed().as_secs_f64() < SECONDS {
        let begin = Instant::now();
        session.classify(&x)?;
        times.push(begin.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| 1e6 * times[((times.len() - 1) as f64 * share).round() as usize];
    let (median, p90, p99, longest) = (at(0.5), at(0.9), at(0.99), at(1.0));
    let per_second = 1e6 * args.batch as f64 / median;
    let [memory, peak] = ["VmRSS:", "VmHWM:"].map(memory);
    if args.json {
        return output::json(&json!({
            "model": path,
            "isa": engine.isa().name(),
            "threads": engine.threads(),
            "batch": args.batch,
            "calls": times.len(),
            "median_us": median,
            "p90_us": p90,
            "p99_us": p99,
            "longest_us": longest,
            "samples_per_second": per_second,
            "rss_mib": memory,
            "peak_rss_mib": peak,
        }));
    }
    output::line(format!(
        "{path}, {} x {} threads, batch {}: {per_second:.0} samples/s\n",
        engine.isa().name(),
        engine.threads(),
        args.batch
    ))?;
    let mut table =
        Table::new(["calls", "median us", "p90 us", "p99 us", "longest us", "memory MiB", "peak MiB"]);
    let memory = [memory, peak].map(|mib| mib.map_or("-".into(), |mib| format!("{mib:.1}")));
    let times_us = [median, p90, p99, longest].map(|us| format!("{us:.1}"));
    table.row([times.len().to_string()].into_iter().chain(times_us).chain(memory));
    output::line(table.render())
}

/// Maximum number of features of all samples together.
const MAX_VALUES: usize = 1 << 28;

/// Random features: bytes if the model takes bytes, otherwise within one standard deviation of the means.
fn samples(model: &ModelView, values: usize) -> Vec<f32> {
    let bits = random_bits(1, 0, values, 64);
    let standardize = model.standardize();
    let features = standardize.mean.iter().zip(&standardize.scale).cycle();
    let sample = |(word, (mean, scale)): (&u64, (&f32, &f32))| {
        if model.takes_bytes() {
            f32::from(*word as u8)
        } else if *scale == 0.0 {
            *mean
        } else {
            mean + ((*word >> 40) as f32 / (1u64 << 23) as f32 - 1.0) / scale
        }
    };
    bits.words().iter().zip(features).map(sample).collect()
}

/// An entry of `/proc/self/status` in MiB: the memory of this process, or its peak. Only Linux has it.
fn memory(entry: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(entry))?;
    line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok().map(|kib| kib / 1024.0)
}
