//! Where published sets lie once they are fetched: a folder with one folder a set.
//!
//! ```text
//! FOLDER/mnist/train-images-idx3-ubyte.gz ..    FOLDER/cifar10/cifar-10-batches-bin/data_batch_1.bin ..
//! ```
//!
//! The user's folder is what the environment variable `ONEBIT_DATA` names, or else `onebit` in the platform's place for what
//! can be fetched again: `~/.cache` (or `$XDG_CACHE_HOME`), on macOS `~/Library/Caches`, on Windows `%LOCALAPPDATA%`.

use std::{
    env,
    path::{Path, PathBuf},
};

use etcetera::{BaseStrategy, base_strategy::choose_native_strategy};

use crate::{error::DataError, published::catalogue::PublishedSet};

/// The environment variable that names the user's folder.
const VARIABLE: &str = "ONEBIT_DATA";

/// A folder with a folder for each published set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFolder(PathBuf);

impl DataFolder {
    /// The folder at this path, which need not be there.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The user's folder.
    ///
    /// # Errors
    /// [`DataError::NoHome`] if neither the variable is set nor a home folder known.
    pub fn of_user() -> Result<Self, DataError> {
        if let Some(named) = env::var_os(VARIABLE).filter(|named| !named.is_empty()) {
            return Ok(Self(named.into()));
        }
        let places = choose_native_strategy().map_err(|_| DataError::NoHome { variable: VARIABLE })?;
        Ok(Self(places.cache_dir().join("onebit")))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The place of a set, whether or not it is there.
    pub fn place(&self, set: &PublishedSet) -> PathBuf {
        self.0.join(set.name)
    }

    /// The place of a set of which every file is there, gzipped or not.
    ///
    /// # Errors
    /// [`DataError::NotFetched`] if a file is missing.
    pub fn find(&self, set: &PublishedSet) -> Result<PathBuf, DataError> {
        let place = self.place(set);
        let is_there = |path: &str| {
            let bare = path.strip_suffix(".gz").unwrap_or(path);
            place.join(bare).is_file() || place.join(format!("{bare}.gz")).is_file()
        };
        if !set.wanted().all(is_there) {
            return Err(DataError::NotFetched { set: set.name, dir: place.display().to_string() });
        }
        Ok(place)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::published::published;

    #[test]
    fn a_set_is_there_when_all_its_files_are() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::new(dir.path());
        let set = published("mnist").unwrap();
        let place = folder.place(set);
        let missing = format!("mnist is not in {}", place.display());
        assert_eq!(folder.find(set).unwrap_err().to_string(), missing);
        fs::create_dir(&place).unwrap();
        for name in set.wanted() {
            assert_eq!(folder.find(set).unwrap_err().to_string(), missing);
            // unpacked ones count as well
            let name = if name.starts_with("t10k") { name.trim_end_matches(".gz") } else { name };
            fs::write(place.join(name), b"").unwrap();
        }
        assert_eq!(folder.find(set).unwrap(), place);
    }
}
