//! Reports: a run, or several side by side, as one HTML page.

use std::path::{Path, PathBuf};

use onebit::{
    model,
    record::{RunFolder, Status},
};

use crate::{
    args::ReportArgs,
    failure::Result,
    output::{self, percent},
};

mod chart;
mod compare;
mod layers;
mod learning;
mod outcome;
mod page;
mod picture;
mod story;
mod weights;

pub(crate) use compare::run as compare;
use page::{escaped, page};
use story::Story;

/// `onebit report RUN`.
pub(crate) fn run(args: &ReportArgs) -> Result<()> {
    let folder = RunFolder::open(&args.run)?;
    let out = args.out.clone().unwrap_or_else(|| folder.report_path());
    save(folder, &out)?;
    output::line(out.display().to_string())
}

/// Writes the report of a run into its folder, and says where.
pub(crate) fn write(folder: &RunFolder) -> Result<PathBuf> {
    let path = folder.report_path();
    save(folder.clone(), &path)?;
    Ok(path)
}

fn save(folder: RunFolder, out: &Path) -> Result<()> {
    let html = html(&Story::read(folder)?);
    Ok(model::replace(&[(out.to_path_buf(), html.as_bytes())])?)
}

fn html(story: &Story) -> String {
    let mut sections = vec![learning::section(story), outcome::answers(story), learning::signals(story)];
    sections.extend(layers::sections(story));
    sections.push(outcome::sizes(story));
    sections.push(outcome::origin(story));
    page(&story.info.name, &head(story), &sections)
}

/// The numbers that one looks for first.
fn head(story: &Story) -> String {
    let result = &story.result;
    let last = story.epochs.last();
    let accuracy = |kept: Option<f64>, last: Option<f64>| kept.or(last).map(|share| percent(Some(share)));
    let facts = [
        ("test accuracy", accuracy(result.test_accuracy, last.and_then(|e| e.test_accuracy))),
        (
            "validation accuracy",
            accuracy(result.validation_accuracy, last.and_then(|e| e.validation_accuracy)),
        ),
        ("train accuracy", accuracy(result.train_accuracy, last.map(|e| e.train_accuracy))),
        ("epoch kept", result.epoch.map(|epoch| format!("{epoch} of {}", story.epochs.len()))),
        ("of learning", last.map(|line| format!("{:.1} s", line.seconds))),
        ("samples a second", last.map(|line| chart::short(line.samples_per_second))),
        ("model", result.model_bytes.map(output::bytes)),
    ];
    let facts = facts.into_iter().filter_map(|(name, fact)| Some((name, fact?)));
    let facts: String = facts
        .map(|(name, fact)| format!("<div class=\"fact\"><b>{}</b><span>{name}</span></div>", escaped(&fact)))
        .collect();
    let status = match (result.status, &result.reason) {
        (Status::Finished, _) => {
            result.no_model.as_ref().map_or_else(String::new, |why| format!("No model: {why}"))
        }
        (status, Some(reason)) => format!("This run is {}: {reason}", status.name()),
        (status, None) => format!("This run is {}.", status.name()),
    };
    format!(
        "<p class=\"about\">{} {}</p><div class=\"facts\">{facts}</div>",
        escaped(&story.info.started),
        escaped(&status)
    )
}
