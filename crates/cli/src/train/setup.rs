//! The setup of a run: its job, checkpoints and folder.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use onebit::{
    Batch,
    checkpoint::{self, Checkpoints},
    config::{self, Config},
    data::Source,
    record::{self, RunFolder},
};

use crate::{
    args::TrainArgs,
    failure::{Failure, Result},
    job::Job,
};

/// A run before it starts.
pub(super) struct Setup {
    pub(super) job: Job,
    pub(super) checkpoints: Checkpoints,
    pub(super) target: RunTarget,
}

/// Where to record a run.
pub(super) enum RunTarget {
    /// Nowhere.
    None,
    /// In a folder to be created.
    New(PathBuf),
    /// In the folder of the run that is resumed.
    Existing(RunFolder),
}

/// The default folder for runs.
const RUNS: &str = "runs";

impl Setup {
    /// Sets up a run and opens its data.
    pub(super) fn new(args: &TrainArgs) -> Result<(Self, Source)> {
        let mut setup = match (&args.resume, &args.config) {
            (Some(path), _) => Self::resume(args, path)?,
            (None, Some(name)) => Self::begin(args, name)?,
            (None, None) => return Err(Failure::flag("expected a preset, a file or --resume, got none")),
        };
        if args.checkpoint_every.is_some() && !setup.checkpoints.is_active() {
            return Err(Failure::flag(
                "--checkpoint-every: expected a run folder or --checkpoint to save to, got neither",
            ));
        }
        let source = setup.job.open_data(&args.data, args.json)?;
        if setup.checkpoints.is_active() {
            setup.checkpoints = setup.checkpoints.describe(&setup.job.name, &setup.job.config)?;
        }
        if let Some(seconds) = args.checkpoint_every {
            setup.checkpoints = setup.checkpoints.every(Duration::from_secs(seconds));
        }
        Ok((setup, source))
    }

    fn begin(args: &TrainArgs, name: &str) -> Result<Self> {
        let mut job = Job::new(name, &args.set, &args.data)?;
        job.config = with_flags(job.config, args);
        let target = target(args, name)?;
        let checkpoints = match (&args.checkpoint, &target) {
            (Some(file), _) => new_checkpoints(file)?,
            (None, RunTarget::New(run)) => Checkpoints::new(RunFolder::checkpoint_in(run)).only_when_due(),
            (None, _) => Checkpoints::none(),
        };
        Ok(Self { job, checkpoints, target })
    }

    /// Resumes from a checkpoint, or from the checkpoint of a run's folder. A checkpoint inside such a folder
    /// continues that run.
    fn resume(args: &TrainArgs, path: &Path) -> Result<Self> {
        let file = if path.is_dir() { RunFolder::open(path)?.checkpoint_path() } else { path.to_path_buf() };
        let checkpoints = Checkpoints::resume(&file)?;
        let config = config::parse(&file.display().to_string(), checkpoints.configuration(), &[])?;
        let job = Job::with_config(checkpoints.name(), config);
        let folder = file.parent().and_then(|folder| RunFolder::open(folder).ok());
        let (checkpoints, target) = match folder.filter(|folder| folder.checkpoint_path() == file) {
            Some(folder) => (checkpoints.only_when_due(), RunTarget::Existing(folder)),
            None => (checkpoints, target(args, &job.name)?),
        };
        Ok(Self { job, checkpoints, target })
    }
}

/// Applies the flags that change settings.
fn with_flags(mut config: Config, args: &TrainArgs) -> Config {
    if let Some(seed) = args.seed {
        config.seed = seed;
    }
    if args.float {
        config = config.float_twin();
    }
    for phase in &mut config.phases {
        if let Some(epochs) = args.epochs {
            phase.epochs = epochs;
        }
        if let (Some(batch), Batch::Size(_)) = (args.batch, phase.batch) {
            phase.batch = Batch::Size(batch);
        }
    }
    config
}

/// Checkpoints in a file that must not exist yet.
fn new_checkpoints(file: &Path) -> Result<Checkpoints> {
    check_output("the checkpoint", file)?;
    if checkpoint::exists(file) {
        let file = file.display();
        return Err(Failure::flag(format!(
            "--checkpoint {file}: it exists already; resume it with --resume {file}, or remove it"
        )));
    }
    Ok(Checkpoints::new(file))
}

/// Where to record a new run.
fn target(args: &TrainArgs, name: &str) -> Result<RunTarget> {
    match &args.run {
        _ if args.no_run || args.seeds.is_some() => Ok(RunTarget::None),
        None => Ok(RunTarget::New(record::fresh_name(RUNS, name))),
        Some(folder) if fs::read_dir(folder).is_ok_and(|mut inside| inside.next().is_some()) => {
            let folder = folder.display();
            Err(Failure::flag(format!(
                "--run {folder}: expected a new or empty folder, got one with files in it; \
                 to resume that run: --resume {folder}"
            )))
        }
        Some(folder) => Ok(RunTarget::New(folder.clone())),
    }
}

/// Fails now, rather than after the work, if a result could not be written to this file.
pub(super) fn check_output(what: &str, file: &Path) -> Result<()> {
    let folder = match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    if file.is_dir() {
        return Err(Failure::other(format!(
            "{}: expected a file to write {what} to, got a folder",
            file.display()
        )));
    }
    match fs::metadata(folder) {
        Ok(meta) if meta.is_dir() => Ok(()),
        _ => Err(Failure::other(format!("{}: no such folder to write {what} to", folder.display()))),
    }
}
