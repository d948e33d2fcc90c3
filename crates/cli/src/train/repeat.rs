//! Several runs that differ in their seed.

use std::time::Instant;

use onebit::{Engine, Outcome, data::Source, experiment};
use serde_json::json;

use super::{headline, result::result_json};
use crate::{args::TrainArgs, failure::Result, job::Job, output, table::Table, text::percent};

/// Trains with each of the seeds `0..seeds`, which change the split, the initial weights and the shuffles.
pub(super) fn run(args: &TrainArgs, mut job: Job, source: Source, engine: &Engine, seeds: u64) -> Result<()> {
    let data = source.read()?;
    let mut tests = Vec::new();
    let mut validations = Vec::new();
    let mut table = Table::new(["seed", "train", "validation", "test", "best epoch's test"]);
    for seed in 0..seeds {
        job.config.seed = seed;
        let start = Instant::now();
        let parts = job.split(data.clone(), seed)?;
        if seed == 0 {
            headline::print(&job, &parts, args.json)?;
        }
        let outcome = experiment::training(&job.config, &parts)?.engine(engine).run()?;
        let kept = outcome.kept();
        tests.extend(kept.test_accuracy);
        validations.extend(kept.validation_accuracy);
        if args.json {
            output::json(&result_json(seed, &outcome, start.elapsed().as_secs_f64()))?;
        } else {
            let shares = [
                Some(kept.train_accuracy),
                kept.validation_accuracy,
                kept.test_accuracy,
                best_test_accuracy(&outcome),
            ];
            table.row([seed.to_string()].into_iter().chain(shares.map(percent)));
        }
    }
    let test = Summary::of(&tests);
    let validation = Summary::of(&validations);
    if args.json {
        let mut line = json!({"event": "summary", "config": job.name, "seeds": seeds});
        for (name, summary) in [("test_accuracy", test), ("validation_accuracy", validation)] {
            let values = summary.map_or([None; 4], Summary::values);
            for (what, value) in ["mean", "std", "min", "max"].into_iter().zip(values) {
                line[format!("{name}_{what}")] = json!(value);
            }
        }
        return output::json(&line);
    }
    output::line(table.render())?;
    for (name, summary) in [("validation", validation), ("test", test)] {
        if let Some(Summary { mean, std, min, max }) = summary {
            let [mean, std, min, max] = [mean, std, min, max].map(|share| percent(Some(share)));
            output::line(format!("{name}: mean {mean}, deviation {std}, minimum {min}, maximum {max}"))?;
        }
    }
    Ok(())
}

/// The highest test accuracy of all epochs.
fn best_test_accuracy(outcome: &Outcome) -> Option<f64> {
    outcome.epochs.iter().filter_map(|epoch| epoch.test_accuracy).reduce(f64::max)
}

/// Statistics over several runs.
#[derive(Clone, Copy)]
struct Summary {
    mean: f64,
    std: f64,
    min: f64,
    max: f64,
}

impl Summary {
    /// Mean, population standard deviation, minimum and maximum; `None` without values.
    fn of(values: &[f64]) -> Option<Self> {
        let n = values.len() as f64;
        let (first, rest) = values.split_first()?;
        let mean = values.iter().sum::<f64>() / n;
        let std = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        let (min, max) = rest.iter().fold((*first, *first), |(lo, hi), &v| (lo.min(v), hi.max(v)));
        Some(Self { mean, std, min, max })
    }

    fn values(self) -> [Option<f64>; 4] {
        [self.mean, self.std, self.min, self.max].map(Some)
    }
}
