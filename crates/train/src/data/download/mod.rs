//! Fetches [published sets](super::PUBLISHED) from their mirrors; behind the feature `download`.
//!
//! ```text
//! FOLDER/mnist/NAME.part   what has come so far; a later call asks for the rest (HTTP Range)
//! FOLDER/mnist/NAME        whole: size and SHA-256 are the published ones
//! FOLDER/.mnist.lock       held while a process fetches the set; another one waits
//! ```
//!
//! A file is renamed to its name only when its SHA-256 is right, so whoever finds it finds it whole, and a mirror, or
//! whoever sits between, can withhold a file but not change it. No more is written than the published size. A mirror that
//! fails is asked again after a pause, if that can help, and then the next one is.
//!
//! ```no_run
//! use onebit_train::data::{DataFolder, download::Downloader, published};
//!
//! let mnist = published("mnist").expect("it is in the list");
//! let dir = Downloader::default().get(mnist, &DataFolder::of_user()?, &mut |event| println!("{event:?}"))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod fetch;
mod unpack;

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use sha2::{Digest, Sha256};

pub use error::{DownloadError, Tried};

use self::fetch::Fetch;
use super::{
    data_folder::DataFolder,
    published::{PublishedFile, PublishedSet},
};

/// How to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloader {
    /// Addresses that are asked before the published ones, for `ADDRESS/SET/FILE` and for `ADDRESS/FILE`.
    pub mirrors: Vec<String>,
    /// How long a connection may take to come about, the search for the address and TLS included.
    pub connect_timeout: Duration,
    /// How long a server may be silent.
    pub read_timeout: Duration,
    /// How often a mirror is asked for the same file, at least once.
    pub attempts: u32,
    /// How long to wait before the second time; twice as long before each further one.
    pub pause: Duration,
    /// Whether the environment may name a proxy: the first of `ALL_PROXY`, `HTTPS_PROXY` and `HTTP_PROXY`, for all but `NO_PROXY`.
    /// It has to know `CONNECT`.
    pub proxy: bool,
}

impl Default for Downloader {
    fn default() -> Self {
        Self {
            mirrors: Vec::new(),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            attempts: 4,
            pause: Duration::from_millis(500),
            proxy: true,
        }
    }
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DownloadEvent<'a> {
    /// Another process fetches the same set; this one goes on when that one ends.
    Waiting,
    /// A file is there and whole.
    There {
        /// Its name.
        file: &'a str,
    },
    /// A file is there but is not the published one; that one takes its place once it has come.
    Damaged {
        /// Its name.
        file: &'a str,
    },
    /// A server answers with a file, or with the rest of it.
    Begins {
        /// Its name.
        file: &'a str,
        /// Its address.
        url: &'a str,
        /// Bytes that are there already.
        from: u64,
        /// Bytes of the file.
        bytes: u64,
    },
    /// Some of a file has come.
    Progress {
        /// Its name.
        file: &'a str,
        /// Bytes that are there.
        done: u64,
        /// Bytes of the file.
        bytes: u64,
    },
    /// An address failed.
    Failed {
        /// The file that was asked for.
        file: &'a str,
        /// The address.
        url: &'a str,
        /// What failed.
        reason: &'a str,
        /// How long until the address is asked again; none if it is not.
        again: Option<Duration>,
    },
    /// A file has come, and is whole.
    Fetched {
        /// Its name.
        file: &'a str,
        /// Bytes of the file.
        bytes: u64,
    },
    /// A file was taken out of an archive.
    Unpacked {
        /// Its path, below the folder of the set.
        path: &'a str,
    },
}

/// Who is told how far it is.
pub type Listen<'a> = &'a mut dyn FnMut(DownloadEvent);

impl Downloader {
    /// Fetches what is missing of a set, and returns the folder where it lies.
    ///
    /// # Errors
    /// [`DownloadError::Mirror`] for an address that is none, [`DownloadError::Mirrors`] when no mirror has a file,
    /// [`DownloadError::Write`], [`DownloadError::Archive`]. What has come of a file stays for the next call, unless it is wrong.
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
            let _ = fs::remove_dir(&dir); // if nothing is in it
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
                unpack::unpack(&part, file, dir, listen)?;
                fs::remove_file(&part).map_err(DownloadError::write(&part))?;
            }
        }
        Ok(())
    }

    /// Where a file may be, the first to be asked first.
    fn addresses(&self, set: &PublishedSet, file: &PublishedFile) -> Vec<String> {
        let own = self.mirrors.iter().map(|mirror| mirror.trim_end_matches('/'));
        let own = own.flat_map(|mirror| {
            [format!("{mirror}/{}/{}", set.name, file.name), format!("{mirror}/{}", file.name)]
        });
        own.chain(set.mirrors.iter().map(|mirror| format!("{mirror}{}", file.name))).collect()
    }
}

/// Whether this can be the address of a mirror.
///
/// # Errors
/// [`DownloadError::Mirror`].
pub fn check_mirror(mirror: &str) -> Result<(), DownloadError> {
    let rest = ["http://", "https://"].iter().find_map(|scheme| mirror.strip_prefix(scheme));
    match rest.and_then(|rest| rest.bytes().next()) {
        Some(b'/') | None => Err(DownloadError::Mirror { got: mirror.into() }),
        Some(_) => Ok(()),
    }
}

/// What there is of a file.
enum State {
    Missing,
    Whole,
    Damaged,
}

fn state(dir: &Path, file: &PublishedFile) -> Result<State, DownloadError> {
    if !file.unpacked.is_empty() {
        // Of these only the size is known; each was renamed when it was whole.
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

/// `NAME.END`, beside `NAME`.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".");
    name.push(end);
    path.with_file_name(name)
}

/// Waits until no other process holds this lock. It ends with the file, even after `kill -9`.
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

/// The SHA-256 of a file in hexadecimal digits.
fn sha256(path: &Path) -> io::Result<String> {
    let mut hasher = Hasher(Sha256::new());
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(hasher.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

struct Hasher(Sha256);

impl io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
