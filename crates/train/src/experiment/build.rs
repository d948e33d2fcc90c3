//! Builds network, trainer and teacher of a configuration.

use onebit_data::{Split, quantiles};
use onebit_model::Model;

use crate::{
    config::{Config, LossName, Method, TrainingConfig},
    error::{Error, Result},
    losses::{Distillation, IntegerSoftmax, Loss, SoftmaxCrossEntropy, SquaredHinge},
    network::{Network, of_each_feature},
    numeric::matrix::Matrix,
    training::{
        Trainer, Training,
        teacher::{Deployed, Distiller},
    },
};

/// Prepares to train the network of a configuration: builds the network, the trainer and the teacher.
///
/// ```
/// use onebit_train::{config, experiment};
///
/// let config = config::preset("iris")?;
/// let split = experiment::load(&config, None)?;
/// let outcome = experiment::training(&config, &split)?.run()?;
/// assert_eq!(outcome.epochs.len(), 20);
/// # Ok::<(), onebit_train::Error>(())
/// ```
///
/// # Errors
/// [`Error::Setting`] for settings that do not fit each other, the data or the teacher, and the errors of
/// reading the teacher's model.
pub fn training<'a>(config: &Config, parts: &'a Split) -> Result<Training<'a, Trainer, Network>> {
    let net = network(config, parts)?;
    let mut trainer = trainer(config)?;
    trainer.distiller = distiller(config, parts)?;
    Ok(Training::new(trainer, net, parts))
}

/// Builds the network of a configuration for the features and classes of the training part. The thresholds of
/// a thermometer are [quantiles] of the training part.
///
/// # Errors
/// [`Error::Setting`] for settings that do not fit each other or the data.
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
            Network::flip(features, hidden, classes, &options, config.seed)
        }
        Method::IntegerFlip | Method::StraightThrough => {
            let mut options = config.straight_through_options(data.image());
            options.thermometer =
                config.network.thermometer.map(|levels| thresholds(parts, levels)).transpose()?;
            Network::straight_through(features, hidden, classes, &options, config.seed)
        }
    }
}

/// Returns the thresholds of a thermometer, `(levels, x)`.
fn thresholds(parts: &Split, levels: usize) -> Result<Matrix> {
    let table = quantiles(&parts.train, &parts.standardize, levels);
    Matrix::new(levels, table.len() / levels.max(1), table)
}

/// Creates the trainer of a configuration, without a teacher.
///
/// # Errors
/// [`Error::Setting`] for a loss or a phase with invalid settings.
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
    Ok(Trainer {
        order: config.order(),
        loss,
        distiller: None,
        phases: config.phases()?,
        keep: config.training.keep,
        augment: config.data.augment,
        seed: config.seed,
    })
}

/// Loads the teacher of a configuration, if it has one.
fn distiller(config: &Config, parts: &Split) -> Result<Option<Distiller>> {
    let TrainingConfig { teacher, temperature, teacher_share, .. } = &config.training;
    let Some(path) = teacher else { return Ok(None) };
    let model = Model::load(path)?;
    let got = (model.inputs(), model.classes());
    let expected = (parts.train.features(), parts.train.classes());
    if got != expected {
        let shape = |(features, classes)| format!("a model of {features} features and {classes} classes");
        return Err(Error::setting("training.teacher", shape(expected), shape(got)));
    }
    let distillation = Distillation::with(temperature.unwrap_or(1.0), teacher_share.unwrap_or(1.0))?;
    Ok(Some(Distiller::new(Deployed::new(model, parts.standardize.clone()), distillation)))
}
