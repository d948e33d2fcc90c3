//! Several runs that differ in their seed.

use std::time::Instant;

use onebit::{Engine, experiment};
use serde_json::json;

use super::{Job, headline, once::result_json};
use crate::{
    args::TrainArgs,
    classes,
    failure::Result,
    output::{self, percent},
    table::Table,
};

/// The same with the seeds `0..seeds`: split, first weights and shuffles all change.
pub(super) fn repeat(args: &TrainArgs, job: Job, engine: &Engine, seeds: u64) -> Result<()> {
    let Job { name, mut config, data, found_target, .. } = job;
    let mut tests = Vec::new();
    let mut validations = Vec::new();
    let mut table = Table::new(["seed", "train", "validation", "test", "best epoch's test"]);
    for seed in 0..seeds {
        config.seed = seed;
        let start = Instant::now();
        let parts = experiment::load(&config, data.as_deref())?;
        if seed == 0 && args.json {
            classes::json(&parts, found_target.as_deref())?;
        } else if seed == 0 {
            output::line(headline(&name, &config, &parts))?;
            classes::print(&parts, found_target.as_deref())?;
        }
        let outcome = experiment::run(&config, &parts, engine, |_| {})?;
        let kept = outcome.kept();
        tests.extend(kept.test_accuracy);
        validations.extend(kept.validation_accuracy);
        if args.json {
            output::json(&result_json(&config, &outcome, start.elapsed().as_secs_f64()))?;
        } else {
            let best = outcome
                .epochs
                .iter()
                .filter_map(|e| e.test_accuracy)
                .fold(None, |a: Option<f64>, b| Some(a.map_or(b, |a| a.max(b))));
            let shares = [Some(kept.train_accuracy), kept.validation_accuracy, kept.test_accuracy, best];
            table.row([seed.to_string()].into_iter().chain(shares.map(percent)));
        }
    }
    let (test, validation) = (Summary::of(&tests), Summary::of(&validations));
    if args.json {
        let mut line = json!({"event": "summary", "config": name, "seeds": seeds});
        for (name, summary) in [("test_accuracy", test), ("validation_accuracy", validation)] {
            for (what, value) in
                ["mean", "std", "min", "max"].into_iter().zip(summary.map_or([None; 4], Summary::parts))
            {
                line[format!("{name}_{what}")] = json!(value);
            }
        }
        return output::json(&line);
    }
    output::line(table.render())?;
    for (name, summary) in [("validation", validation), ("test", test)] {
        if let Some(Summary { mean, std, min, max }) = summary {
            let [mean, std, min, max] = [mean, std, min, max].map(|share| percent(Some(share)));
            output::line(format!("{name}: mean {mean}, deviation {std}, least {min}, greatest {max}"))?;
        }
    }
    Ok(())
}

/// What several runs have in common.
#[derive(Clone, Copy)]
struct Summary {
    mean: f64,
    std: f64,
    min: f64,
    max: f64,
}

impl Summary {
    /// Mean, standard deviation (of the population of runs), least and greatest; nothing for no runs.
    fn of(values: &[f64]) -> Option<Self> {
        let n = values.len() as f64;
        let (first, rest) = values.split_first()?;
        let mean = values.iter().sum::<f64>() / n;
        let std = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        let (min, max) = rest.iter().fold((*first, *first), |(lo, hi), &v| (lo.min(v), hi.max(v)));
        Some(Self { mean, std, min, max })
    }

    fn parts(self) -> [Option<f64>; 4] {
        [self.mean, self.std, self.min, self.max].map(Some)
    }
}
