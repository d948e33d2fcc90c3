//! Downloads a set file by file, while other processes wait.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use crate::published::{
    catalogue::{PublishedFile, PublishedSet},
    data_folder::DataFolder,
    download::{
        digest::sha256,
        error::DownloadError,
        events::{DownloadEvent, Listen},
        fetch::Fetch,
        settings::Downloader,
        unpack::{beside, unpack},
    },
};

impl Downloader {
    /// Downloads the missing files of a set and returns the folder of the set. The received bytes of an
    /// incomplete file are kept for the next call, unless they are wrong.
    ///
    /// # Errors
    /// [`DownloadError::Mirror`] for an invalid address; [`DownloadError::Mirrors`] if no mirror has a file;
    /// [`DownloadError::Read`], [`DownloadError::Write`], [`DownloadError::Archive`].
    pub fn get(
        &self,
        set: &PublishedSet,
        folder: &DataFolder,
        listen: Listen,
    ) -> Result<PathBuf, DownloadError> {
        self.mirrors.iter().try_for_each(|mirror| check_mirror(mirror))?;
        let dir = folder.place(set);
        fs::create_dir_all(folder.path()).map_err(DownloadError::write(folder.path()))?;
        let lock = folder.path().join(format!(".{}.lock", set.name));
        let _held = lock_file(&lock, listen).map_err(DownloadError::write(&lock))?;
        fs::create_dir_all(&dir).map_err(DownloadError::write(&dir))?;
        let fetched = self.files(set, &dir, listen);
        if fetched.is_err() {
            let _ = fs::remove_dir(&dir); // succeeds only if the folder is empty
        }
        fetched.map(|()| dir)
    }

    fn files(&self, set: &PublishedSet, dir: &Path, listen: Listen) -> Result<(), DownloadError> {
        let fetch = Fetch::new(self);
        for file in set.files {
            match state(dir, file)? {
                State::Whole => {
                    listen(DownloadEvent::There { file: file.name });
                    continue;
                }
                State::Damaged => listen(DownloadEvent::Damaged { file: file.name }),
                State::Missing => {}
            }
            let part = beside(&dir.join(file.name), "part");
            fetch.file(file, &self.addresses(set, file), &part, listen)?;
            if file.unpacked.is_empty() {
                let path = dir.join(file.name);
                fs::rename(&part, &path).map_err(DownloadError::write(&path))?;
            } else {
                unpack(&part, file, dir, listen)?;
                fs::remove_file(&part).map_err(DownloadError::write(&part))?;
            }
        }
        Ok(())
    }

    /// The addresses of a file, in the order in which they are tried.
    fn addresses(&self, set: &PublishedSet, file: &PublishedFile) -> Vec<String> {
        let own = self.mirrors.iter().map(|mirror| mirror.trim_end_matches('/'));
        let own = own.flat_map(|mirror| {
            [format!("{mirror}/{}/{}", set.name, file.name), format!("{mirror}/{}", file.name)]
        });
        own.chain(set.mirrors.iter().map(|mirror| format!("{mirror}{}", file.name))).collect()
    }
}

/// Checks the address of a mirror.
///
/// ```
/// use onebit_data::download::check_mirror;
///
/// assert!(check_mirror("https://example.org/data").is_ok());
/// assert!(check_mirror("ftp://example.org").is_err());
/// ```
///
/// # Errors
/// [`DownloadError::Mirror`] unless the address starts with `http://` or `https://` and a host.
pub fn check_mirror(mirror: &str) -> Result<(), DownloadError> {
    let rest = ["http://", "https://"].iter().find_map(|scheme| mirror.strip_prefix(scheme));
    match rest.and_then(|rest| rest.bytes().next()) {
        Some(b'/') | None => Err(DownloadError::Mirror { got: mirror.into() }),
        Some(_) => Ok(()),
    }
}

/// The state of a file in the folder.
enum State {
    Missing,
    Whole,
    Damaged,
}

fn state(dir: &Path, file: &PublishedFile) -> Result<State, DownloadError> {
    if !file.unpacked.is_empty() {
        // Only the size of unpacked files is known. Each got its name when it was complete.
        let sound =
            |&(path, bytes): &(&str, u64)| fs::metadata(dir.join(path)).is_ok_and(|meta| meta.len() == bytes);
        return Ok(if file.unpacked.iter().all(sound) { State::Whole } else { State::Missing });
    }
    let path = dir.join(file.name);
    let Ok(meta) = fs::metadata(&path) else { return Ok(State::Missing) };
    if meta.len() != file.bytes {
        return Ok(State::Damaged);
    }
    let sum = sha256(&path).map_err(DownloadError::read(&path))?;
    Ok(if sum == file.sha256 { State::Whole } else { State::Damaged })
}

/// Waits until no other process holds the lock. The system releases the lock with the file, even after
/// `kill -9`.
fn lock_file(path: &Path, listen: Listen) -> io::Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(path)?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            listen(DownloadEvent::Waiting);
            file.lock()?;
        }
        Err(TryLockError::Error(error)) => return Err(error),
        Ok(()) => {}
    }
    Ok(file)
}
