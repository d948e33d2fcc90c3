//! `onebit runs`: what was trained in a folder.

use onebit::{
    Result as Outcome,
    record::{self, EpochLine, Line, RunFolder, RunInfo, RunResult},
};
use serde_json::json;

use crate::{
    args::RunsArgs,
    failure::Result,
    output::{self, percent},
    table::Table,
};

pub(crate) fn run(args: &RunsArgs) -> Result<()> {
    let runs = record::list(&args.folder)?;
    let mut table =
        Table::new(["run", "status", "epochs", "train", "validation", "test", "seconds", "began", "trained"]);
    for folder in &runs {
        let path = folder.path().display().to_string();
        match read(folder) {
            Ok((info, result, last)) if args.json => output::json(&json!({
                "run": path,
                "name": info.name,
                "status": result.status.name(),
                "reason": result.reason,
                "started": info.started,
                "ended": result.ended,
                "epochs": last.as_ref().map_or(0, |line| line.epoch),
                "train_accuracy": result.train_accuracy.or(last.as_ref().map(|line| line.train_accuracy)),
                "validation_accuracy": result.validation_accuracy.or(last.as_ref().and_then(|l| l.validation_accuracy)),
                "test_accuracy": result.test_accuracy.or(last.as_ref().and_then(|line| line.test_accuracy)),
                "seconds": last.as_ref().map(|line| line.seconds),
            }))?,
            Ok((info, result, last)) => table.row([
                path,
                result.status.name().into(),
                last.as_ref().map_or(0, |line| line.epoch).to_string(),
                percent(result.train_accuracy.or(last.as_ref().map(|line| line.train_accuracy))),
                percent(
                    result.validation_accuracy.or(last.as_ref().and_then(|line| line.validation_accuracy)),
                ),
                percent(result.test_accuracy.or(last.as_ref().and_then(|line| line.test_accuracy))),
                last.as_ref().map_or("-".into(), |line| format!("{:.1}", line.seconds)),
                info.started,
                info.name,
            ]),
            Err(problem) => output::warn(&problem.to_string()),
        }
    }
    match (args.json, runs.is_empty()) {
        (true, _) => Ok(()),
        (false, true) => output::line(format!("no runs in {}", args.folder.display())),
        (false, false) => output::line(table.render()),
    }
}

/// What a run is, what came of it, and its last epoch.
fn read(folder: &RunFolder) -> Outcome<(RunInfo, RunResult, Option<EpochLine>)> {
    let (info, result, lines) = (folder.read_info()?, folder.read_result()?, folder.read_metrics()?);
    let last = lines.into_iter().rev().find_map(|line| match line {
        Line::Epoch(line) => Some(line),
        Line::Step(_) => None,
    });
    Ok((info, result, last))
}
