//! `onebit train`: one run, or one for each of several seeds.

use onebit::{
    Parts,
    config::{Config, Method},
};

use crate::{args::TrainArgs, failure::Result};

mod ears;
pub(crate) mod interrupt;
mod job;
mod once;
mod repeat;

use job::Job;
pub(crate) use job::{read_config, read_config_or_table};

pub(crate) fn run(args: &TrainArgs) -> Result<()> {
    let job = Job::new(args)?;
    let engine = args.engine.engine()?;
    match args.seeds {
        Some(seeds) => repeat::repeat(args, job, &engine, seeds as u64),
        None => once::once(args, job, &engine),
    }
}

fn headline(name: &str, config: &Config, parts: &Parts) -> String {
    let order = || serde_json::json!(config.order()).as_str().unwrap_or_default().to_string();
    let method = match config.method {
        Method::Flip => format!("flip backprop, {}", order()),
        Method::IntegerFlip => format!("integer flip backprop, {}", order()),
        Method::StraightThrough => "straight-through training".into(),
    };
    let count = |part: &Option<onebit::data::Dataset>| part.as_ref().map_or(0, |part| part.len());
    format!(
        "{name}: {method}; {} features, {} classes; {} samples to learn from, {} for validation, {} for the test",
        parts.train.features(),
        parts.train.classes(),
        parts.train.len(),
        count(&parts.validation),
        count(&parts.test),
    )
}
