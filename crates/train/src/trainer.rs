//! What a training run does, on which data, and one step of it; [`run`](crate::run) has the loop.

use onebit_bits::Engine;
use onebit_model::best;
use serde::{Deserialize, Serialize};

use crate::{
    checkpoint::Checkpoints,
    data::{Augment, Dataset, Samples, Standardize},
    error::{Error, Result},
    layer::Context,
    losses::{Loss, SoftmaxCrossEntropy, SquaredHinge},
    network::Network,
    phase::{Batch, Phase},
    report::{Event, Hearing, Listener, Outcome},
    run::Run,
    step::{Order, Watch},
    teacher::Lessons,
    value::{Bytes, Signal, Value},
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

/// The parts of a data set.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Learned from.
    pub train: Dataset,
    /// Chosen by, when [`Keep::Best`] or a person tunes settings.
    pub validation: Option<Dataset>,
    /// Reported on.
    pub test: Option<Dataset>,
    /// What is done to the features, fitted on the training part.
    pub standardize: Standardize,
    /// Whether something was done to the samples that a model file cannot hold.
    pub preprocessed: bool,
}

impl Parts {
    /// Holds out a share for the test, by `seed`, and fits the standardization on the rest: pixels go to
    /// [-1, 1], other features to mean 0 and deviation 1.
    ///
    /// # Errors
    /// [`Error::Data`] when one of the two would be empty.
    pub fn split(data: &Dataset, test: f64, seed: u64) -> Result<Self> {
        let (train, test) = data.split(test, seed)?;
        Ok(Self::new(train, None, Some(test)))
    }

    /// Parts that exist already. Where numbers were missing, the mean of the training part stands in all of them.
    pub fn new(mut train: Dataset, mut validation: Option<Dataset>, mut test: Option<Dataset>) -> Self {
        Dataset::refill(&mut train, [validation.as_mut(), test.as_mut()]);
        let standardize = match train.samples() {
            Samples::Bytes { .. } => Standardize::uniform(127.5, 1.0 / 127.5, train.features()),
            Samples::Real { .. } => Standardize::fit(&train),
        };
        Self { train, validation, test, standardize, preprocessed: false }
    }
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

    /// Trains `net` on `parts.train` and tells `listen` how it goes.
    ///
    /// # Errors
    /// [`Error::Setting`] for a phase that cannot be run, [`Error::EmptyClass`] when a class has no sample
    /// to learn from, [`Error::Diverged`] when the loss is no longer a number, and those of the layers.
    pub fn fit(
        &self,
        net: &mut Network,
        parts: &Parts,
        engine: &Engine,
        listen: impl FnMut(Event),
    ) -> Result<Outcome> {
        self.fit_with(net, parts, engine, &mut Checkpoints::none(), listen)
    }

    /// [`fit`](Self::fit) with checkpoints: the run is saved to them, and goes on from them where they are
    /// [resumed](Checkpoints::resume). `net` is a new one, built as it was when the run began. A network that is to be
    /// kept as the best, but cannot be exported, is left in `net`.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), and [`Error::Checkpoint`] for a checkpoint of another run; `net` is of no use then. A
    /// checkpoint that cannot be saved is an [`Event::Warning`].
    pub fn fit_with(
        &self,
        net: &mut Network,
        parts: &Parts,
        engine: &Engine,
        checkpoints: &mut Checkpoints,
        listen: impl FnMut(Event),
    ) -> Result<Outcome> {
        self.fit_and_tell(net, parts, engine, checkpoints, &mut Hearing(listen))
    }

    /// [`fit_with`](Self::fit_with) for one who may also look at steps, and stop the run.
    ///
    /// # Errors
    /// As [`fit_with`](Self::fit_with), and [`Error::Stopped`].
    pub fn fit_and_tell(
        &self,
        net: &mut Network,
        parts: &Parts,
        engine: &Engine,
        checkpoints: &mut Checkpoints,
        listener: &mut dyn Listener,
    ) -> Result<Outcome> {
        Run::new(self, net, parts, engine, checkpoints)?.finish(listener)
    }

    /// One step on the samples `rows`; returns the loss and how many were right.
    pub(crate) fn learn(
        &self,
        net: &mut Network,
        cx: &mut Context,
        (parts, rows): (&Parts, &[usize]),
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
    fn varied(&self, cx: &Context, parts: &Parts, rows: &[usize], x: Value) -> Result<Value> {
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

    pub(crate) fn check(&self, parts: &Parts) -> Result<()> {
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

/// The samples `rows` of a part, `(b, i)`, standardized: as bytes where they are bytes.
pub(crate) fn input(
    cx: &Context,
    data: &Dataset,
    standardize: &Standardize,
    rows: &[usize],
) -> Result<Value> {
    let (b, i) = (rows.len(), data.features());
    if let (Samples::Bytes { .. }, Some((mean, scale))) = (data.samples(), standardize.common()) {
        let mut bytes = cx.bytes(b * i);
        assert!(data.gather_bytes(rows, &mut bytes), "they are bytes");
        return Ok(Value::Bytes(Bytes::new(b, i, bytes, mean, scale)?));
    }
    let mut x = cx.matrix(b, i);
    data.gather_into(rows, x.values_mut());
    standardize.apply(x.values_mut());
    Ok(Value::Real(x))
}

/// Samples of a step; a set smaller than a batch is one batch.
pub(crate) fn batch_size(phase: &Phase, parts: &Parts) -> usize {
    match phase.batch {
        Batch::Size(size) => size.min(parts.train.len()),
        Batch::All => parts.train.len(),
    }
}
