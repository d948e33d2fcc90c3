//! The ranking of the trials, and the best configuration.

use onebit::{
    config::{self, Config},
    model,
};
use serde_json::json;

use super::{
    search::{Folder, Trials},
    trial::Trial,
};
use crate::{
    failure::{Failure, Result},
    output,
    table::Table,
    text::percent,
};

/// Number of trials printed at most; the file has all.
const PRINTED: usize = 10;

/// The best validation accuracy so far.
pub(super) fn best_accuracy(trials: &Trials) -> Option<f64> {
    best(trials).and_then(Trial::mean)
}

/// Writes the ranking and the best configuration into the folder, and prints them.
pub(super) fn print(folder: &Folder, base: &Config, trials: &Trials, as_json: bool) -> Result<()> {
    let text = table(trials) + "\n";
    let ranking = folder.ranking();
    let Some(best) = best(trials) else {
        model::replace(&[(ranking, text.as_bytes())])?;
        output::line(text.trim_end())?;
        return Err(Failure::other("every trial failed"));
    };
    let best_config = config::parse("", &base.to_toml(), &best.settings)?;
    let best_file = folder.best();
    model::replace(&[
        (ranking.clone(), text.as_bytes()),
        (best_file.clone(), best_config.to_toml().as_bytes()),
    ])?;
    if as_json {
        return output::json(&json!({
            "event": "best",
            "trial": best.trial,
            "settings": best.settings,
            "validation_accuracy": best.mean(),
            "config": best_file.display().to_string(),
            "ranking": ranking.display().to_string(),
        }));
    }
    let printed: Vec<&str> = text.lines().take(PRINTED + 1).collect();
    output::line(printed.join("\n"))?;
    if trials.len() > PRINTED {
        output::line(format!("and {} more in {}", trials.len() - PRINTED, ranking.display()))?;
    }
    output::line(format!("\nto train with the best settings: onebit train {}", best_file.display()))
}

fn table(trials: &Trials) -> String {
    let mut table = Table::new(["rank", "trial", "validation", "deviation", "seconds", "settings"]);
    for (rank, trial) in ranked(trials).into_iter().enumerate() {
        let settings = match (&trial.failed, trial.trial) {
            (Some(reason), _) => format!("failed: {reason}"),
            (None, 0) => "unchanged".into(),
            (None, _) => trial.settings.join(" "),
        };
        table.row([
            (rank + 1).to_string(),
            trial.trial.to_string(),
            percent(trial.mean()),
            percent(trial.deviation()),
            format!("{:.1}", trial.seconds),
            settings,
        ]);
    }
    table.render()
}

/// The trials, best first; of equal ones the earlier first, failed ones last.
fn ranked(trials: &Trials) -> Vec<&Trial> {
    let mut all: Vec<&Trial> = trials.values().collect();
    all.sort_by(|a, b| b.mean().unwrap_or(-1.0).total_cmp(&a.mean().unwrap_or(-1.0)));
    all
}

fn best(trials: &Trials) -> Option<&Trial> {
    ranked(trials).first().copied().filter(|trial| trial.mean().is_some())
}
