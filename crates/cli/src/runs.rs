//! `onebit runs`: the training runs in a folder.

use onebit::record::{self, EpochLine, Line, RunFolder, RunInfo, RunResult};
use serde_json::{Value, json};

use crate::{args::RunsArgs, failure::Result, output, table::Table, text::percent};

pub(crate) fn run(args: &RunsArgs) -> Result<()> {
    let folders = record::list(&args.folder)?;
    let mut table =
        Table::new(["run", "status", "epochs", "train", "validation", "test", "seconds", "began", "trained"]);
    for folder in &folders {
        match Run::read(folder) {
            Ok(run) if args.json => output::json(&run.json())?,
            Ok(run) => table.row(run.row()),
            Err(problem) => output::warn(&problem.to_string()),
        }
    }
    if args.json {
        Ok(())
    } else if folders.is_empty() {
        output::line(format!("no runs in {}", args.folder.display()))
    } else {
        output::line(table.render())
    }
}

/// A run in a list.
struct Run {
    path: String,
    info: RunInfo,
    result: RunResult,
    /// The last epoch, if one is finished.
    last: Option<EpochLine>,
}

impl Run {
    fn read(folder: &RunFolder) -> onebit::Result<Self> {
        let info = folder.read_info()?;
        let result = folder.read_result()?;
        let last = folder.read_metrics()?.into_iter().rev().find_map(|line| match line {
            Line::Epoch(line) => Some(line),
            Line::Step(_) => None,
        });
        Ok(Self { path: folder.path().display().to_string(), info, result, last })
    }

    fn epochs(&self) -> usize {
        self.last.as_ref().map_or(0, |line| line.epoch)
    }

    /// Train, validation and test accuracy of the network that was kept, otherwise those of the last epoch.
    fn accuracies(&self) -> [Option<f64>; 3] {
        let last = self.last.as_ref();
        [
            self.result.train_accuracy.or(last.map(|line| line.train_accuracy)),
            self.result.validation_accuracy.or(last.and_then(|line| line.validation_accuracy)),
            self.result.test_accuracy.or(last.and_then(|line| line.test_accuracy)),
        ]
    }

    fn json(&self) -> Value {
        let [train, validation, test] = self.accuracies();
        json!({
            "run": self.path,
            "name": self.info.name,
            "status": self.result.status.name(),
            "reason": self.result.reason,
            "started": self.info.started,
            "ended": self.result.ended,
            "epochs": self.epochs(),
            "train_accuracy": train,
            "validation_accuracy": validation,
            "test_accuracy": test,
            "seconds": self.last.as_ref().map(|line| line.seconds),
        })
    }

    fn row(&self) -> [String; 9] {
        let [train, validation, test] = self.accuracies().map(percent);
        [
            self.path.clone(),
            self.result.status.name().into(),
            self.epochs().to_string(),
            train,
            validation,
            test,
            self.last.as_ref().map_or("-".into(), |line| format!("{:.1}", line.seconds)),
            self.info.started.clone(),
            self.info.name.clone(),
        ]
    }
}
