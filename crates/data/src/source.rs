//! Labelled data that are open: their kind is known, their samples are not read yet.
//!
//! | at the path | data |
//! |---|---|
//! | a folder with `train_32x32.mat` | SVHN |
//! | a folder with `data_batch_1.bin`, or with the folder `cifar-10-batches-bin` | CIFAR-10 |
//! | a folder with `.npy` files, or an `.npz` archive | NumPy arrays |
//! | a folder with idx files | MNIST and its look-alikes |
//! | a folder with folders | PNG and JPEG images, a folder for each class |
//! | any other file | a table: CSV, Parquet or Arrow IPC; one of its columns is the class |

use std::{
    fs,
    path::{Path, PathBuf},
};

use onebit_model::Columns;

use crate::{
    arrays::read_numpy,
    dataset::Dataset,
    error::DataError,
    files::Subset,
    images::{read_cifar10_folder, read_idx_folder, read_image_folder, read_svhn_folder},
    published::builtin,
    tables::{TableFile, TableOptions, UnknownCategory, evaluate, guess_target, learn},
};

/// Labelled data that are open, from [`Location::open`](crate::Location::open).
pub struct Source(Kind);

enum Kind {
    Builtin(&'static str),
    /// A folder or an archive, and its reader.
    Files(PathBuf, Files),
    Table(PathBuf, TableFile, TableOptions),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Files {
    Cifar10,
    Svhn,
    Idx,
    NumPy,
    Images,
}

impl Source {
    /// A built-in set.
    pub(crate) fn builtin(name: &'static str) -> Self {
        Self(Kind::Builtin(name))
    }

    /// A file or folder. A table without a target column gets the guessed one.
    pub(crate) fn open(path: PathBuf, table: &TableOptions) -> Result<Self, DataError> {
        if path.is_dir() {
            let files = kind_of_folder(&path)?;
            return Ok(Self(Kind::Files(path, files)));
        }
        if path.extension().is_some_and(|extension| extension == "npz") {
            return Ok(Self(Kind::Files(path, Files::NumPy)));
        }
        let file = TableFile::open(&path)?;
        let mut options = table.clone();
        if options.target.is_empty() {
            options.target = guess_target(&file)?;
        }
        Ok(Self(Kind::Table(path, file, options)))
    }

    /// The path of the data; `None` for a built-in set.
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Builtin(_) => None,
            Kind::Files(path, _) | Kind::Table(path, ..) => Some(path),
        }
    }

    /// The target column of a table, given or guessed; `None` for other data.
    pub fn target(&self) -> Option<&str> {
        match &self.0 {
            Kind::Table(.., options) => Some(&options.target),
            Kind::Builtin(_) | Kind::Files(..) => None,
        }
    }

    /// Reads the training data and, if they are separate, the test data.
    ///
    /// # Errors
    /// Returns the errors of the readers.
    pub fn read(self) -> Result<(Dataset, Option<Dataset>), DataError> {
        let both = |read: fn(&Path, Subset) -> Result<Dataset, DataError>, path: &Path| {
            Ok((read(path, Subset::Train)?, Some(read(path, Subset::Test)?)))
        };
        match self.0 {
            Kind::Builtin(name) => Ok((builtin(name).expect("a location has only known names"), None)),
            Kind::Files(path, Files::Cifar10) => both(|path, part| read_cifar10_folder(path, part), &path),
            Kind::Files(path, Files::Svhn) => both(|path, part| read_svhn_folder(path, part), &path),
            Kind::Files(path, Files::Idx) => both(|path, part| read_idx_folder(path, part), &path),
            Kind::Files(path, Files::NumPy) => read_numpy(path),
            Kind::Files(path, Files::Images) => read_image_folder(path),
            Kind::Table(_, file, options) => Ok((learn(&mut *file.into_rows()?, &options)?, None)),
        }
    }

    /// Reads the test data if they are separate, otherwise all data.
    ///
    /// # Errors
    /// Returns the errors of the readers.
    pub fn read_test(self) -> Result<Dataset, DataError> {
        match self.0 {
            Kind::Files(path, Files::Cifar10) => read_cifar10_folder(path, Subset::Test),
            Kind::Files(path, Files::Svhn) => read_svhn_folder(path, Subset::Test),
            Kind::Files(path, Files::Idx) => read_idx_folder(path, Subset::Test),
            other => {
                let (all, test) = Self(other).read()?;
                Ok(test.unwrap_or(all))
            }
        }
    }

    /// Reads the test data, or all, to evaluate a model with these classes and columns, and returns the
    /// categories that the model does not know. A table is read as by
    /// [`read_table_with_labels`](crate::read_table_with_labels); the classes and features of other data are
    /// their own.
    ///
    /// # Errors
    /// Returns the errors of the readers.
    pub fn read_for_model(
        self,
        label_names: &[String],
        columns: &Columns,
    ) -> Result<(Dataset, Vec<UnknownCategory>), DataError> {
        match self.0 {
            Kind::Table(_, file, options) => {
                evaluate(&mut *file.into_rows()?, &options.target, label_names, columns)
            }
            other => Ok((Self(other).read_test()?, Vec::new())),
        }
    }
}

/// The kind of data in a folder. An unknown folder is taken for one of idx files, whose reader says what is
/// missing.
fn kind_of_folder(path: &Path) -> Result<Files, DataError> {
    let failed = |reason| DataError::Open { file: path.display().to_string(), reason };
    let (mut numpy, mut idx, mut folders) = (false, false, false);
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("data_batch_1.bin") || name == "cifar-10-batches-bin" {
            return Ok(Files::Cifar10);
        }
        if name == "train_32x32.mat" {
            return Ok(Files::Svhn);
        }
        numpy |= name.ends_with(".npy");
        idx |= name.contains("idx") && name.contains("ubyte");
        folders |= entry.path().is_dir();
    }
    Ok(match (idx, numpy, folders) {
        (false, true, _) => Files::NumPy,
        (false, false, true) => Files::Images,
        _ => Files::Idx,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_known_by_its_contents() {
        let kind = |names: &[&str]| {
            let dir = tempfile::tempdir().unwrap();
            for name in names {
                match name.strip_suffix('/') {
                    Some(folder) => fs::create_dir(dir.path().join(folder)).unwrap(),
                    None => fs::write(dir.path().join(name), b"").unwrap(),
                }
            }
            kind_of_folder(dir.path()).unwrap()
        };
        assert_eq!(kind(&["data_batch_1.bin.gz", "x.npy"]), Files::Cifar10);
        assert_eq!(kind(&["cifar-10-batches-bin/"]), Files::Cifar10);
        assert_eq!(kind(&["train_32x32.mat", "test_32x32.mat", "old/"]), Files::Svhn);
        assert_eq!(kind(&["x.npy", "y.npy", "old/"]), Files::NumPy);
        assert_eq!(kind(&["train-images-idx3-ubyte.gz", "old/"]), Files::Idx);
        assert_eq!(kind(&["cats/", "dogs/", "README"]), Files::Images);
        assert_eq!(kind(&[]), Files::Idx);
    }

    /// The target is guessed from rows that are then read again, from the same open file.
    #[test]
    fn a_table_is_opened_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("boxes.csv");
        fs::write(&path, "width,height,kind\n1,2,flat\n3,1,wide\n").unwrap();
        let source = Source::open(path.clone(), &TableOptions::default()).unwrap();
        assert_eq!((source.target(), source.path()), (Some("kind"), Some(&*path)));
        fs::remove_file(&path).unwrap();
        let (data, test) = source.read().unwrap();
        assert_eq!((data.len(), data.features(), test), (2, 2, None));
    }
}
