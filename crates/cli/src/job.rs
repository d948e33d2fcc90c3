//! The job of `onebit train` and `onebit tune`: a configuration and its data.

use std::path::Path;

use onebit::{
    Split,
    config::Config,
    data::{Dataset, Location, Source, TableFormat},
    experiment,
};

use crate::{
    args::TrainingDataArgs,
    data::fetch_if_missing,
    failure::{Failure, Result},
    settings::read_config,
};

/// A configuration and its data.
pub(crate) struct Job {
    /// The preset, file or table that was named, for headlines.
    pub(crate) name: String,
    pub(crate) config: Config,
    /// The target column, if it was guessed.
    pub(crate) guessed_target: Option<String>,
}

impl Job {
    /// Reads the preset or file `name`, or for a table the preset `table`, and applies `KEY=VALUE` changes
    /// and flags.
    pub(crate) fn new(name: &str, changes: &[String], flags: &TrainingDataArgs) -> Result<Self> {
        let is_table = TableFormat::is_name(Path::new(name));
        if is_table && flags.data.is_some() {
            return Err(Failure::flag(format!(
                "--data: expected no other data next to the table {name}, got a second path"
            )));
        }
        let mut config = read_config(if is_table { "table" } else { name }, changes)?;
        if is_table {
            // An absolute path stays right when the run is resumed from another folder.
            config.data.path = Some(std::path::absolute(name).unwrap_or_else(|_| name.into()));
        }
        let table = &flags.table;
        if let Some(target) = &table.target {
            config.data.target = Some(target.clone());
        }
        if !table.drop.is_empty() {
            config.data.drop.clone_from(&table.drop);
        }
        if let Some(missing) = table.missing {
            config.data.missing = missing;
        }
        Ok(Self::with_config(name, config))
    }

    /// The job of a run that is resumed.
    pub(crate) fn with_config(name: &str, config: Config) -> Self {
        Self { name: name.into(), config, guessed_target: None }
    }

    /// Opens the data, after their download if the flags ask for it, and completes the configuration: with
    /// the guessed target column of a table, and with the place of the data if it is from a flag.
    pub(crate) fn open_data(&mut self, flags: &TrainingDataArgs, json: bool) -> Result<Source> {
        let location = experiment::location(&self.config, flags.data.as_deref())?;
        if let (Location::Published(set), true) = (&location, flags.download) {
            fetch_if_missing(set, &flags.dir, json)?;
        }
        let data = &mut self.config.data;
        let source = location.open(flags.dir.named().as_ref(), &data.table_options())?;
        if let (Some(target), None) = (source.target(), &data.target) {
            data.target = Some(target.into());
            self.guessed_target = Some(target.into());
        }
        if flags.data.is_some() || flags.dir.data_dir.is_some() {
            // An absolute path stays right when the run is resumed from another folder. Built-in sets have
            // only a name.
            data.path = match source.path() {
                Some(path) => Some(std::path::absolute(path).unwrap_or_else(|_| path.into())),
                None => flags.data.clone().or(data.path.take()),
            };
        }
        Ok(source)
    }

    /// Splits data that were [read](Source::read) by `seed`.
    pub(crate) fn split(&self, data: (Dataset, Option<Dataset>), seed: u64) -> Result<Split> {
        Ok(experiment::split(&Config { seed, ..self.config.clone() }, data)?)
    }
}
