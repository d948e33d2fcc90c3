//! From a configuration to a trained network: load, split, build, train.

use onebit_bits::Engine;
use onebit_data::{Split, quantiles};
use onebit_model::Model;

use crate::{
    config::{Config, LossName, Method, TrainingConfig},
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
mod data;
pub mod record;
pub mod tune;

pub use data::{load, location, split};

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
