//! A file of which there is a whole one at every instant.
//!
//! What is new is written beside (`NAME.tmp`) and synced; then the old one gets a second name, `NAME.previous`, the new
//! one takes its first, and the folder is synced. Where a file cannot have two names the old one is renamed: killed in
//! between, only the previous one is there.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use crate::{
    error::{CheckpointError, Result},
    training::checkpoint::read::Saved,
};

/// Where checkpoints are saved.
pub(crate) struct Slot {
    path: PathBuf,
    /// Whether the file there is whole: only such a one becomes the previous one.
    whole: bool,
}

impl Slot {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.into(), whole: false }
    }

    /// Opens the newest whole file, and says what is wrong with the newest when it is not that one.
    pub(crate) fn open(path: &Path) -> Result<(Self, Saved<File>, Option<String>), CheckpointError> {
        let open = |path: &Path| {
            let saved = File::open(path).map_err(CheckpointError::from).and_then(Saved::open);
            saved.map_err(|problem| problem.of(path))
        };
        let mut slot = Self::new(path);
        let problem = match open(path) {
            Ok(saved) => {
                slot.whole = true;
                return Ok((slot, saved, None));
            }
            Err(problem) => problem,
        };
        let previous = slot.previous();
        match open(&previous) {
            Ok(saved) => {
                let warning = format!("{problem}; going on from {}", previous.display());
                Ok((slot, saved, Some(warning)))
            }
            Err(_) => Err(problem),
        }
    }

    /// Saves what `write` writes; after an error what was there is still there.
    pub(crate) fn save(&mut self, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
        let new = self.beside("tmp");
        let written = written(&new, write).and_then(|()| Ok(self.replace(&new)?));
        if written.is_err() {
            let _ = fs::remove_file(&new); // it is ours, and may not be there
        }
        written
    }

    fn replace(&mut self, new: &Path) -> Result<(), CheckpointError> {
        // a device that is renamed is gone for everyone
        if self.path.exists() && !self.path.is_file() {
            return Err(io::Error::other("expected a file or nothing, found something else").into());
        }
        let previous = self.previous();
        if self.whole {
            let _ = fs::remove_file(&previous); // it may not be there
            fs::hard_link(&self.path, &previous).or_else(|_| fs::rename(&self.path, &previous))?;
        }
        if let Err(problem) = fs::rename(new, &self.path) {
            if self.whole && !self.path.exists() {
                fs::rename(&previous, &self.path)?;
            }
            return Err(problem.into());
        }
        self.whole = true;
        sync_folder(&self.path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the one before is.
    pub(crate) fn previous(&self) -> PathBuf {
        self.beside("previous")
    }

    fn beside(&self, end: &str) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_os_string();
        name.push(".");
        name.push(end);
        self.path.with_file_name(name)
    }
}

fn written(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let mut file = BufWriter::with_capacity(1 << 16, File::create(path).map_err(CheckpointError::from)?);
    write(&mut file)?;
    let synced = file.flush().and_then(|()| file.get_ref().sync_all());
    Ok(synced.map_err(CheckpointError::from)?)
}

/// Where folders can be synced, the new names are on disk, too.
fn sync_folder(path: &Path) -> Result<(), CheckpointError> {
    #[cfg(unix)]
    {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}
