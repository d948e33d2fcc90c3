//! `onebit report` and `onebit compare`: one run, or several side by side, as a self-contained HTML page.
//!
//! | file | what |
//! |---|---|
//! | `run_data` | what the folder of a run contains |
//! | `learning`, `layers`, `weights`, `outcome` | the sections of the page of a run |
//! | `compare` | the table and the page of several runs |
//! | `page`, `chart`, `picture` | HTML, SVG and PNG |

use std::path::{Path, PathBuf};

use onebit::{
    model,
    record::{RunFolder, Status},
};

use crate::{
    args::ReportArgs,
    failure::Result,
    output,
    text::{bytes, percent},
};

mod chart;
mod compare;
mod layers;
mod learning;
mod outcome;
mod page;
mod picture;
mod run_data;
mod weights;

pub(crate) use compare::run as compare;
use page::{escaped, page};
use run_data::RunData;

/// `onebit report RUN`.
pub(crate) fn run(args: &ReportArgs) -> Result<()> {
    let folder = RunFolder::open(&args.run)?;
    let out = args.out.clone().unwrap_or_else(|| folder.report_path());
    save(folder, &out)?;
    output::line(out.display().to_string())
}

/// Writes the report of a run into its folder and returns its path.
pub(crate) fn write(folder: &RunFolder) -> Result<PathBuf> {
    let path = folder.report_path();
    save(folder.clone(), &path)?;
    Ok(path)
}

fn save(folder: RunFolder, out: &Path) -> Result<()> {
    let html = html(&RunData::read(folder)?);
    Ok(model::replace(&[(out.to_path_buf(), html.as_bytes())])?)
}

fn html(run: &RunData) -> String {
    let mut sections = vec![learning::section(run), outcome::answers(run), learning::signals(run)];
    sections.extend(layers::sections(run));
    sections.push(outcome::sizes(run));
    sections.push(outcome::origin(run));
    page(&run.info.name, &head(run), &sections)
}

/// The most important results, at the top of the page.
fn head(run: &RunData) -> String {
    let result = &run.result;
    let last = run.epochs.last();
    let accuracy = |kept: Option<f64>, last: Option<f64>| kept.or(last).map(|share| percent(Some(share)));
    let facts = [
        ("test accuracy", accuracy(result.test_accuracy, last.and_then(|e| e.test_accuracy))),
        (
            "validation accuracy",
            accuracy(result.validation_accuracy, last.and_then(|e| e.validation_accuracy)),
        ),
        ("train accuracy", accuracy(result.train_accuracy, last.map(|e| e.train_accuracy))),
        ("epoch kept", result.epoch.map(|epoch| format!("{epoch} of {}", run.epochs.len()))),
        ("training time", last.map(|line| format!("{:.1} s", line.seconds))),
        ("samples per second", last.map(|line| chart::short(line.samples_per_second))),
        ("model", result.model_bytes.map(bytes)),
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
        escaped(&run.info.started),
        escaped(&status)
    )
}
