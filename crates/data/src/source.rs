//! What a path to labelled data leads to.
//!
//! | path | data |
//! |---|---|
//! | `iris`, `digits` | built in, if there is no file of that name |
//! | a folder with `train_32x32.mat` | SVHN |
//! | a folder with `data_batch_1.bin`, or with the folder `cifar-10-batches-bin` | CIFAR-10 |
//! | a folder with `.npy` files, or an `.npz` archive | NumPy arrays |
//! | a folder with idx files | MNIST and its look-alikes |
//! | a folder with folders | PNG and JPEG images, a folder for each class |
//! | any other file | a table: CSV, Parquet or Arrow IPC; one of its columns is the class |
//!
//! The name of a [published set](crate::PUBLISHED) that is no path stands for the folder where it lies: see [`locate`].

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate as data;
use crate::{DataFolder, Dataset, PublishedSet, Subset, TableOptions, error::DataError};

/// Labelled data of some kind.
pub enum Source {
    /// No file, but the name of a built-in set.
    Builtin(Dataset),
    /// CIFAR-10 in its binary version.
    Cifar10,
    /// SVHN's cropped digits, as MATLAB's arrays.
    Svhn,
    /// A folder of idx files.
    Idx,
    /// A folder of `.npy` files or an `.npz` archive.
    NumPy,
    /// A folder of images for each class.
    ImageFolder,
    /// A table, with the column that holds the class.
    Table(TableOptions),
}

/// The published set of this name, if there is no file or folder that is called so.
pub fn named(path: &Path) -> Option<&'static PublishedSet> {
    path.to_str().and_then(data::published).filter(|_| !path.exists())
}

/// The path itself; of the name of a published set, where it lies in this folder, or else in the user's.
///
/// # Errors
/// [`DataError::Data`] if the set is not there.
pub fn locate(path: &Path, folder: Option<&DataFolder>) -> Result<PathBuf, DataError> {
    match named(path) {
        Some(set) => place(set, folder),
        None => Ok(path.to_path_buf()),
    }
}

/// Where a published set lies.
pub fn place(set: &PublishedSet, folder: Option<&DataFolder>) -> Result<PathBuf, DataError> {
    Ok(match folder {
        Some(folder) => folder.find(set)?,
        None => DataFolder::of_user()?.find(set)?,
    })
}

/// Finds out what a path leads to. Without a target in `table`, that of a table is [found](data::default_target).
///
/// # Errors
/// [`DataError::Data`] when there is nothing to read or no target is found, [`DataError::Setting`] for a stream without a target.
pub fn source_at(path: &Path, table: &TableOptions) -> Result<Source, DataError> {
    if let Some(data) = path.to_str().and_then(data::builtin)
        && !path.exists()
    {
        return Ok(Source::Builtin(data));
    }
    if path.is_dir() {
        return folder(path);
    }
    if path.extension().is_some_and(|extension| extension == "npz") {
        return Ok(Source::NumPy);
    }
    let mut table = table.clone();
    if table.target.is_empty() {
        let file = path.display().to_string();
        let found = fs::metadata(path).map_err(|reason| DataError::Open { file, reason })?;
        if !found.is_file() {
            // it can be read only once
            return Err(DataError::setting("target", "the column with the class (--target COLUMN)", "none"));
        }
        table.target = data::default_target(path)?;
    }
    Ok(Source::Table(table))
}

/// By what lies in it; a folder with nothing that is known is taken for one of idx files, whose reader says what is missing.
fn folder(path: &Path) -> Result<Source, DataError> {
    let failed = |reason| DataError::Open { file: path.display().to_string(), reason };
    let (mut numpy, mut idx, mut folders) = (false, false, false);
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("data_batch_1.bin") || name == "cifar-10-batches-bin" {
            return Ok(Source::Cifar10);
        }
        if name == "train_32x32.mat" {
            return Ok(Source::Svhn);
        }
        numpy |= name.ends_with(".npy");
        idx |= name.contains("idx") && name.contains("ubyte");
        folders |= entry.path().is_dir();
    }
    Ok(match (idx, numpy, folders) {
        (false, true, _) => Source::NumPy,
        (false, false, true) => Source::ImageFolder,
        _ => Source::Idx,
    })
}

impl Source {
    /// Reads what lies at `path`: all of it, or what is to be learned from and the test part.
    ///
    /// # Errors
    /// [`DataError::Data`] of the readers.
    pub fn read(self, path: &Path) -> Result<(Dataset, Option<Dataset>), DataError> {
        Ok(match self {
            Self::Builtin(data) => (data, None),
            Self::Cifar10 => (
                data::read_cifar10_folder(path, Subset::Train)?,
                Some(data::read_cifar10_folder(path, Subset::Test)?),
            ),
            Self::Svhn => (
                data::read_svhn_folder(path, Subset::Train)?,
                Some(data::read_svhn_folder(path, Subset::Test)?),
            ),
            Self::Idx => (
                data::read_idx_folder(path, Subset::Train)?,
                Some(data::read_idx_folder(path, Subset::Test)?),
            ),
            Self::NumPy => data::read_numpy(path)?,
            Self::ImageFolder => data::read_image_folder(path)?,
            Self::Table(options) => (data::read_table_with(path, &options)?, None),
        })
    }

    /// Reads the test part of what lies at `path`, or all of it if it has none.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_test(self, path: &Path) -> Result<Dataset, DataError> {
        Ok(match self {
            Self::Cifar10 => data::read_cifar10_folder(path, Subset::Test)?,
            Self::Svhn => data::read_svhn_folder(path, Subset::Test)?,
            Self::Idx => data::read_idx_folder(path, Subset::Test)?,
            other => {
                let (all, test) = other.read(path)?;
                test.unwrap_or(all)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_known_by_what_lies_in_them() {
        let kind = |names: &[&str]| {
            let dir = tempfile::tempdir().unwrap();
            for name in names {
                match name.strip_suffix('/') {
                    Some(folder) => fs::create_dir(dir.path().join(folder)).unwrap(),
                    None => fs::write(dir.path().join(name), b"").unwrap(),
                }
            }
            match source_at(dir.path(), &TableOptions::default()).unwrap() {
                Source::Cifar10 => "cifar10",
                Source::Svhn => "svhn",
                Source::NumPy => "numpy",
                Source::Idx => "idx",
                Source::ImageFolder => "images",
                Source::Builtin(_) | Source::Table(_) => "other",
            }
        };
        assert_eq!(kind(&["data_batch_1.bin.gz", "x.npy"]), "cifar10");
        assert_eq!(kind(&["cifar-10-batches-bin/"]), "cifar10");
        assert_eq!(kind(&["train_32x32.mat", "test_32x32.mat", "old/"]), "svhn");
        assert_eq!(kind(&["x.npy", "y.npy", "old/"]), "numpy");
        assert_eq!(kind(&["train-images-idx3-ubyte.gz", "old/"]), "idx");
        assert_eq!(kind(&["cats/", "dogs/", "README"]), "images");
        assert_eq!(kind(&[]), "idx");
    }

    #[test]
    fn a_name_stands_for_the_folder_where_the_set_lies() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::new(dir.path());
        let at = |path: &str| locate(Path::new(path), Some(&folder)).map_err(|error| error.to_string());
        assert_eq!(at("no/such/file"), Ok("no/such/file".into()));
        assert!(at("svhn").unwrap_err().contains("fetch it by `onebit data get svhn`"));
        let place = dir.path().join("svhn");
        fs::create_dir(&place).unwrap();
        for name in ["train_32x32.mat", "test_32x32.mat"] {
            fs::write(place.join(name), b"").unwrap();
        }
        assert_eq!(at("svhn"), Ok(place.clone()));
        assert_eq!(at(place.to_str().unwrap()), Ok(place));
    }
}
