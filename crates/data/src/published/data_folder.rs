//! The folder of downloaded sets, with one sub-folder per set.
//!
//! ```text
//! FOLDER/mnist/train-images-idx3-ubyte.gz ..    FOLDER/cifar10/cifar-10-batches-bin/data_batch_1.bin ..
//! ```
//!
//! The user's folder is the value of the environment variable `ONEBIT_DATA`. Without it, the folder is
//! `onebit` in the platform's cache folder: `~/.cache` (or `$XDG_CACHE_HOME`), on macOS `~/Library/Caches`,
//! on Windows `%LOCALAPPDATA%`.

use std::{
    env,
    path::{Path, PathBuf},
};

use etcetera::{BaseStrategy, base_strategy::choose_native_strategy};

use crate::{error::DataError, published::catalogue::PublishedSet};

/// The environment variable that names the user's folder.
const VARIABLE: &str = "ONEBIT_DATA";

/// A folder with one sub-folder for each published set.
///
/// ```
/// use onebit_data::{DataFolder, published};
///
/// let mnist = published("mnist").expect("it is in the catalogue");
/// let folder = DataFolder::new("/data");
/// assert_eq!(folder.place(mnist), std::path::Path::new("/data/mnist"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFolder(PathBuf);

impl DataFolder {
    /// The folder at this path, which need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The user's folder.
    ///
    /// # Errors
    /// [`DataError::NoHome`] if the variable is not set and the user has no home folder.
    pub fn of_user() -> Result<Self, DataError> {
        if let Some(named) = env::var_os(VARIABLE).filter(|named| !named.is_empty()) {
            return Ok(Self(named.into()));
        }
        let places = choose_native_strategy().map_err(|_| DataError::NoHome { variable: VARIABLE })?;
        Ok(Self(places.cache_dir().join("onebit")))
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of a set's sub-folder, which need not exist.
    pub fn place(&self, set: &PublishedSet) -> PathBuf {
        self.0.join(set.name)
    }

    /// The path of a set's sub-folder, if every file of the set exists there, gzipped or not.
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
            // unpacked files count, too
            let name = if name.starts_with("t10k") { name.trim_end_matches(".gz") } else { name };
            fs::write(place.join(name), b"").unwrap();
        }
        assert_eq!(folder.find(set).unwrap(), place);
    }
}
