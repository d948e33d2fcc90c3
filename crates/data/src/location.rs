//! Where labelled data lie.
//!
//! [`Location::of`] decides what a path or a name means, and [`Location::open`] finds out what is there.
//!
//! ```
//! use onebit_data::{Location, TableOptions};
//!
//! let iris = Location::of("iris"); // there is no file of that name
//! assert_eq!(iris, Location::Builtin("iris"));
//! let (data, test) = iris.open(None, &TableOptions::default())?.read()?;
//! assert_eq!((data.len(), test), (150, None));
//! # Ok::<(), onebit_data::DataError>(())
//! ```

use std::path::{Path, PathBuf};

use crate::{
    error::DataError,
    published::{BUILTIN, DataFolder, PublishedSet, published},
    source::Source,
    tables::TableOptions,
};

/// Where labelled data lie.
#[derive(Clone, Debug, PartialEq)]
pub enum Location {
    /// The [built-in](BUILTIN) set of this name.
    Builtin(&'static str),
    /// A published set, which lies in a [`DataFolder`] once it is downloaded.
    Published(&'static PublishedSet),
    /// A file or folder.
    Path(PathBuf),
}

impl Location {
    /// The location that a path or a name means: the file or folder if it exists, otherwise the set of that
    /// name, otherwise the path.
    pub fn of(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let name = path.to_str().filter(|_| !path.exists());
        name.and_then(Self::named).unwrap_or_else(|| Self::Path(path.to_path_buf()))
    }

    /// The built-in or published set of this name.
    pub fn named(name: &str) -> Option<Self> {
        let builtin = BUILTIN.iter().find(|(known, _)| *known == name);
        builtin.map(|(name, _)| Self::Builtin(name)).or_else(|| published(name).map(Self::Published))
    }

    /// Opens the data and finds out what they are.
    ///
    /// A published set is looked for in `folder`, or without one in the [user's folder](DataFolder::of_user).
    /// `table` says how to read a table; if it names no target column, that is
    /// [guessed](crate::default_target).
    ///
    /// # Errors
    /// [`DataError::NotFetched`] for a published set that is not there, [`DataError::NoHome`] if the user has
    /// no folder, [`DataError::Open`] and [`DataError::Read`] for files; for a table without a target column,
    /// [`TableError::NoTarget`](crate::TableError::NoTarget) and
    /// [`TableError::StreamTarget`](crate::TableError::StreamTarget).
    pub fn open(&self, folder: Option<&DataFolder>, table: &TableOptions) -> Result<Source, DataError> {
        let path = match (self, folder) {
            (Self::Builtin(name), _) => return Ok(Source::builtin(name)),
            (Self::Published(set), Some(folder)) => folder.find(set)?,
            (Self::Published(set), None) => DataFolder::of_user()?.find(set)?,
            (Self::Path(path), _) => path.clone(),
        };
        Source::open(path, table)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn an_existing_path_comes_before_a_name() {
        let dir = tempfile::tempdir().unwrap();
        let digits = dir.path().join("digits");
        assert_eq!(Location::of("digits"), Location::Builtin("digits"));
        assert!(matches!(Location::of("svhn"), Location::Published(set) if set.name == "svhn"));
        assert_eq!(Location::of("no/such/file"), Location::Path("no/such/file".into()));
        fs::create_dir(&digits).unwrap();
        assert_eq!(Location::of(&digits), Location::Path(digits));
    }

    #[test]
    fn a_published_set_lies_in_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::new(dir.path());
        let open = || Location::of("svhn").open(Some(&folder), &TableOptions::default());
        assert!(matches!(open(), Err(DataError::NotFetched { set: "svhn", .. })));
        let place = dir.path().join("svhn");
        fs::create_dir(&place).unwrap();
        for name in ["train_32x32.mat", "test_32x32.mat"] {
            fs::write(place.join(name), b"").unwrap();
        }
        assert_eq!(open().unwrap().path(), Some(&*place));
    }
}
