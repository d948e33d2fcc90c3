//! `onebit tune`: random search for settings, ranked by validation accuracy.
//!
//! | file | what |
//! |---|---|
//! | `search` | the folder of a search, to which every finished trial is appended |
//! | `trial` | a trial: one configuration, trained with every seed |
//! | `ranking` | the results at the end |

use std::{
    io::{IsTerminal, stderr, stdout},
    path::Path,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use onebit::{
    Split,
    config::{self, Config},
    tune::{Dimension, dimensions, settings},
};

use crate::{
    args::TuneArgs,
    failure::{Failure, Result},
    interrupt,
    job::Job,
    output,
    text::{guessed_target, percent},
};

mod ranking;
mod search;
mod trial;

use search::{Folder, Search};

/// Validation share for a configuration that holds out nothing.
const VALIDATION: f64 = 0.2;

pub(crate) fn run(args: &TuneArgs) -> Result<()> {
    let mut job = Job::new(&args.config, &args.set, &args.data)?;
    if job.config.data.validation == 0.0 {
        job.config.data.validation = VALIDATION;
    }
    if let Some(epochs) = args.epochs {
        job.config.phases.iter_mut().for_each(|phase| phase.epochs = epochs);
    }
    let engine = args.engine.engine()?;
    let data = job.open_data(&args.data, args.json)?.read()?;
    let parts = (0..args.seeds as u64).map(|seed| job.split(data.clone(), seed));
    let parts: Vec<Split> = parts.collect::<Result<_>>()?;
    drop(data);
    let base = &job.config;
    let search = Search {
        name: args.config.clone(),
        seed: args.seed,
        seeds: args.seeds as u64,
        varied: varied(args, base, parts[0].train.len())?,
        configuration: base.to_toml(),
    };
    let stem = Path::new(&args.config).file_stem().unwrap_or_default();
    let folder = Folder::new(args.out.clone().unwrap_or_else(|| Path::new("tune").join(stem)));
    let mut trials = folder.begin(&search)?;

    if let (Some(target), false) = (&job.guessed_target, args.json) {
        output::line(guessed_target(target))?;
    }
    let bar = bar(args);
    interrupt::listen();
    for number in 0..args.trials as u64 {
        if trials.contains_key(&number) {
            continue;
        }
        bar.set_message(format!("best validation accuracy {}", percent(ranking::best_accuracy(&trials))));
        bar.set_position(trials.len() as u64);
        let drawn = settings(base, &search.varied, search.seed, number);
        let Some(trial) = trial::run(number, drawn, base, &parts, &engine)? else {
            bar.finish_and_clear();
            let message = "stopped; finished trials are kept, and the same command resumes the search";
            return Err(Failure::stopped(format!("{message} in {}", folder.path().display())));
        };
        folder.append(&trial)?;
        if args.json {
            output::json(&trial.json())?;
        }
        trials.insert(number, trial);
    }
    bar.finish_and_clear();
    ranking::print(&folder, base, &trials, args.json)
}

/// The settings to vary: those of the flags, or the default ones for this number of training samples.
fn varied(args: &TuneArgs, base: &Config, samples: usize) -> Result<Vec<Dimension>> {
    let varied = if args.vary.is_empty() {
        dimensions(base, samples)
    } else {
        let given = args.vary.iter().map(|text| Dimension::parse(text));
        given.collect::<onebit::Result<_>>().map_err(Failure::flag)?
    };
    if varied.is_empty() {
        let message = "--vary: expected a setting to vary, because this configuration has none by default";
        return Err(Failure::flag(message));
    }
    // Trial 1 is the first with drawn values: it shows whether the settings exist and may have such values.
    let drawn = settings(base, &varied, args.seed, 1);
    match config::parse("", &base.to_toml(), &drawn) {
        Ok(_) => Ok(varied),
        Err(error) => Err(Failure::flag(format!("--vary {error}"))),
    }
}

fn bar(args: &TuneArgs) -> ProgressBar {
    if args.json || !stdout().is_terminal() || !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:24} trial {pos}/{len}  {msg}  {eta} left");
    let bar = ProgressBar::new(args.trials as u64).with_style(style.expect("the template is well-formed"));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
