//! Models in files: saved atomically, read only as far as they may be models.

use alloc::{boxed::Box, format, string::ToString, vec::Vec};
use core::sync::atomic::{AtomicU32, Ordering};
use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process,
};

use super::layout::MAGIC;
use crate::{
    c::CSource,
    error::{Error, Result},
    model::Model,
};

/// Numbers the temporary files of this process.
static SAVES: AtomicU32 = AtomicU32::new(0);

impl Model {
    /// Saves the model: writes a temporary file beside `path`, then renames it, so that `path` holds either
    /// the old file or the new one, never half of it. If `path` exists but is not a regular file (a device, a
    /// pipe), it is written in place.
    ///
    /// # Errors
    /// [`Error::Io`] with the path.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        replace(&[(path.as_ref().into(), &self.to_bytes())])
    }

    /// Loads a model from a file.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read; [`Error::File`], which holds the path and one of the errors
    /// of [`from_bytes`](Self::from_bytes), if it is not a valid model.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let bytes = read(&path)?;
        let path = path.as_ref().display().to_string();
        Self::from_bytes(&bytes).map_err(|source| Error::File { path, source: Box::new(source) })
    }
}

impl CSource {
    /// Saves `NAME.h` and `NAME.c` in an existing folder and returns their paths. Both are written beside
    /// their paths before either is renamed; a device or a pipe is written in place.
    ///
    /// # Errors
    /// [`Error::Io`] with the path.
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<[PathBuf; 2]> {
        let path = |extension| folder.as_ref().join(format!("{}.{extension}", self.name));
        let paths = [path("h"), path("c")];
        let [header, source] = paths.clone();
        replace(&[(header, self.header.as_bytes()), (source, self.source.as_bytes())])?;
        Ok(paths)
    }
}

/// Reads the whole file if it starts with [`MAGIC`]; otherwise only the first bytes, because it may be
/// endless. They are enough for [`Model::from_bytes`] to refuse it.
///
/// # Errors
/// [`Error::Io`] with the path.
pub fn read(path: impl AsRef<Path>) -> Result<Vec<u8>> {
    let path = path.as_ref();
    let read = || -> io::Result<Vec<u8>> {
        let (mut file, mut bytes) = (fs::File::open(path)?, Vec::new());
        Read::by_ref(&mut file).take(MAGIC.len() as u64).read_to_end(&mut bytes)?;
        if bytes == MAGIC {
            file.read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    };
    read().map_err(|source| Error::Io { path: path.display().to_string(), source })
}

/// Writes each file beside its path and then renames all of them: an error before the first rename changes
/// nothing. A path that exists but is not a regular file (a device, a pipe) is written in place, in the last
/// step.
///
/// # Errors
/// [`Error::Io`] with the path.
pub fn replace(files: &[(PathBuf, &[u8])]) -> Result<()> {
    let beside = files.iter().map(|(path, _)| {
        if path.exists() && !path.is_file() && !path.is_dir() {
            return None;
        }
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        let save = SAVES.fetch_add(1, Ordering::Relaxed);
        name.push(format!(".{}-{save}.tmp", process::id()));
        Some(path.with_file_name(name))
    });
    let beside: Vec<Option<PathBuf>> = beside.collect();
    let all = || files.iter().zip(&beside);
    let io = |path: &Path, done: io::Result<()>| {
        done.map_err(|source| Error::Io { path: path.display().to_string(), source })
    };
    let written = all().try_for_each(|((path, bytes), beside)| {
        let Some(beside) = beside else { return Ok(()) };
        // a rename onto a folder would fail too, but perhaps after other files were replaced
        let free = if path.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok(()) };
        io(path, free.and_then(|()| write_synced(beside, bytes)))
    });
    let in_place = |(path, bytes): &(PathBuf, &[u8]), beside: &Option<PathBuf>| match beside {
        Some(beside) => fs::rename(beside, path),
        None => fs::OpenOptions::new().write(true).open(path).and_then(|mut device| device.write_all(bytes)),
    };
    let done =
        written.and_then(|()| all().try_for_each(|(file, beside)| io(&file.0, in_place(file, beside))));
    if done.is_err() {
        for path in beside.iter().flatten() {
            // the temporary file is ours, and it may not exist
            let _ = fs::remove_file(path);
        }
    }
    done
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
