//! Loads the data of a configuration.

use std::path::{Path, PathBuf};

use onebit_bits::Engine;
use onebit_data as data;
use onebit_data::{
    DataFolder, Dataset, Gcn, Parts, PublishedSet, Whiten,
    source::{self, named, source_at},
};

use crate::{
    config::{Config, Preprocess},
    error::{Error, Result},
};

/// Loads the data of a configuration and splits it by its seed.
///
/// `path` takes precedence over `data.path` of the configuration, and both take precedence over
/// `data.source`. A path is a file, a folder, or the name of a [published](data::PUBLISHED) set, which is
/// searched in the [user's folder](DataFolder::of_user).
///
/// ```
/// use onebit_train::{config, experiment};
///
/// let parts = experiment::load(&config::preset("iris")?, None)?;
/// assert_eq!(parts.train.len(), 120);
/// assert_eq!(parts.test.map(|test| test.len()), Some(30));
/// # Ok::<(), onebit_train::Error>(())
/// ```
///
/// # Errors
/// [`Error::Data`] for a missing or invalid file, [`Error::Setting`] when a path or a target column is
/// missing.
pub fn load(config: &Config, path: Option<&Path>) -> Result<Parts> {
    let (rest, test) = open(config, path)?;
    let (rest, test) = match test {
        Some(test) => (rest, Some(test)),
        None if config.data.test == 0.0 => (rest, None),
        None => {
            let (rest, test) = rest.split(config.data.test, config.seed)?;
            (rest, Some(test))
        }
    };
    let (train, validation) = if config.data.validation == 0.0 {
        (rest, None)
    } else {
        let (train, validation) = rest.split(config.data.validation, config.seed.wrapping_add(1))?;
        (train, Some(validation))
    };
    let steps = &config.data.preprocess;
    let (mut train, mut validation, mut test) = (train, validation, test);
    if steps.is_empty() {
        return Ok(Parts::new(train, validation, test));
    }
    Dataset::refill(&mut train, [validation.as_mut(), test.as_mut()]);
    let (train, [validation, test]) = preprocess(steps, train, [validation, test])?;
    Ok(Parts { preprocessed: true, ..Parts::new(train, validation, test) })
}

/// Applies the steps of preprocessing in order to all parts; each step is fitted on the training part.
fn preprocess(
    steps: &[Preprocess],
    mut train: Dataset,
    mut others: [Option<Dataset>; 2],
) -> Result<(Dataset, [Option<Dataset>; 2])> {
    let engine = Engine::new(std::thread::available_parallelism().map_or(1, usize::from))?;
    let mut each = |train: &mut Dataset, act: &dyn Fn(&Dataset) -> Result<Dataset>| -> Result<()> {
        for part in std::iter::once(train).chain(others.iter_mut().flatten()) {
            *part = act(part)?;
        }
        Ok(())
    };
    for step in steps {
        match step {
            Preprocess::Gcn => each(&mut train, &|part| Ok(Gcn::default().apply(part)?))?,
            Preprocess::Zca => {
                let whiten = Whiten::fit(&engine, &train, WHITEN_EPS)?;
                each(&mut train, &|part| Ok(whiten.apply(&engine, part)?))?;
            }
        }
    }
    Ok((train, others))
}

/// Constant added to the eigenvalues before whitening divides by their square roots, as in pylearn2.
const WHITEN_EPS: f64 = 0.1;

/// Returns the published set to train on; `None` if the data are elsewhere.
pub fn published_set(config: &Config, path: Option<&Path>) -> Option<&'static PublishedSet> {
    match path.or(config.data.path.as_deref()) {
        Some(path) => named(path),
        None => data::published(&config.data.source),
    }
}

/// Returns the path of the data; `None` if they are built in. A published set is searched in `folder`, by
/// default in the user's folder.
///
/// # Errors
/// [`Error::Data`] if a published set is not found.
pub fn data_path(
    config: &Config,
    path: Option<&Path>,
    folder: Option<&DataFolder>,
) -> Result<Option<PathBuf>> {
    match published_set(config, path) {
        Some(set) => Ok(Some(source::place(set, folder)?)),
        None => Ok(path.or(config.data.path.as_deref()).map(Path::to_path_buf)),
    }
}

/// Reads the data, and their test part if they come with one.
fn open(config: &Config, path: Option<&Path>) -> Result<(Dataset, Option<Dataset>)> {
    if let Some(path) = data_path(config, path, None)? {
        return Ok(source_at(&path, &config.data.table_options())?.read(&path)?);
    }
    let source = config.data.source.as_str();
    if let Some(data) = data::builtin(source) {
        return Ok((data, None));
    }
    let expected = match source {
        "images" => "a folder with a folder of PNG or JPEG images for each class (--data DIR)",
        "numpy" => "an .npz archive or a folder of .npy files with x and y (--data PATH)",
        "table" => "a CSV, Parquet or Arrow file (--data FILE)",
        _ => {
            let sources = "iris, digits, mnist, fashion-mnist, cifar10, svhn, images, numpy or table";
            return Err(Error::setting("data.source", sources, source));
        }
    };
    Err(Error::setting("data", expected, "no path"))
}
