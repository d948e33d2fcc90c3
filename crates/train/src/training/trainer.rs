//! The settings of a training run, and one training step. [`run`](crate::training::run) has the loop.

use onebit_data::{Augment, Split};
use onebit_model::best;
use serde::{Deserialize, Serialize};

use crate::{
    contract::{
        context::Context,
        step::{Order, Watch},
        value::{Signal, Value},
    },
    error::{Error, Result},
    losses::{Loss, SoftmaxCrossEntropy, SquaredHinge},
    network::Network,
    training::{
        input::input,
        phase::{Batch, Phase},
        teacher::Distiller,
    },
};

/// The network that a run returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// The network after the last epoch.
    #[default]
    Last,
    /// The network with the best validation accuracy; the earliest if several are equal.
    Best,
}

/// The settings of a training run; [`Training`](crate::Training) runs it.
///
/// ```
/// use onebit_train::{Batch, Keep, Phase, Trainer, step::Order};
///
/// let mut trainer = Trainer::flip(vec![Phase::new(10, Batch::Size(32), 1.0)], 42);
/// assert_eq!((trainer.order, trainer.keep), (Order::InputFirst, Keep::Last));
/// trainer.keep = Keep::Best; // needs a validation part
/// ```
pub struct Trainer {
    /// Order of learning.
    pub order: Order,
    /// Loss of the scores.
    pub loss: Box<dyn Loss>,
    /// Teacher for knowledge distillation, if any.
    pub distiller: Option<Distiller>,
    /// Phases, in order.
    pub phases: Vec<Phase>,
    /// Network to return.
    pub keep: Keep,
    /// Augmentation of the training images.
    pub augment: Option<Augment>,
    /// Seed of the shuffles and the augmentation.
    pub seed: u64,
}

impl Trainer {
    /// Flip backprop: input-first order (FBF), softmax cross-entropy. The rates of the phases are shares of
    /// flips.
    pub fn flip(phases: Vec<Phase>, seed: u64) -> Self {
        let loss = Box::new(SoftmaxCrossEntropy);
        Self {
            order: Order::InputFirst,
            loss,
            distiller: None,
            phases,
            keep: Keep::Last,
            augment: None,
            seed,
        }
    }

    /// Straight-through training: parallel order, squared hinge. The rates of the phases are learning rates.
    pub fn straight_through(phases: Vec<Phase>, seed: u64) -> Self {
        let loss = Box::new(SquaredHinge::default());
        Self { order: Order::Parallel, loss, distiller: None, phases, keep: Keep::Last, augment: None, seed }
    }

    /// Trains `net` for one step on the samples `rows`. Returns the loss and the number of samples that it
    /// classified correctly before the update.
    pub(crate) fn learn(
        &self,
        net: &mut Network,
        cx: &mut Context,
        (parts, rows): (&Split, &[usize]),
        rate: f64,
        watch: &mut impl Watch,
    ) -> Result<(f64, usize)> {
        let x = watch.load(|| {
            cx.labels.clear();
            cx.labels.extend(rows.iter().map(|&row| parts.train.labels()[row]));
            let x = input(cx, &parts.train, &parts.standardize, rows)?;
            self.augmented(cx, parts, rows, x)
        })?;
        let (cx, labels) = (&*cx, &*cx.labels);
        let teacher = match &self.distiller {
            Some(distiller) => Some((distiller, distiller.scores(cx, &x)?)),
            None => None,
        };
        let loss = |scores: Value| {
            let scores = scores.into_real("loss")?;
            let right = scores.iter_rows().zip(labels).filter(|(s, label)| best(s) == **label as usize);
            let right = right.count();
            let (loss, grad) = match &teacher {
                Some((distiller, targets)) => distiller.evaluate(&*self.loss, scores, labels, targets)?,
                None => self.loss.evaluate(scores, labels)?,
            };
            Ok(((loss, right), Signal::Grad(grad)))
        };
        net.step_watched(cx, x, self.order, rate, loss, watch)
    }

    /// Augments the images `x`.
    fn augmented(&self, cx: &Context, parts: &Split, rows: &[usize], x: Value) -> Result<Value> {
        let (Some(augment), Some(image)) = (self.augment, parts.train.image()) else { return Ok(x) };
        let (seed, epoch) = (self.seed, cx.clock.epoch);
        Ok(match x {
            Value::Bytes(mut bytes) => {
                let zero = bytes.mean().round() as u8;
                augment.apply(image, seed, epoch, rows, bytes.values_mut(), zero);
                Value::Bytes(bytes)
            }
            Value::Real(mut x) => {
                augment.apply(image, seed, epoch, rows, x.values_mut(), 0.0);
                Value::Real(x)
            }
            other => other,
        })
    }

    /// Checks the settings against the data.
    pub(crate) fn check(&self, parts: &Split) -> Result<()> {
        if self.phases.is_empty() {
            return Err(Error::setting("phases", "at least one", "none"));
        }
        self.phases.iter().enumerate().try_for_each(|(i, phase)| phase.check(&format!("phase.{i}.")))?;
        if self.keep == Keep::Best && parts.validation.is_none() {
            let expected = "a validation part to select the best network by (data.validation)";
            return Err(Error::setting("training.keep", expected, "none"));
        }
        match (self.augment, parts.train.image()) {
            (Some(augment), Some(image)) => augment.check(image)?,
            (Some(_), None) => {
                return Err(Error::setting("data.augment", "data whose samples are images", "other data"));
            }
            _ => {}
        }
        let counts = parts.train.class_counts();
        match counts.iter().position(|&count| count == 0) {
            Some(class) => Err(Error::EmptyClass(parts.train.label_names()[class].clone())),
            None => Ok(()),
        }
    }
}

/// Returns the number of samples in a step; a training set smaller than a batch is one batch.
pub(crate) fn batch_size(phase: &Phase, parts: &Split) -> usize {
    match phase.batch {
        Batch::Size(size) => size.min(parts.train.len()),
        Batch::All => parts.train.len(),
    }
}
