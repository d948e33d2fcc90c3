//! The job of `onebit train` and `onebit tune`: a configuration and its data.

use std::path::{Path, PathBuf};

use onebit::{
    Split,
    config::Config,
    data::TableFormat,
    experiment::{self, Source},
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
    /// The path of the data; `None` if they are built in.
    data: Option<PathBuf>,
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
        Self { name: name.into(), config, guessed_target: None, data: None }
    }

    /// Finds the data, downloads them if the flags ask for it, and guesses the target column of a table if
    /// nothing names it.
    pub(crate) fn find_data(&mut self, flags: &TrainingDataArgs, json: bool) -> Result<()> {
        if flags.download {
            let set = experiment::published_set(&self.config, flags.data.as_deref());
            fetch_if_missing(set, &flags.dir, json)?;
        }
        self.data = experiment::data_path(&self.config, flags.data.as_deref(), flags.dir.named().as_ref())?;
        let Some(path) = self.data.as_ref().filter(|_| self.config.data.target.is_none()) else {
            return Ok(());
        };
        if let Source::Table(options) = experiment::source_at(path, &self.config.data.table_options())? {
            self.config.data.target = Some(options.target.clone());
            self.guessed_target = Some(options.target);
        }
        Ok(())
    }

    /// Writes the absolute path of the data into the configuration, so that it is right in any folder.
    pub(crate) fn pin_data(&mut self) {
        if let Some(data) = &self.data {
            // The name of a built-in set is not a path.
            let absolute = std::path::absolute(data).ok().filter(|path| path.exists());
            self.config.data.path = Some(absolute.unwrap_or_else(|| data.clone()));
        }
    }

    /// Loads the data and splits them by `seed`.
    pub(crate) fn load(&self, seed: u64) -> Result<Split> {
        let config = Config { seed, ..self.config.clone() };
        Ok(experiment::load(&config, self.data.as_deref())?)
    }
}
