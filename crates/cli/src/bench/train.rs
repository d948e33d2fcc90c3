//! `onebit bench train`: the training steps of a network, and where their time goes.

use std::time::Duration;

use onebit::bench::{self, StepTimes};
use serde_json::{Map, Value, json};

use super::timing::median;
use crate::{
    args::BenchTrainArgs,
    failure::{Failure, Result},
    output,
    settings::read_config,
    table::Table,
};

/// Number of steps before the measurement starts: they allocate memory and raise the clock.
const WARM_UP: usize = 3;

pub(super) fn run(args: &BenchTrainArgs) -> Result<()> {
    let config = read_config(&args.preset, &args.set)?;
    let config = if args.float { config.float_twin() } else { config };
    let engine = args.engine.engine()?;
    let steps = bench::measure(&config, &engine, WARM_UP, args.steps)?;
    let Some(samples) = steps.first().map(|step| step.samples) else {
        return Err(Failure::other("bench train: no step was measured"));
    };
    let milliseconds = steps.iter().map(|step| 1e3 * step.whole.as_secs_f64()).collect();
    let step_ms = median(milliseconds);
    let samples_per_second = 1e3 * samples as f64 / step_ms;
    let shares = shares(&steps);
    if args.json {
        let shares: Map<String, Value> =
            shares.into_iter().map(|(part, share)| (part.into(), share.into())).collect();
        return output::json(&json!({
            "preset": args.preset,
            "set": args.set,
            "float": args.float,
            "isa": engine.isa().name(),
            "threads": engine.threads(),
            "batch": samples,
            "steps": steps.len(),
            "step_ms": step_ms,
            "samples_per_second": samples_per_second,
            "shares": shares,
        }));
    }
    output::line(format!(
        "{} x {} threads, batch {samples}: {step_ms:.2} ms per step, {samples_per_second:.0} samples/s\n",
        engine.isa().name(),
        engine.threads()
    ))?;
    let mut table = Table::new(["part", "share", "ms"]);
    for (part, share) in shares {
        table.row([part.into(), format!("{:.1} %", 100.0 * share), format!("{:.2}", share * step_ms)]);
    }
    output::line(table.render())
}

type Part = fn(&StepTimes) -> Duration;

/// Each part's share of the time of all steps, and the rest.
fn shares(steps: &[StepTimes]) -> Vec<(&'static str, f64)> {
    let total = |part: Part| -> f64 { steps.iter().map(|step| part(step).as_secs_f64()).sum() };
    let whole = total(|step| step.whole);
    let parts: [(_, Part); 6] = [
        ("forward", |step| step.forward),
        ("dx", |step| step.backward),
        ("dw+update", |step| step.update),
        ("norm", |step| step.elements),
        ("loss", |step| step.loss),
        ("data", |step| step.data),
    ];
    let mut shares: Vec<_> = parts.map(|(name, part)| (name, total(part) / whole)).into();
    shares.push(("rest", 1.0 - shares.iter().map(|(_, share)| share).sum::<f64>()));
    shares
}
