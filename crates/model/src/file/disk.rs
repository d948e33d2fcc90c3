//! Models to files and back.

use alloc::{boxed::Box, format, string::ToString, vec::Vec};
use core::sync::atomic::{AtomicU32, Ordering};
use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process,
};

use crate::{
    c::CSource,
    error::{Error, Result},
    format::MAGIC,
    model::Model,
};

/// Tells the temporary files of one process apart.
static SAVES: AtomicU32 = AtomicU32::new(0);

impl Model {
    /// Writes the model beside `path` and renames it, so that `path` holds the old file or the new
    /// one and never half of it. What is there and no file, such as a device or a pipe, is written to and stays.
    ///
    /// # Errors
    /// [`Error::Io`] with the path.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        replace(&[(path.as_ref().into(), &self.to_bytes())])
    }

    /// Reads a model from a file.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read, [`Error::File`] around what is wrong with it.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let bytes = read(&path)?;
        let path = path.as_ref().display().to_string();
        Self::from_bytes(&bytes).map_err(|source| Error::File { path, source: Box::new(source) })
    }
}

impl CSource {
    /// Writes `NAME.h` and `NAME.c` in a folder that is there; both beside, before either is renamed. Gives their paths.
    /// What is there and no file is written to and stays.
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

/// All bytes of a file that starts as a model does. Of others the first are enough to be refused: they may not have an end.
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

/// Writes all files beside their paths, then renames them: an error before the last step changes nothing. What is there and
/// no file has nothing beside it, and is written to in the last step.
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
        // found before the first of several is renamed
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
            // The temporary file is ours; that it may not exist is fine.
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
