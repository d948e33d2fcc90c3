//! What a training run does, on which data, and one step of it; [`run`](crate::training::run) has the loop.

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
        teacher::Lessons,
    },
};

/// Which network a run returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// The one after the last epoch.
    #[default]
    Last,
    /// The one with the best accuracy on the validation part, the first of equals.
    Best,
}

/// What a training run does.
pub struct Trainer {
    /// Order of learning.
    pub order: Order,
    /// What the scores are judged by.
    pub loss: Box<dyn Loss>,
    /// By whom else, if there is a teacher.
    pub lessons: Option<Lessons>,
    /// Its phases, in order.
    pub phases: Vec<Phase>,
    /// Which network is returned.
    pub keep: Keep,
    /// How training images are varied.
    pub augment: Option<Augment>,
    /// Seed of the shuffles and of what is varied.
    pub seed: u64,
}

impl Trainer {
    /// Flip backprop: FBF order, softmax cross-entropy. The phases' rates are shares of flips.
    pub fn flip(phases: Vec<Phase>, seed: u64) -> Self {
        let loss = Box::new(SoftmaxCrossEntropy);
        Self { order: Order::InputFirst, loss, lessons: None, phases, keep: Keep::Last, augment: None, seed }
    }

    /// Straight-through training: squared hinge. The phases' rates are learning rates.
    pub fn straight_through(phases: Vec<Phase>, seed: u64) -> Self {
        let loss = Box::new(SquaredHinge::default());
        Self { order: Order::Parallel, loss, lessons: None, phases, keep: Keep::Last, augment: None, seed }
    }

    /// One step on the samples `rows`; returns the loss and how many were right.
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
            self.varied(cx, parts, rows, x)
        })?;
        let (cx, labels) = (&*cx, &*cx.labels);
        let taught = match &self.lessons {
            Some(lessons) => Some((lessons, lessons.scores(cx, &x)?)),
            None => None,
        };
        let judge = |scores: Value| {
            let scores = scores.into_real("loss")?;
            let right = scores.iter_rows().zip(labels).filter(|(s, label)| best(s) == **label as usize);
            let right = right.count();
            let (loss, grad) = match &taught {
                Some((lessons, teacher)) => lessons.evaluate(&*self.loss, scores, labels, teacher)?,
                None => self.loss.evaluate(scores, labels)?,
            };
            Ok(((loss, right), Signal::Grad(grad)))
        };
        net.step_watched(cx, x, self.order, rate, judge, watch)
    }

    /// Other views of the images x.
    fn varied(&self, cx: &Context, parts: &Split, rows: &[usize], x: Value) -> Result<Value> {
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

    pub(crate) fn check(&self, parts: &Split) -> Result<()> {
        if self.phases.is_empty() {
            return Err(Error::setting("phases", "at least one", "none"));
        }
        self.phases.iter().enumerate().try_for_each(|(i, phase)| phase.check(&format!("phase.{i}.")))?;
        if self.keep == Keep::Best && parts.validation.is_none() {
            let expected = "a validation part to find the best network by (data.validation)";
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

/// Samples of a step; a set smaller than a batch is one batch.
pub(crate) fn batch_size(phase: &Phase, parts: &Split) -> usize {
    match phase.batch {
        Batch::Size(size) => size.min(parts.train.len()),
        Batch::All => parts.train.len(),
    }
}
