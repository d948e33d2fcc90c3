//! The results of a run, as text or JSON.

use std::path::PathBuf;

use onebit::{Outcome, record::RunFolder};
use serde_json::{Value, json};

use super::layers;
use crate::{
    failure::Result,
    output,
    table::Table,
    text::{bytes, percent},
};

/// A finished run and the files it left.
pub(super) struct Finished {
    pub(super) seed: u64,
    pub(super) outcome: Outcome,
    /// Wall time in seconds, including the loading of the data.
    pub(super) seconds: f64,
    /// The model file, unless the network cannot be deployed.
    pub(super) model: Option<PathBuf>,
    pub(super) folder: Option<RunFolder>,
    pub(super) report: Option<PathBuf>,
}

impl Finished {
    pub(super) fn print(&self, json: bool) -> Result<()> {
        if json {
            return output::json(&self.json());
        }
        output::line(format!("\n{}\n", layers::measures(&self.outcome)))?;
        output::line(format!("{}\n", layers::parameters(&self.outcome.summary)))?;
        output::line(self.table())?;
        match &self.outcome.not_exported {
            Some(reason) => output::line(format!("no model written: {reason}")),
            None => Ok(()),
        }
    }

    fn json(&self) -> Value {
        let mut result = result_json(self.seed, &self.outcome, self.seconds);
        result["model"] = json!(self.model.as_ref().map(|path| path.display().to_string()));
        result["run"] = json!(self.folder.as_ref().map(|folder| folder.path().display().to_string()));
        result["report"] = json!(self.report.as_ref().map(|path| path.display().to_string()));
        if let Some(reason) = &self.outcome.not_exported {
            result["no_model"] = json!(reason.to_string());
        }
        result
    }

    fn table(&self) -> String {
        let outcome = &self.outcome;
        let kept = outcome.kept();
        let mut table = Table::new(["result", ""]);
        table.row(["test accuracy".into(), percent(kept.test_accuracy)]);
        if kept.validation_accuracy.is_some() {
            table.row(["validation accuracy".into(), percent(kept.validation_accuracy)]);
        }
        table.row(["train accuracy".into(), percent(Some(kept.train_accuracy))]);
        table.row(["epoch kept".into(), format!("{} of {}", outcome.epoch, outcome.epochs.len())]);
        table.row(["seconds".into(), format!("{:.2}", self.seconds)]);
        table.row(["samples/s".into(), format!("{:.0}", samples_per_second(outcome))]);
        if let (Some(path), Some(model)) = (&self.model, &outcome.model) {
            table.row(["model".into(), format!("{} ({})", path.display(), bytes(model.to_bytes().len()))]);
        }
        if let Some(folder) = &self.folder {
            table.row(["run".into(), folder.path().display().to_string()]);
        }
        if let Some(report) = &self.report {
            table.row(["report".into(), report.display().to_string()]);
        }
        let text = table.render();
        text.lines().skip(1).collect::<Vec<_>>().join("\n") // without the header
    }
}

/// The result of a run with this seed as a JSON object.
pub(super) fn result_json(seed: u64, outcome: &Outcome, seconds: f64) -> Value {
    let kept = outcome.kept();
    json!({
        "event": "result",
        "seed": seed,
        "epoch": outcome.epoch,
        "epochs": outcome.epochs.len(),
        "train_accuracy": kept.train_accuracy,
        "validation_accuracy": kept.validation_accuracy,
        "test_accuracy": kept.test_accuracy,
        "seconds": seconds,
        "samples_per_second": samples_per_second(outcome),
        "parameters": layers::parameters_json(&outcome.summary),
        "model_bytes": outcome.model.as_ref().map(|model| model.to_bytes().len()),
    })
}

fn samples_per_second(outcome: &Outcome) -> f64 {
    outcome.samples as f64 / outcome.seconds.max(1e-9)
}
