//! The data of a configuration: where they are, and their split into parts.

use std::path::Path;

use onebit_bits::Engine;
use onebit_data::{Dataset, Gcn, Location, Split, Whiten};

use crate::{
    config::{Config, Preprocess},
    error::{Error, Result},
};

/// Added to the eigenvalues before whitening divides by their roots, as in pylearn2.
const WHITEN_EPS: f64 = 0.1;

/// Loads the data of a configuration and splits them by its seed.
///
/// ```
/// use onebit_train::{config, experiment};
///
/// let split = experiment::load(&config::preset("iris")?, None)?;
/// assert_eq!(split.train.len(), 120);
/// assert_eq!(split.test.map(|test| test.len()), Some(30));
/// # Ok::<(), onebit_train::Error>(())
/// ```
///
/// `path` may be a file, a folder, or the name of a built-in or [published](onebit_data::PUBLISHED) set; see
/// [`location`]. Published sets are looked for in the [user's folder](onebit_data::DataFolder::of_user).
///
/// # Errors
/// Returns the errors of [`location`], [`Location::open`], [`Source::read`](onebit_data::Source::read) and
/// [`split`].
pub fn load(config: &Config, path: Option<&Path>) -> Result<Split> {
    let source = location(config, path)?.open(None, &config.data.table_options())?;
    split(config, source.read()?)
}

/// The location of the data of a configuration: that of `path`, otherwise that of the configuration's own
/// path, otherwise the built-in or published set that is its source.
///
/// # Errors
/// [`Error::NoData`] if the source needs a path and there is none, [`Error::Setting`] for an unknown source.
pub fn location(config: &Config, path: Option<&Path>) -> Result<Location> {
    if let Some(path) = path.or(config.data.path.as_deref()) {
        return Ok(Location::of(path));
    }
    let source = config.data.source.as_str();
    if let Some(location) = Location::named(source) {
        return Ok(location);
    }
    Err(match source {
        "images" => Error::NoData { expected: "a folder with a folder of PNG or JPEG images for each class" },
        "numpy" => Error::NoData { expected: "an .npz archive or a folder of .npy files with x and y" },
        "table" => Error::NoData { expected: "a CSV, Parquet or Arrow file" },
        _ => {
            let sources = "iris, digits, mnist, fashion-mnist, cifar10, svhn, images, numpy or table";
            Error::setting("data.source", sources, source)
        }
    })
}

/// Splits data, and their test part if it is separate, into the parts of a configuration by its seed, and
/// preprocesses them.
///
/// # Errors
/// [`Error::Data`] if a part would be empty, or if a step of preprocessing fails.
pub fn split(config: &Config, (data, test): (Dataset, Option<Dataset>)) -> Result<Split> {
    let (rest, test) = match test {
        Some(test) => (data, Some(test)),
        None if config.data.test == 0.0 => (data, None),
        None => {
            let (rest, test) = data.split(config.data.test, config.seed)?;
            (rest, Some(test))
        }
    };
    let (mut train, mut validation) = if config.data.validation == 0.0 {
        (rest, None)
    } else {
        let (train, validation) = rest.split(config.data.validation, config.seed.wrapping_add(1))?;
        (train, Some(validation))
    };
    let mut test = test;
    let steps = &config.data.preprocess;
    if steps.is_empty() {
        return Ok(Split::new(train, validation, test));
    }
    Dataset::refill(&mut train, [validation.as_mut(), test.as_mut()]);
    let (train, [validation, test]) = preprocess(steps, train, [validation, test])?;
    Ok(Split { preprocessed: true, ..Split::new(train, validation, test) })
}

/// Applies the steps of preprocessing to all parts, in order; they are fitted to the training part.
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
