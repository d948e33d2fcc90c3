//! One run.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use onebit::{
    Engine, Error, Outcome,
    config::Config,
    experiment,
    record::{Recorder, RunFolder},
};
use serde_json::{Value, json};

use super::{
    ears::Ears,
    headline, interrupt,
    job::{Job, Place, check_out},
};
use crate::{
    args::TrainArgs,
    classes,
    failure::{Failure, Result},
    layers,
    output::{self, bytes, percent},
    report,
    screen::Screen,
    table::Table,
};

pub(super) fn once(args: &TrainArgs, job: Job, engine: &Engine) -> Result<()> {
    let Job { name, config, data, mut checkpoints, place, found_target } = job;
    let config = &config;
    let out = args.out.clone().unwrap_or_else(|| default_out(&name));
    check_out("the model", &out)?;
    if args.tui {
        Screen::check_terminal()?;
    }
    let start = Instant::now();
    let parts = experiment::load(config, data.as_deref())?;
    let headline = match (args.json, args.tui) {
        (true, _) => classes::json(&parts, found_target.as_deref()),
        (_, true) => Ok(()),
        _ => output::line(headline(&name, config, &parts))
            .and_then(|()| classes::print(&parts, found_target.as_deref())),
    };
    let (folder, recorder) = match &place {
        Place::Nowhere => (None, None),
        Place::New(path) => {
            let folder = RunFolder::create(path)?;
            let recorder = Recorder::begin(&folder, &name, config, &parts, engine)?;
            (Some(folder), Some(recorder))
        }
        Place::Old(folder) => (Some(folder.clone()), Some(Recorder::resume(folder, &parts, engine)?)),
    };
    let recorder = recorder.map(|recorder| match args.tensorboard {
        true => recorder.for_tensorboard(),
        false => recorder,
    });
    let screen = if args.tui { Screen::dashboard(&name)? } else { Screen::lines(args.json) };
    let mut ears = Ears { screen, recorder };
    ears.screen.say(headline);
    interrupt::listen();
    let outcome = experiment::run_and_tell(config, &parts, engine, &mut checkpoints, &mut ears);
    let Ears { screen, recorder } = ears;
    let said = screen.finish();
    let written = match (recorder, &outcome) {
        (Some(recorder), Ok(outcome)) => recorder.finish(outcome),
        (Some(recorder), Err(reason)) => recorder.give_up(reason),
        (None, _) => Ok(()),
    };
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(stopped @ Error::Stopped { .. }) => return Err(goes_on(&stopped, args, folder.as_ref())),
        Err(other) => return Err(other.into()),
    };
    let model = outcome.model.as_ref();
    model.map_or(Ok(()), |model| model.save(&out))?;
    written?;
    let report = folder.as_ref().map(report::write).transpose().unwrap_or_else(|failure| {
        output::warn(&format!("no report: {failure}"));
        None
    });
    // Only now: whoever stops reading the report still wants the model.
    said?;
    let seconds = start.elapsed().as_secs_f64();
    if args.json {
        let mut result = result_json(config, &outcome, seconds);
        result["model"] = json!(model.map(|_| out.display().to_string()));
        result["run"] = json!(folder.map(|folder| folder.path().display().to_string()));
        result["report"] = json!(report.map(|path| path.display().to_string()));
        if let Some(reason) = &outcome.not_exported {
            result["no_model"] = json!(reason.to_string());
        }
        return output::json(&result);
    }
    output::line(format!("\n{}\n", layers::measures(&outcome)))?;
    output::line(format!("{}\n", layers::parameters(&outcome.summary)))?;
    let kept = outcome.kept();
    let mut table = Table::new(["result", ""]);
    table.row(["test accuracy".into(), percent(kept.test_accuracy)]);
    if kept.validation_accuracy.is_some() {
        table.row(["validation accuracy".into(), percent(kept.validation_accuracy)]);
    }
    table.row(["train accuracy".into(), percent(Some(kept.train_accuracy))]);
    table.row(["epoch kept".into(), format!("{} of {}", outcome.epoch, outcome.epochs.len())]);
    table.row(["seconds".into(), format!("{seconds:.2}")]);
    table.row(["samples/s".into(), format!("{:.0}", samples_per_second(&outcome))]);
    if let Some(model) = model {
        table.row(["model".into(), format!("{} ({})", out.display(), bytes(model.to_bytes().len()))]);
    }
    if let Some(folder) = folder {
        table.row(["run".into(), folder.path().display().to_string()]);
    }
    if let Some(report) = report {
        table.row(["report".into(), report.display().to_string()]);
    }
    output::line(table.render().lines().skip(1).collect::<Vec<_>>().join("\n"))?;
    match &outcome.not_exported {
        Some(reason) => output::line(format!("no model written: {reason}")),
        None => Ok(()),
    }
}

/// What a person who stopped a run can do now.
fn goes_on(stopped: &Error, args: &TrainArgs, folder: Option<&RunFolder>) -> Failure {
    let checkpoint = args.checkpoint.as_deref().or(args.resume.as_deref()).or(folder.map(RunFolder::path));
    Failure::stopped(match checkpoint {
        Some(path) => format!("{stopped}; go on with: onebit train --resume {}", path.display()),
        None => format!("{stopped}; nothing is saved: that takes a --run or a --checkpoint"),
    })
}

/// The name of a preset or file, without its folder and `.toml`, with `.onebit`.
fn default_out(config: &str) -> PathBuf {
    let mut name = Path::new(config).file_stem().unwrap_or_default().to_os_string();
    name.push(".onebit");
    name.into()
}

fn samples_per_second(outcome: &Outcome) -> f64 {
    outcome.samples as f64 / outcome.seconds.max(1e-9)
}

pub(super) fn result_json(config: &Config, outcome: &Outcome, seconds: f64) -> Value {
    let kept = outcome.kept();
    json!({
        "event": "result",
        "seed": config.seed,
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
