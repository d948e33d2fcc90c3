//! Replaces a file so that a complete version exists at every instant.
//!
//! The new version is written to `NAME.tmp` and synced. The old version is then linked to `NAME.previous`,
//! the new one renamed to `NAME`, and the folder synced. On file systems without hard links the old version
//! is renamed instead; a process that is killed between the two renames leaves only `NAME.previous`.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use crate::{
    error::{CheckpointError, Result},
    training::checkpoint::read::Saved,
};

/// The file of a checkpoint, and the previous version beside it.
pub(crate) struct Slot {
    path: PathBuf,
    /// Whether the file is known to be complete; only a complete file becomes the previous version.
    whole: bool,
}

impl Slot {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.into(), whole: false }
    }

    /// Opens the newest complete file. If that is the previous version, also returns a warning with the
    /// problem of the newest one.
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
                let warning = format!("{problem}; resuming from {}", previous.display());
                Ok((slot, saved, Some(warning)))
            }
            Err(_) => Err(problem),
        }
    }

    /// Replaces the file by the output of `write`; after an error the old version is still in place.
    pub(crate) fn save(&mut self, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
        let new = self.beside("tmp");
        let written = written(&new, write).and_then(|()| Ok(self.replace(&new)?));
        if written.is_err() {
            let _ = fs::remove_file(&new); // may not exist
        }
        written
    }

    fn replace(&mut self, new: &Path) -> Result<(), CheckpointError> {
        // renaming a device would remove it for every process
        if self.path.exists() && !self.path.is_file() {
            return Err(io::Error::other("expected a file or nothing, got something else").into());
        }
        let previous = self.previous();
        if self.whole {
            let _ = fs::remove_file(&previous); // may not exist
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

    /// Returns the path of the previous version.
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

/// Syncs the folder of `path`, so that the new names are on disk too; does nothing where folders cannot be
/// synced.
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
