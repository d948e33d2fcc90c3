//! The output before training: the method, the data, the target column and the classes.

use onebit::{
    Split,
    config::{Config, Method},
    data::Dataset,
};

use super::classes;
use crate::{failure::Result, job::Job, output};

/// Prints the headline of a job as text, or its target and classes as JSON.
pub(super) fn print(job: &Job, parts: &Split, json: bool) -> Result<()> {
    let target = job.guessed_target.as_deref();
    if json {
        return classes::json(parts, target);
    }
    output::line(headline(&job.name, &job.config, parts))?;
    classes::print(parts, target)
}

fn headline(name: &str, config: &Config, parts: &Split) -> String {
    let order = || serde_json::json!(config.order()).as_str().unwrap_or_default().to_string();
    let method = match config.method {
        Method::Flip => format!("flip backprop, {}", order()),
        Method::IntegerFlip => format!("integer flip backprop, {}", order()),
        Method::StraightThrough => "straight-through training".into(),
    };
    let count = |part: &Option<Dataset>| part.as_ref().map_or(0, Dataset::len);
    format!(
        "{name}: {method}; {} features, {} classes; {} samples to train on, {} for validation, {} for \
         testing",
        parts.train.features(),
        parts.train.classes(),
        parts.train.len(),
        count(&parts.validation),
        count(&parts.test),
    )
}
