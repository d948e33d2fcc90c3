//! Runs, and what they leave behind.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use onebit_train::{
    Error, Event, Outcome, Split, Training,
    checkpoint::Checkpoints,
    data::{Dataset, Samples},
};
use tempfile::TempDir;

use super::nets::{CLASSES, Case, FEATURES};

/// 34 samples to learn from and 17 to judge by; as bytes for the case that is named so.
pub(crate) fn parts(case: &Case) -> Split {
    let part = |rows: usize, shift: usize| {
        let bytes = (0..rows * FEATURES).map(|at| ((at + shift) * (at + shift) * 37 % 251) as u8);
        let samples = match case.0 {
            "bytes" => Samples::Bytes { cols: FEATURES, values: bytes.collect() },
            _ => Samples::Real { cols: FEATURES, values: bytes.map(|byte| f32::from(byte) / 50.0).collect() },
        };
        let labels = (0..rows).map(|row| ((row + shift) % CLASSES) as u32).collect();
        Dataset::new(samples, labels, ["a", "b", "c"].map(String::from).to_vec(), vec![]).unwrap()
    };
    Split::new(part(34, 0), Some(part(17, 5)), Some(part(17, 11)))
}

/// A folder with a checkpoint.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn with(checkpoint: &[u8]) -> Self {
        let folder = Self::new();
        fs::write(folder.path(), checkpoint).unwrap();
        folder
    }

    /// Where the checkpoint is.
    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("run")
    }

    /// The file beside it with this end.
    pub(crate) fn beside(&self, end: &str) -> PathBuf {
        self.0.path().join(format!("run.{end}"))
    }

    /// Begins a run that is saved after each batch.
    pub(crate) fn begin(&self, case: &Case, listen: impl FnMut(Event)) -> Result<Left, Error> {
        run(case, Checkpoints::new(self.path()).every(Duration::ZERO), &self.path(), listen)
    }

    /// Goes on with what was saved, and saves after each epoch.
    pub(crate) fn resume(&self, case: &Case, listen: impl FnMut(Event)) -> Result<Left, Error> {
        run(case, Checkpoints::resume(self.path())?, &self.path(), listen)
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// What a run leaves behind.
pub(crate) struct Left {
    pub(crate) outcome: Outcome,
    /// Its last checkpoint.
    pub(crate) file: Vec<u8>,
    /// The state that its network is left in, as the network's own checkpoint would have it.
    pub(crate) state: Vec<u8>,
}

impl Left {
    #[track_caller]
    pub(crate) fn assert_same(&self, other: &Left, what: &str) {
        assert!(self.outcome.epochs == other.outcome.epochs, "{what}: other reports");
        assert_eq!(self.outcome.epoch, other.outcome.epoch, "{what}: another epoch was kept");
        assert!(self.outcome.model == other.outcome.model, "{what}: another model");
        assert!(self.file == other.file, "{what}: another checkpoint at the end");
        assert!(self.state == other.state, "{what}: the network was left in another state");
    }
}

fn run(
    case: &Case,
    mut checkpoints: Checkpoints,
    path: &Path,
    listen: impl FnMut(Event),
) -> Result<Left, Error> {
    let (_, net, trainer) = case;
    let (mut net, parts) = (net(), parts(case));
    let outcome =
        Training::new(trainer(), &mut net, &parts).checkpoints(&mut checkpoints).on_event(listen).run()?;
    let mut state = Everything(Vec::new());
    net.state(&mut onebit_train::state::State::new(&mut state)).unwrap();
    Ok(Left { outcome, file: fs::read(path).unwrap_or_default(), state: state.0 })
}

/// A visitor that takes down everything.
struct Everything(Vec<u8>);

impl onebit_train::state::Visitor for Everything {
    fn visit(&mut self, name: &str, item: onebit_train::state::Item) -> Result<(), Error> {
        self.0.extend(format!("{name} {item:?}\n").bytes());
        Ok(())
    }
}
