//! The folder of a search: what is searched, and the trials so far.

use std::{
    collections::BTreeMap,
    fmt::Display,
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use onebit::{model, tune::Dimension};
use serde::{Deserialize, Serialize};

use super::trial::Trial;
use crate::failure::{Failure, Result};

/// What is searched. A folder with another search is refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Search {
    pub(super) name: String,
    pub(super) seed: u64,
    pub(super) seeds: u64,
    pub(super) varied: Vec<Dimension>,
    /// The configuration of trial 0.
    pub(super) configuration: String,
}

/// Finished trials by number.
pub(super) type Trials = BTreeMap<u64, Trial>;

/// The folder of a search.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn ranking(&self) -> PathBuf {
        self.0.join("ranking.txt")
    }

    pub(super) fn best(&self) -> PathBuf {
        self.0.join("best.toml")
    }

    fn search(&self) -> PathBuf {
        self.0.join("search.json")
    }

    fn trials(&self) -> PathBuf {
        self.0.join("trials.jsonl")
    }

    /// Creates the folder, or reads the trials of the same search from it.
    pub(super) fn begin(&self, search: &Search) -> Result<Trials> {
        let file = self.search();
        if !file.exists() {
            fs::create_dir_all(&self.0).map_err(|e| failed(&self.0, e))?;
            let text = serde_json::to_vec_pretty(search).expect("it has only names and numbers");
            model::replace(&[(file, &text), (self.trials(), b"")])?;
            return Ok(Trials::new());
        }
        let text = fs::read(&file).map_err(|e| failed(&file, e))?;
        let existing: Search = serde_json::from_slice(&text).map_err(|e| failed(&file, e))?;
        if existing != *search {
            return Err(Failure::flag(format!(
                "--out {}: expected the folder of this search, got another search's (other settings, seeds \
                 or ranges); choose another --out, or remove the folder",
                self.0.display()
            )));
        }
        self.read_trials()
    }

    fn read_trials(&self) -> Result<Trials> {
        let file = self.trials();
        let text = fs::read_to_string(&file).map_err(|e| failed(&file, e))?;
        let mut trials = Trials::new();
        let mut complete = String::new();
        // A search that is killed may leave a last line without its end.
        for (index, line) in text.split_inclusive('\n').enumerate().filter(|(_, line)| line.ends_with('\n')) {
            let trial: Trial =
                serde_json::from_str(line).map_err(|e| failed(&file, format!("line {}: {e}", index + 1)))?;
            trials.insert(trial.trial, trial);
            complete += line;
        }
        if complete.len() < text.len() {
            model::replace(&[(file, complete.as_bytes())])?;
        }
        Ok(trials)
    }

    /// Appends a finished trial.
    pub(super) fn append(&self, trial: &Trial) -> Result<()> {
        let file = self.trials();
        let mut line = serde_json::to_vec(trial).expect("it has only names and numbers");
        line.push(b'\n');
        let written = OpenOptions::new().append(true).open(&file).and_then(|mut file| file.write_all(&line));
        written.map_err(|e| failed(&file, e))
    }
}

fn failed(path: &Path, reason: impl Display) -> Failure {
    Failure::other(format!("{}: {reason}", path.display()))
}
