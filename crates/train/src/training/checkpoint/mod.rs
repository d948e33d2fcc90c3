//! Checkpoints: a run that is killed at any instant goes on from the last one, to the bit-identical result.
//!
//! A checkpoint holds the state of every layer, rule and optimizer, the position of the run within its epoch, the reports
//! of the epochs before, the best network so far, and what the run is (configuration, phases, seed, a checksum of the
//! data), so that another run cannot go on from it. The file has the safetensors layout; `docs/reference/checkpoints.md` describes it.
//!
//! ```
//! use onebit_train::{checkpoint::Checkpoints, config, experiment};
//!
//! let file = std::env::temp_dir().join(format!("iris-{}.checkpoint", std::process::id()));
//! let config = config::preset("iris")?;
//! let parts = experiment::load(&config, None)?;
//! let engine = onebit_bits::Engine::single();
//!
//! let mut checkpoints = Checkpoints::new(&file).describe("iris", &config)?;
//! let whole = experiment::run_with(&config, &parts, &engine, &mut checkpoints, |_| {})?;
//! // Elsewhere, after the run has been killed; here it was over already.
//! let mut checkpoints = Checkpoints::resume(&file)?;
//! let config = config::parse("iris", checkpoints.configuration(), &[])?;
//! let resumed = experiment::run_with(&config, &parts, &engine, &mut checkpoints, |_| {})?;
//! assert_eq!(resumed.model, whole.model);
//! # let previous = file.with_extension("checkpoint.previous");
//! # std::fs::remove_file(previous).and_then(|()| std::fs::remove_file(file)).expect("they are there");
//! # Ok::<(), onebit_train::Error>(())
//! ```

use std::{
    fs::File,
    io::Cursor,
    path::Path,
    time::{Duration, Instant},
};

use serde::Serialize;

use crate::{
    error::{Error, Result},
    network::Network,
    training::position::Past,
};

mod difference;
mod disk;
mod layout;
mod read;
mod write;

use difference::{agree, agree_as_toml};
use disk::Slot;
use layout::Metadata;
use read::Saved;
use write::write;

pub use crate::error::CheckpointError;

/// What the text `format` says; another number is another format.
const FORMAT: &str = "onebit checkpoint 1";

/// Tensors that are not the network's: the best one so far, to deploy or as a file of its state.
const BEST: [&str; 2] = ["best.model", "best.state"];

/// How often checkpoints are saved, besides after each epoch.
const EVERY: Duration = Duration::from_secs(300);

/// Whether there is a checkpoint at `path`, or the one before beside it.
pub fn exists(path: impl AsRef<Path>) -> bool {
    let slot = Slot::new(path.as_ref());
    slot.path().exists() || slot.previous().exists()
}

/// Where and how often a run is saved, and from where it goes on.
pub struct Checkpoints {
    slot: Option<Slot>,
    every: Duration,
    sparing: bool,
    last: Instant,
    name: String,
    configuration: String,
    saved: Option<Saved<File>>,
    warning: Option<String>,
}

impl Checkpoints {
    /// Saves nothing.
    pub fn none() -> Self {
        let (name, configuration) = (String::new(), String::new());
        Self {
            slot: None,
            every: EVERY,
            sparing: false,
            last: Instant::now(),
            name,
            configuration,
            saved: None,
            warning: None,
        }
    }

    /// A new run, saved to `path` every 300 seconds and after each epoch. Beside it there is the one before, as
    /// `NAME.previous`. Nothing is written yet.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self { slot: Some(Slot::new(path.as_ref())), ..Self::none() }
    }

    /// The run that was saved to `path`, which goes on and is saved there. Where the newest file is damaged or missing
    /// it is the one before, and a [warning](crate::Event::Warning) says so.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when neither can be read.
    pub fn resume(path: impl AsRef<Path>) -> Result<Self> {
        let (slot, saved, warning) = Slot::open(path.as_ref())?;
        let text = |name| saved.text(name).map(str::to_string).map_err(|e| e.of(path.as_ref()));
        match text("format")? {
            format if format == FORMAT => {}
            format => {
                let problem = format!("expected the format `{FORMAT}`, got `{format}`");
                return Err(CheckpointError::Header(problem).of(path.as_ref()).into());
            }
        }
        let (name, configuration) = (text("name")?, text("configuration")?);
        Ok(Self { slot: Some(slot), saved: Some(saved), warning, name, configuration, ..Self::none() })
    }

    /// Another time between two saves; with 0 there is one after each batch.
    #[must_use]
    pub fn every(self, every: Duration) -> Self {
        Self { every, ..self }
    }

    /// Saves when it is time and when the run is stopped, but not after each epoch: for short epochs and large networks.
    #[must_use]
    pub fn sparing(self) -> Self {
        Self { sparing: true, ..self }
    }

    /// Keeps a name and the configuration in the file. A run that is resumed must have that of the file, but for the
    /// place of its data.
    ///
    /// # Errors
    /// [`CheckpointError::Setting`] that names the key that differs, [`Error::Setting`] for a path that TOML cannot
    /// write.
    pub fn describe(mut self, name: &str, config: &impl Serialize) -> Result<Self> {
        let unfit = |e| Error::setting("a configuration to keep in a checkpoint", "what TOML can write", e);
        let text = toml::to_string(config).map_err(unfit)?;
        if self.saved.is_some() {
            agree_as_toml(&self.configuration, &text, &["data.path"]).map_err(|e| self.named(e.into()))?;
        }
        (self.name, self.configuration) = (name.into(), text);
        Ok(self)
    }

    /// The name of the run.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The configuration of the run, a TOML text; empty when it was not [described](Self::describe).
    pub fn configuration(&self) -> &str {
        &self.configuration
    }

    /// Whether anything is saved or restored.
    pub fn any(&self) -> bool {
        self.slot.is_some()
    }

    /// What whoever listens should know before the run goes on.
    pub(crate) fn warning(&mut self) -> Option<String> {
        self.warning.take()
    }

    /// Gives `net` the state that was saved, and returns what the run has behind it; nothing for a new run. `run` says
    /// what the run is, in JSON.
    pub(crate) fn restore(&mut self, net: &mut Network, run: &str) -> Result<Option<Past>> {
        let Some(mut saved) = self.saved.take() else { return Ok(None) };
        restore(&mut saved, net, run).map(Some).map_err(|e| self.named(e))
    }

    /// Saves now, unless it is [sparing](Self::sparing).
    pub(crate) fn save_after_epoch(&mut self, net: &mut Network, run: &str, past: &Past) -> Option<String> {
        match self.sparing {
            true => self.save_if_due(net, run, past),
            false => self.save(net, run, past),
        }
    }

    /// Saves when it is time, and says what went wrong: the run goes on without.
    pub(crate) fn save_if_due(&mut self, net: &mut Network, run: &str, past: &Past) -> Option<String> {
        (self.last.elapsed() >= self.every).then(|| self.save(net, run, past)).flatten()
    }

    /// Saves now, as [`save_if_due`](Self::save_if_due).
    pub(crate) fn save(&mut self, net: &mut Network, run: &str, past: &Past) -> Option<String> {
        let slot = self.slot.as_mut()?;
        let progress = serde_json::to_string(past).expect("it has only names and numbers");
        let texts = [
            ("format", FORMAT),
            ("onebit", env!("CARGO_PKG_VERSION")),
            ("name", &self.name),
            ("configuration", &self.configuration),
            ("run", run),
            ("progress", &progress),
        ];
        let blobs: Vec<_> =
            past.best.iter().map(|best| (BEST[usize::from(!best.deployed)], &*best.bytes)).collect();
        let saved = slot.save(|to| write(to, &metadata(&texts), net, &blobs));
        self.last = Instant::now();
        saved.err().map(|problem| format!("{} was not saved: {problem}", slot.path().display()))
    }

    fn named(&self, error: Error) -> Error {
        match (error, &self.slot) {
            (Error::Checkpoint(problem), Some(slot)) => problem.of(slot.path()).into(),
            (other, _) => other,
        }
    }
}

fn metadata(texts: &[(&str, &str)]) -> Metadata {
    texts.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect()
}

fn restore(saved: &mut Saved<File>, net: &mut Network, run: &str) -> Result<Past> {
    agree(saved.text("run")?, run)?;
    let progress = saved.text("progress")?;
    let mut past: Past =
        serde_json::from_str(progress).map_err(|e| CheckpointError::Header(format!("`progress`: {e}")))?;
    if let Some(best) = &mut past.best {
        let name = BEST[usize::from(!best.deployed)];
        let bytes = saved.blob(name)?;
        best.bytes = bytes.ok_or_else(|| CheckpointError::tensor(name, "the best network", "none"))?;
    }
    saved.restore(net, &BEST)?;
    Ok(past)
}

/// The state of a network as the bytes of a checkpoint.
pub(crate) fn to_bytes(net: &mut Network) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write(&mut bytes, &metadata(&[("format", FORMAT)]), net, &[])?;
    Ok(bytes)
}

/// Gives a network the state of [`to_bytes`].
pub(crate) fn from_bytes(net: &mut Network, bytes: &[u8]) -> Result<()> {
    Saved::open(Cursor::new(bytes))?.restore(net, &[])
}
