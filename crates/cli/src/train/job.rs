//! What is to be done: a configuration, where it is saved, and the folder of the run.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use onebit::{
    Batch,
    checkpoint::{self, Checkpoints},
    config::{self, Config},
    data::TableFormat,
    experiment::{self, Source},
    record::{self, RunFolder},
};

use crate::{
    args::{TableArgs, TrainArgs},
    data::fetch_for,
    failure::{Failure, Result},
};

/// What is to be done.
pub(super) struct Job {
    /// Of the preset or file, for headlines.
    pub(super) name: String,
    pub(super) config: Config,
    /// Where the data lie, unless they are built in.
    pub(super) data: Option<PathBuf>,
    pub(super) checkpoints: Checkpoints,
    pub(super) place: Place,
    /// The column of the classes, where nobody has said which.
    pub(super) found_target: Option<String>,
}

/// Where a run is written down.
pub(super) enum Place {
    /// Nowhere.
    Nowhere,
    /// In a folder that is to be made.
    New(PathBuf),
    /// In the folder where it began.
    Old(RunFolder),
}

/// Where runs go by default.
const RUNS: &str = "runs";

impl Job {
    pub(super) fn new(args: &TrainArgs) -> Result<Self> {
        let mut job = match (&args.resume, &args.config) {
            (Some(path), _) => Self::resumed(args, path)?,
            (None, Some(name)) => Self::begun(args, name)?,
            (None, None) => return Err(Failure::flag("expected a preset, a file or --resume, got none")),
        };
        if args.checkpoint_every.is_some() && !job.checkpoints.any() {
            return Err(Failure::flag("--checkpoint-every: expected a --checkpoint to save, got none"));
        }
        if args.download {
            let set = experiment::published_set(&job.config, args.data.as_deref());
            fetch_for(set, &args.dir, args.json)?;
        }
        job.data = experiment::data_path(&job.config, args.data.as_deref(), args.dir.named().as_ref())?;
        job.find_target()?;
        if job.checkpoints.any() {
            if args.data.is_some() || args.dir.data_dir.is_some() {
                // Where it is found from another folder, too; a name of a built-in set is no path.
                let place = job.data.as_ref().map(|data| std::path::absolute(data).unwrap_or_default());
                job.config.data.path = place.filter(|path| path.exists()).or_else(|| job.data.clone());
            }
            job.checkpoints = job.checkpoints.describe(&job.name, &job.config)?;
        }
        if let Some(seconds) = args.checkpoint_every {
            job.checkpoints = job.checkpoints.every(Duration::from_secs(seconds));
        }
        Ok(job)
    }

    /// Finds the column of the classes in a table if no one has said which it is, and puts it into the configuration.
    fn find_target(&mut self) -> Result<()> {
        let Some(path) = self.data.as_ref().filter(|_| self.config.data.target.is_none()) else {
            return Ok(());
        };
        if let Source::Table(options) = experiment::source_at(path, &self.config.data.table_options())? {
            self.config.data.target = Some(options.target.clone());
            self.found_target = Some(options.target);
        }
        Ok(())
    }

    fn begun(args: &TrainArgs, name: &str) -> Result<Self> {
        let config = configure(args, name)?;
        let place = place(args, name)?;
        let checkpoints = match (&args.checkpoint, &place) {
            (Some(file), _) => {
                check_out("the checkpoint", file)?;
                if checkpoint::exists(file) {
                    let file = file.display();
                    let message = format!(
                        "--checkpoint {file}: it is there already; go on with --resume {file}, or remove it"
                    );
                    return Err(Failure::flag(message));
                }
                Checkpoints::new(file)
            }
            (None, Place::New(run)) => Checkpoints::new(RunFolder::checkpoint_in(run)).sparing(),
            (None, _) => Checkpoints::none(),
        };
        Ok(Self { name: name.into(), config, data: None, checkpoints, place, found_target: None })
    }

    /// Of a checkpoint, or of a run's folder with one; where the checkpoint lies in such a folder the run goes on there.
    fn resumed(args: &TrainArgs, path: &Path) -> Result<Self> {
        let file = if path.is_dir() { RunFolder::open(path)?.checkpoint_path() } else { path.to_path_buf() };
        let checkpoints = Checkpoints::resume(&file)?;
        let config = config::parse(&file.display().to_string(), checkpoints.configuration(), &[])?;
        let name = checkpoints.name().to_string();
        let folder = file.parent().and_then(|folder| RunFolder::open(folder).ok());
        let (checkpoints, place) = match folder.filter(|folder| folder.checkpoint_path() == file) {
            Some(folder) => (checkpoints.sparing(), Place::Old(folder)),
            None => (checkpoints, place(args, &name)?),
        };
        Ok(Self { name, config, data: None, checkpoints, place, found_target: None })
    }
}

/// Where a run that begins is to be written down.
fn place(args: &TrainArgs, name: &str) -> Result<Place> {
    match &args.run {
        _ if args.no_run || args.seeds.is_some() => Ok(Place::Nowhere),
        None => Ok(Place::New(record::fresh_name(RUNS, name))),
        Some(folder) if fs::read_dir(folder).is_ok_and(|mut inside| inside.next().is_some()) => {
            let folder = folder.display();
            let message = format!(
                "--run {folder}: expected a new or empty folder, and there is something in it; \
                 go on with that run: --resume {folder}"
            );
            Err(Failure::flag(message))
        }
        Some(folder) => Ok(Place::New(folder.clone())),
    }
}

/// The text of the preset or file of this name; it is a configuration.
fn config_text(name: &str) -> Result<String> {
    let text = match config::preset_text(name) {
        Ok(text) => text.to_string(),
        Err(unknown) if !name.ends_with(".toml") && !Path::new(name).exists() => return Err(unknown.into()),
        Err(_) => fs::read_to_string(name).map_err(|e| Failure::other(format!("{name}: {e}")))?,
    };
    config::parse(name, &text, &[])?;
    Ok(text)
}

/// The preset or file of this name with some settings changed.
pub(crate) fn read_config(name: &str, set: &[String]) -> Result<Config> {
    let text = config_text(name)?;
    // The text is fine, so what is wrong now is wrong with a flag.
    config::parse(name, &text, set).map_err(|e| Failure::flag(format!("--set {e}")))
}

/// The preset or file of this name, or for a table the preset `table`, with some settings changed and the flags about
/// tables on top.
pub(crate) fn read_config_or_table(name: &str, set: &[String], flags: &TableArgs) -> Result<Config> {
    let is_table = TableFormat::is_name(Path::new(name));
    let mut config = read_config(if is_table { "table" } else { name }, set)?;
    if is_table {
        config.data.path = Some(name.into());
    }
    if let Some(target) = &flags.target {
        config.data.target = Some(target.clone());
    }
    if !flags.drop.is_empty() {
        config.data.drop.clone_from(&flags.drop);
    }
    if let Some(missing) = flags.missing {
        config.data.missing = missing;
    }
    Ok(config)
}

/// The preset or file with the flags on top.
fn configure(args: &TrainArgs, name: &str) -> Result<Config> {
    let is_table = TableFormat::is_name(Path::new(name));
    if is_table && args.data.is_some() {
        return Err(Failure::flag(format!(
            "--data: expected nothing beside the table {name}, got a second one"
        )));
    }
    let mut config = read_config_or_table(name, &args.set, &args.table)?;
    if is_table {
        // where it is found from another folder, too
        config.data.path = Some(std::path::absolute(name).unwrap_or_else(|_| name.into()));
    }
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
    Ok(config)
}

/// Says before the work, not after it, that its result could not be written.
pub(super) fn check_out(what: &str, out: &Path) -> Result<()> {
    let folder = match out.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    if out.is_dir() {
        return Err(Failure::other(format!(
            "{}: expected a file to write {what} to, got a folder",
            out.display()
        )));
    }
    match fs::metadata(folder) {
        Ok(meta) if meta.is_dir() => Ok(()),
        _ => Err(Failure::other(format!("{}: no such folder to write {what} to", folder.display()))),
    }
}
