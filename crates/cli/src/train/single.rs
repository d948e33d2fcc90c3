//! A single run: prepare, train, write, print.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use onebit::{
    Engine, Error, Outcome, Split,
    data::Source,
    experiment,
    record::{Recorder, RunFolder},
};

use super::{
    headline,
    listeners::Listeners,
    result::Finished,
    screen::Screen,
    setup::{RunTarget, Setup, check_output},
};
use crate::{
    args::TrainArgs,
    failure::{Failure, Result},
    interrupt,
    job::Job,
    output, report,
};

pub(super) fn run(args: &TrainArgs, setup: Setup, source: Source, engine: &Engine) -> Result<()> {
    let Setup { job, mut checkpoints, target } = setup;
    let out = args.out.clone().unwrap_or_else(|| default_out(&job.name));
    check_output("the model", &out)?;
    if args.tui {
        Screen::check_terminal()?;
    }

    let start = Instant::now();
    let parts = job.split(source.read()?, job.config.seed)?;
    let headline = if args.tui { Ok(()) } else { headline::print(&job, &parts, args.json) };
    let (folder, recorder) = record(&target, args, &job, &parts, engine)?;
    let mut screen = if args.tui { Screen::dashboard(&job.name)? } else { Screen::lines(args.json) };
    screen.keep_failure(headline);

    let mut listeners = Listeners { screen, recorder };
    interrupt::listen();
    let outcome = experiment::training(&job.config, &parts).and_then(|training| {
        training.engine(engine).checkpoints(&mut checkpoints).listener(&mut listeners).run()
    });
    let Listeners { screen, recorder } = listeners;
    let printed = screen.finish();
    let recorded = recorder.map_or(Ok(()), |recorder| match &outcome {
        Ok(outcome) => recorder.finish(outcome),
        Err(reason) => recorder.give_up(reason),
    });
    let outcome = outcome.map_err(|error| explain(error, args, folder.as_ref()))?;

    let model = save_model(&outcome, out)?;
    recorded?;
    let report = folder.as_ref().and_then(write_report);
    // Only now: even if standard output was closed, the model and the report must be written.
    printed?;
    let seconds = start.elapsed().as_secs_f64();
    Finished { seed: job.config.seed, outcome, seconds, model, folder, report }.print(args.json)
}

/// Opens the folder of the run, if it has one, and its recorder.
fn record<'a>(
    target: &RunTarget,
    args: &TrainArgs,
    job: &Job,
    parts: &'a Split,
    engine: &'a Engine,
) -> Result<(Option<RunFolder>, Option<Recorder<'a>>)> {
    let (folder, recorder) = match target {
        RunTarget::None => return Ok((None, None)),
        RunTarget::New(path) => {
            let folder = RunFolder::create(path)?;
            let recorder = Recorder::begin(&folder, &job.name, &job.config, parts, engine)?;
            (folder, recorder)
        }
        RunTarget::Existing(folder) => (folder.clone(), Recorder::resume(folder, parts, engine)?),
    };
    let recorder = if args.tensorboard { recorder.for_tensorboard() } else { recorder };
    Ok((Some(folder), Some(recorder)))
}

/// Says how to resume a run that was stopped.
fn explain(error: Error, args: &TrainArgs, folder: Option<&RunFolder>) -> Failure {
    if !matches!(error, Error::Stopped { .. }) {
        return error.into();
    }
    let checkpoint = args.checkpoint.as_deref().or(args.resume.as_deref()).or(folder.map(RunFolder::path));
    Failure::stopped(match checkpoint {
        Some(path) => format!("{error}; to resume: onebit train --resume {}", path.display()),
        None => format!("{error}; nothing was saved: the run had no folder and no --checkpoint"),
    })
}

/// Saves the model, if there is one, and returns its file.
fn save_model(outcome: &Outcome, out: PathBuf) -> Result<Option<PathBuf>> {
    let Some(model) = &outcome.model else { return Ok(None) };
    model.save(&out)?;
    Ok(Some(out))
}

/// Writes the report. A failure is only a warning: the model is more important.
fn write_report(folder: &RunFolder) -> Option<PathBuf> {
    match report::write(folder) {
        Ok(path) => Some(path),
        Err(failure) => {
            output::warn(&format!("no report: {failure}"));
            None
        }
    }
}

/// The name of a preset or file without its folder and extension, with `.onebit`.
fn default_out(config: &str) -> PathBuf {
    let mut name = Path::new(config).file_stem().unwrap_or_default().to_os_string();
    name.push(".onebit");
    name.into()
}
