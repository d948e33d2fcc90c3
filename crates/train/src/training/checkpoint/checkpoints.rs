//! Saving and resuming a run.

use std::{
    fs::File,
    io::Cursor,
    path::Path,
    time::{Duration, Instant},
};

use serde::Serialize;

use crate::{
    error::{CheckpointError, Error, Result},
    network::Network,
    training::{
        checkpoint::{
            difference::{agree, agree_as_toml},
            disk::Slot,
            layout::Metadata,
            read::Saved,
            write::write,
        },
        position::Position,
    },
};

/// Value of the text `format`; the number is the version of the format.
const FORMAT: &str = "onebit checkpoint 1";

/// Tensors with the best network so far: as a model file, or as a checkpoint of its state.
const BEST: [&str; 2] = ["best.model", "best.state"];

/// Default time between two checkpoints, besides those after each epoch.
const EVERY: Duration = Duration::from_secs(300);

/// Whether there is a checkpoint at `path`, or a previous one at `NAME.previous`.
pub fn exists(path: impl AsRef<Path>) -> bool {
    let slot = Slot::new(path.as_ref());
    slot.path().exists() || slot.previous().exists()
}

/// The checkpoint file of a run: where and how often the run is saved, and what it resumes from.
///
/// ```
/// use onebit_train::{checkpoint::Checkpoints, config, experiment};
///
/// let file = std::env::temp_dir().join(format!("iris-{}.checkpoint", std::process::id()));
/// let config = config::preset("iris")?;
/// let split = experiment::load(&config, None)?;
///
/// let mut checkpoints = Checkpoints::new(&file).describe("iris", &config)?;
/// let whole = experiment::training(&config, &split)?.checkpoints(&mut checkpoints).run()?;
/// // In a new process, after the run was killed; here it was already finished.
/// let mut checkpoints = Checkpoints::resume(&file)?;
/// let config = config::parse("iris", checkpoints.configuration(), &[])?;
/// let resumed = experiment::training(&config, &split)?.checkpoints(&mut checkpoints).run()?;
/// assert_eq!(resumed.model, whole.model);
/// # let previous = file.with_extension("checkpoint.previous");
/// # std::fs::remove_file(previous).and_then(|()| std::fs::remove_file(file)).expect("they are there");
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct Checkpoints {
    slot: Option<Slot>,
    every: Duration,
    after_epochs: bool,
    last: Instant,
    name: String,
    configuration: String,
    saved: Option<Saved<File>>,
    warning: Option<String>,
}

impl Checkpoints {
    /// Saves nothing.
    pub fn none() -> Self {
        Self {
            slot: None,
            every: EVERY,
            after_epochs: true,
            last: Instant::now(),
            name: String::new(),
            configuration: String::new(),
            saved: None,
            warning: None,
        }
    }

    /// Saves a new run to `path` after each epoch and every 300 seconds. The previous checkpoint is kept
    /// beside it as `NAME.previous`. Nothing is written yet.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self { slot: Some(Slot::new(path.as_ref())), ..Self::none() }
    }

    /// Resumes the run that was saved to `path`, and saves it there. If that file is damaged or missing,
    /// resumes from `NAME.previous` and reports a [warning](crate::Event::Warning).
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when neither file can be read.
    pub fn resume(path: impl AsRef<Path>) -> Result<Self> {
        let (slot, saved, warning) = Slot::open(path.as_ref())?;
        let text = |name| saved.text(name).map(str::to_string).map_err(|e| e.of(path.as_ref()));
        let format = text("format")?;
        if format != FORMAT {
            let problem = format!("expected the format `{FORMAT}`, got `{format}`");
            return Err(CheckpointError::Header(problem).of(path.as_ref()).into());
        }
        let (name, configuration) = (text("name")?, text("configuration")?);
        Ok(Self { slot: Some(slot), saved: Some(saved), warning, name, configuration, ..Self::none() })
    }

    /// Sets the time between two checkpoints; 0 saves one after each batch.
    #[must_use]
    pub fn every(self, every: Duration) -> Self {
        Self { every, ..self }
    }

    /// Saves no checkpoint after each epoch, only when one is due and when the run is stopped. For short
    /// epochs and large networks.
    #[must_use]
    pub fn only_when_due(self) -> Self {
        Self { after_epochs: false, ..self }
    }

    /// Stores a name and the configuration in the file. The configuration of a resumed run must equal the
    /// stored one, except for `data.path`.
    ///
    /// # Errors
    /// [`CheckpointError::Setting`] with the first key that differs; [`Error::Setting`] for a path that TOML
    /// cannot represent.
    pub fn describe(mut self, name: &str, config: &impl Serialize) -> Result<Self> {
        let unfit =
            |e| Error::setting("the configuration of a checkpoint", "values that TOML can represent", e);
        let text = toml::to_string(config).map_err(unfit)?;
        if self.saved.is_some() {
            agree_as_toml(&self.configuration, &text, &["data.path"]).map_err(|e| self.named(e.into()))?;
        }
        (self.name, self.configuration) = (name.into(), text);
        Ok(self)
    }

    /// Returns the name of the run.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the configuration of the run as a TOML text; empty if it was not set by
    /// [`describe`](Self::describe).
    pub fn configuration(&self) -> &str {
        &self.configuration
    }

    /// Whether the run is saved or resumed at all.
    pub fn is_active(&self) -> bool {
        self.slot.is_some()
    }

    /// Takes the warning to report before the run resumes, if any.
    pub(crate) fn take_warning(&mut self) -> Option<String> {
        self.warning.take()
    }

    /// Restores the state of `net` and returns the position of the run; `None` for a new run. `run` is the
    /// run's identity, in JSON.
    pub(crate) fn restore(&mut self, net: &mut Network, run: &str) -> Result<Option<Position>> {
        let Some(mut saved) = self.saved.take() else { return Ok(None) };
        restore(&mut saved, net, run).map(Some).map_err(|e| self.named(e))
    }

    /// Saves after an epoch; [`only_when_due`](Self::only_when_due), if so set.
    pub(crate) fn save_after_epoch(
        &mut self,
        net: &mut Network,
        run: &str,
        position: &Position,
    ) -> Option<String> {
        if self.after_epochs { self.save(net, run, position) } else { self.save_if_due(net, run, position) }
    }

    /// Saves if a checkpoint is due. Returns a warning if that fails: the run continues without the
    /// checkpoint.
    pub(crate) fn save_if_due(
        &mut self,
        net: &mut Network,
        run: &str,
        position: &Position,
    ) -> Option<String> {
        (self.last.elapsed() >= self.every).then(|| self.save(net, run, position)).flatten()
    }

    /// Saves now. Returns a warning if that fails.
    pub(crate) fn save(&mut self, net: &mut Network, run: &str, position: &Position) -> Option<String> {
        let slot = self.slot.as_mut()?;
        let progress = serde_json::to_string(position).expect("a position has only names and numbers");
        let texts = [
            ("format", FORMAT),
            ("onebit", env!("CARGO_PKG_VERSION")),
            ("name", &self.name),
            ("configuration", &self.configuration),
            ("run", run),
            ("progress", &progress),
        ];
        let blobs: Vec<_> =
            position.best.iter().map(|best| (BEST[usize::from(!best.deployed)], &*best.bytes)).collect();
        let saved = slot.save(|to| write(to, &metadata(&texts), net, &blobs));
        self.last = Instant::now();
        saved.err().map(|problem| format!("{} was not saved: {problem}", slot.path().display()))
    }

    /// Adds the file to an error about its content.
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

fn restore(saved: &mut Saved<File>, net: &mut Network, run: &str) -> Result<Position> {
    agree(saved.text("run")?, run)?;
    let progress = saved.text("progress")?;
    let mut position: Position =
        serde_json::from_str(progress).map_err(|e| CheckpointError::Header(format!("`progress`: {e}")))?;
    if let Some(best) = &mut position.best {
        let name = BEST[usize::from(!best.deployed)];
        let bytes = saved.blob(name)?;
        best.bytes = bytes.ok_or_else(|| CheckpointError::tensor(name, "the best network", "none"))?;
    }
    saved.restore(net, &BEST)?;
    Ok(position)
}

/// Returns the state of a network as the bytes of a checkpoint.
pub(crate) fn to_bytes(net: &mut Network) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write(&mut bytes, &metadata(&[("format", FORMAT)]), net, &[])?;
    Ok(bytes)
}

/// Restores the state of a network from the bytes of [`to_bytes`].
pub(crate) fn from_bytes(net: &mut Network, bytes: &[u8]) -> Result<()> {
    Saved::open(Cursor::new(bytes))?.restore(net, &[])
}
