//! From a configuration to a trained network: load, split, build, train.

use std::path::{Path, PathBuf};

use onebit_bits::Engine;
use onebit_data as data;
use onebit_data::{DataFolder, Dataset, Gcn, PublishedSet, Split, Whiten, quantiles, source};
use onebit_model::Model;

use crate::{
    config::{Config, LossName, Method, Preprocess, TrainingConfig},
    error::{Error, Result},
    losses::{Distillation, IntegerSoftmax, Loss, SoftmaxCrossEntropy, SquaredHinge},
    network::{Network, straight_through::of_each_feature},
    numeric::matrix::Matrix,
    training::{
        Event, Hearing, Listener, Outcome, Trainer,
        checkpoint::Checkpoints,
        teacher::{Deployed, Lessons},
    },
};

pub mod bench;
pub mod record;
pub mod tune;

pub use onebit_data::source::{Source, locate, named, source_at};

/// Loads the data of a configuration and splits it by its seed.
///
/// `path`, or else the configuration's own, stands before its source: a folder of idx files, a CSV file, or the name of a
/// built-in or [published](data::PUBLISHED) set. The last are looked for in the [user's folder](DataFolder::of_user).
///
/// # Errors
/// [`Error::Data`] for what is wrong with the files, [`Error::Setting`] when a path or a target column is
/// missing.
pub fn load(config: &Config, path: Option<&Path>) -> Result<Split> {
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
        return Ok(Split::new(train, validation, test));
    }
    Dataset::refill(&mut train, [validation.as_mut(), test.as_mut()]);
    let (train, [validation, test]) = preprocess(steps, train, [validation, test])?;
    Ok(Split { preprocessed: true, ..Split::new(train, validation, test) })
}

/// What is done to the samples of all parts before anything else, in order; fitted on the training part.
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

/// Added to the eigenvalues before whitening divides by their roots: pylearn2's.
const WHITEN_EPS: f64 = 0.1;

/// The published set that is learned from, unless a path says where the data lie.
pub fn published_set(config: &Config, path: Option<&Path>) -> Option<&'static PublishedSet> {
    match path.or(config.data.path.as_deref()) {
        Some(path) => named(path),
        None => data::published(&config.data.source),
    }
}

/// Where the data lie, unless they are built in; a published set in this folder, or else in the user's.
///
/// # Errors
/// [`Error::Data`] if the set is not there.
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

/// The data and, when it comes with one, its test part.
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

/// Builds the network of a configuration for data with the features and classes of the training part, whose values the
/// thresholds of a thermometer are [fitted](quantiles) to.
///
/// # Errors
/// [`Error::Setting`] for what cannot be built.
pub fn network(config: &Config, parts: &Split) -> Result<Network> {
    let data = &parts.train;
    let (features, classes) = (data.features(), data.classes());
    let hidden = &config.network.hidden;
    match config.method {
        Method::Flip => {
            let mut options = config.flip_options()?;
            if let Some(levels) = config.network.thermometer {
                options.thermometer =
                    Some(of_each_feature(&thresholds(parts, levels)?, features, data.image())?);
            }
            Network::flip_with(features, hidden, classes, &options, config.seed)
        }
        Method::IntegerFlip | Method::StraightThrough => {
            let mut options = config.straight_through_options(data.image());
            options.thermometer =
                config.network.thermometer.map(|levels| thresholds(parts, levels)).transpose()?;
            Network::straight_through_with(features, hidden, classes, &options, config.seed)
        }
    }
}

fn thresholds(parts: &Split, levels: usize) -> Result<Matrix> {
    let table = quantiles(&parts.train, &parts.standardize, levels);
    Matrix::new(levels, table.len() / levels.max(1), table)
}

/// Trains the network of a configuration and tells `listen` how it goes.
///
/// # Errors
/// As [`Trainer::fit`].
pub fn run(config: &Config, parts: &Split, engine: &Engine, listen: impl FnMut(Event)) -> Result<Outcome> {
    run_with(config, parts, engine, &mut Checkpoints::none(), listen)
}

/// [`run`] with checkpoints.
///
/// # Errors
/// As [`Trainer::fit_with`].
pub fn run_with(
    config: &Config,
    parts: &Split,
    engine: &Engine,
    checkpoints: &mut Checkpoints,
    listen: impl FnMut(Event),
) -> Result<Outcome> {
    run_and_tell(config, parts, engine, checkpoints, &mut Hearing(listen))
}

/// [`run_with`] for one who may also look at steps, and stop the run.
///
/// # Errors
/// As [`Trainer::fit_and_tell`].
pub fn run_and_tell(
    config: &Config,
    parts: &Split,
    engine: &Engine,
    checkpoints: &mut Checkpoints,
    listener: &mut dyn Listener,
) -> Result<Outcome> {
    let mut net = network(config, parts)?;
    let mut trainer = trainer(config)?;
    trainer.lessons = lessons(config, parts)?;
    trainer.fit_and_tell(&mut net, parts, engine, checkpoints, listener)
}

/// The teacher of a configuration, if it has one.
fn lessons(config: &Config, parts: &Split) -> Result<Option<Lessons>> {
    let TrainingConfig { teacher, temperature, teacher_share, .. } = &config.training;
    let Some(path) = teacher else { return Ok(None) };
    let model = Model::load(path)?;
    let (got, expected) =
        ((model.inputs(), model.classes()), (parts.train.features(), parts.train.classes()));
    if got != expected {
        let shape = |(features, classes)| format!("a model of {features} features and {classes} classes");
        return Err(Error::setting("training.teacher", shape(expected), shape(got)));
    }
    let distillation = Distillation::with(temperature.unwrap_or(1.0), teacher_share.unwrap_or(1.0))?;
    Ok(Some(Lessons::new(Deployed::new(model, parts.standardize.clone()), distillation)))
}

/// The trainer of a configuration, without a teacher.
///
/// # Errors
/// [`Error::Setting`] for a phase that cannot be run.
pub fn trainer(config: &Config) -> Result<Trainer> {
    let loss: Box<dyn Loss> = match config.loss() {
        LossName::IntegerSoftmax => {
            Box::new(config.training.levels.map_or(Ok(IntegerSoftmax::default()), IntegerSoftmax::new)?)
        }
        LossName::SoftmaxCrossEntropy => Box::new(SoftmaxCrossEntropy),
        LossName::SquaredHinge => {
            Box::new(config.training.margin.map_or(Ok(SquaredHinge::default()), SquaredHinge::with_margin)?)
        }
    };
    let (order, phases, keep) = (config.order(), config.phases()?, config.training.keep);
    let augment = config.data.augment;
    Ok(Trainer { order, loss, lessons: None, phases, keep, augment, seed: config.seed })
}
