//! From a configuration to a trained network: load, split, build, train.

use std::{fs::File, path::Path};

use onebit_bits::Engine;

use crate::{
    checkpoint::Checkpoints,
    config::{Config, LossName, Method},
    data::{self, DataError, Dataset, Part},
    error::{Error, Result},
    losses::{Loss, SoftmaxCrossEntropy, SquaredHinge},
    network::Network,
    report::{Event, Outcome},
    trainer::{Parts, Trainer},
};

/// Loads the data of a configuration and splits it by its seed.
///
/// `path`, or else the configuration's own, stands before its source: a folder of idx files, a CSV file, or the name of a
/// built-in set.
///
/// # Errors
/// [`Error::Data`] for what is wrong with the files, [`Error::Setting`] when a path or a target column is
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
    Ok(Parts::new(train, validation, test))
}

/// The data and, when it comes with one, its test part.
fn open(config: &Config, path: Option<&Path>) -> Result<(Dataset, Option<Dataset>)> {
    let source = config.data.source.as_str();
    let Some(path) = path.or(config.data.path.as_deref()) else {
        return match data::builtin(source) {
            Some(data) => Ok((data, None)),
            None if source == "cifar10" => Err(Error::setting(
                "data",
                "a folder with data_batch_1.bin to data_batch_5.bin and test_batch.bin (--data DIR)",
                "no path",
            )),
            None if source == "mnist" => Err(Error::setting(
                "data",
                "a folder with train-images-idx3-ubyte[.gz] and its three sisters (--data DIR)",
                "no path",
            )),
            None if source == "table" => Err(Error::setting("data", "a CSV file (--data FILE)", "no path")),
            None => Err(Error::setting("data.source", "iris, digits, mnist, cifar10 or table", source)),
        };
    };
    match source_at(path, config.data.target.as_deref())? {
        Source::Builtin(data) => Ok((data, None)),
        Source::Images if source == "cifar10" => {
            let train = data::read_cifar10_folder(path, Part::Train)?;
            Ok((train, Some(data::read_cifar10_folder(path, Part::Test)?)))
        }
        Source::Images => {
            let train = data::read_idx_folder(path, Part::Train)?;
            Ok((train, Some(data::read_idx_folder(path, Part::Test)?)))
        }
        Source::Table(target) => Ok((data::read_table(path, target)?, None)),
    }
}

/// What a path to labelled data leads to.
pub enum Source<'a> {
    /// No file, but the name of a built-in set.
    Builtin(Dataset),
    /// A folder of idx files.
    Images,
    /// A CSV file, with the column that holds the class.
    Table(&'a str),
}

/// Finds out what a path leads to; a CSV file needs a target column.
///
/// # Errors
/// [`Error::Data`] when there is nothing to read, [`Error::Setting`] for a file without a target.
pub fn source_at<'a>(path: &Path, target: Option<&'a str>) -> Result<Source<'a>> {
    if let Some(data) = path.to_str().and_then(data::builtin)
        && !path.exists()
    {
        return Ok(Source::Builtin(data));
    }
    if path.is_dir() {
        return Ok(Source::Images);
    }
    if let Some(target) = target {
        return Ok(Source::Table(target));
    }
    File::open(path).map_err(|reason| DataError::Open { file: path.display().to_string(), reason })?;
    Err(Error::setting("target", "the column with the class (--target COLUMN)", "none"))
}

/// Builds the network of a configuration for data with these features and classes.
///
/// # Errors
/// [`Error::Setting`] for what cannot be built.
pub fn network(config: &Config, data: &Dataset) -> Result<Network> {
    let (features, classes) = (data.features(), data.classes());
    let hidden = &config.network.hidden;
    match config.method {
        Method::Flip => Network::flip_with(features, hidden, classes, &config.flip_options()?, config.seed),
        Method::StraightThrough => {
            let options = config.straight_through_options(data.image());
            Network::straight_through_with(features, hidden, classes, &options, config.seed)
        }
    }
}

/// Trains the network of a configuration and tells `listen` how it goes.
///
/// # Errors
/// As [`Trainer::fit`].
pub fn run(config: &Config, parts: &Parts, engine: &Engine, listen: impl FnMut(Event)) -> Result<Outcome> {
    run_with(config, parts, engine, &mut Checkpoints::none(), listen)
}

/// [`run`] with checkpoints.
///
/// # Errors
/// As [`Trainer::fit_with`].
pub fn run_with(
    config: &Config,
    parts: &Parts,
    engine: &Engine,
    checkpoints: &mut Checkpoints,
    listen: impl FnMut(Event),
) -> Result<Outcome> {
    let mut net = network(config, &parts.train)?;
    trainer(config)?.fit_with(&mut net, parts, engine, checkpoints, listen)
}

/// The trainer of a configuration.
///
/// # Errors
/// [`Error::Setting`] for a phase that cannot be run.
pub fn trainer(config: &Config) -> Result<Trainer> {
    let loss: Box<dyn Loss> = match config.training.loss {
        LossName::SoftmaxCrossEntropy => Box::new(SoftmaxCrossEntropy),
        LossName::SquaredHinge => {
            Box::new(config.training.margin.map_or(Ok(SquaredHinge::default()), SquaredHinge::with_margin)?)
        }
    };
    let (order, phases, keep) = (config.order(), config.phases()?, config.training.keep);
    let augment = config.data.augment;
    Ok(Trainer { order, loss, lessons: None, phases, keep, augment, seed: config.seed })
}
