//! The loop: phases, epochs, batches; evaluation is on the network as it would be deployed.

use std::time::Instant;

use onebit_bits::Engine;
use onebit_model::{Model, best};
use serde::{Deserialize, Serialize};

use crate::{
    data::{Dataset, Samples, Standardize, permutation},
    error::{Error, Result},
    evaluate::accuracy,
    layer::{Context, Observation},
    losses::{Loss, SoftmaxCrossEntropy, SquaredHinge},
    network::Network,
    phase::{Batch, Phase},
    step::{Order, Unwatched, Watch},
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
    /// Seed of the shuffles.
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

    /// Parts that exist already.
    pub fn new(train: Dataset, validation: Option<Dataset>, test: Option<Dataset>) -> Self {
        let standardize = match train.samples() {
            Samples::Bytes { .. } => Standardize::uniform(127.5, 1.0 / 127.5, train.features()),
            Samples::Real { .. } => Standardize::fit(&train),
        };
        Self { train, validation, test, standardize }
    }
}

/// What happened in an epoch.
#[derive(Clone, Debug)]
pub struct EpochReport {
    /// Epoch over all phases, from 1.
    pub epoch: usize,
    /// Phase, from 1.
    pub phase: usize,
    /// The epoch's rate.
    pub rate: f64,
    /// Mean loss over the epoch's batches, as they were met.
    pub loss: f64,
    /// Share of the epoch's samples that were right, as they were met.
    pub train_accuracy: f64,
    /// Accuracy of the deployed network on the validation part.
    pub validation_accuracy: Option<f64>,
    /// Accuracy of the deployed network on the test part.
    pub test_accuracy: Option<f64>,
    /// Measures of each layer.
    pub layers: Vec<(&'static str, Observation)>,
}

impl EpochReport {
    /// Share of all observed weights that flipped in a step: the mean over layers.
    pub fn update_ratio(&self) -> Option<f64> {
        let ratios: Vec<f64> = self.layers.iter().filter_map(|(_, o)| o.update_ratio).collect();
        (!ratios.is_empty()).then(|| ratios.iter().sum::<f64>() / ratios.len() as f64)
    }
}

/// Where a run is, after each batch.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Samples met since the start of the run.
    pub done: u64,
    /// Samples that the whole run will meet.
    pub total: u64,
    /// Epoch over all phases, from 1.
    pub epoch: usize,
    /// Epochs of the whole run.
    pub epochs: usize,
    /// Mean loss of the epoch so far.
    pub loss: f64,
    /// Share of right samples of the epoch so far.
    pub accuracy: f64,
}

/// What a run reports while it goes on.
pub enum Event<'a> {
    /// A batch is done.
    Batch(Progress),
    /// An epoch is done and evaluated.
    Epoch(&'a EpochReport),
}

/// What a run leaves behind.
pub struct Outcome {
    /// The network to deploy.
    pub model: Model,
    /// Epoch of that network, from 1.
    pub epoch: usize,
    /// One report an epoch.
    pub epochs: Vec<EpochReport>,
    /// Seconds spent on learning, without evaluation.
    pub seconds: f64,
    /// Samples learned from, counted as often as they were met.
    pub samples: u64,
}

impl Outcome {
    /// The report of the epoch whose network was kept.
    pub fn kept(&self) -> &EpochReport {
        &self.epochs[self.epoch - 1]
    }
}

impl Trainer {
    /// Flip backprop: FBF order, softmax cross-entropy. The phases' rates are shares of flips.
    pub fn flip(phases: Vec<Phase>, seed: u64) -> Self {
        let loss = Box::new(SoftmaxCrossEntropy);
        Self { order: Order::InputFirst, loss, lessons: None, phases, keep: Keep::Last, seed }
    }

    /// Straight-through training: squared hinge. The phases' rates are learning rates.
    pub fn straight_through(phases: Vec<Phase>, seed: u64) -> Self {
        let loss = Box::new(SquaredHinge::default());
        Self { order: Order::Parallel, loss, lessons: None, phases, keep: Keep::Last, seed }
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
        mut listen: impl FnMut(Event),
    ) -> Result<Outcome> {
        self.check(parts)?;
        let cx = Context::train(engine);
        let epochs = self.phases.iter().map(|phase| phase.epochs).sum();
        let met = |phase: &Phase| {
            let batch = batch_size(phase, parts);
            (parts.train.len() / batch * batch) as u64 * phase.epochs as u64
        };
        let total = self.phases.iter().map(met).sum();
        let mut progress = Progress { done: 0, total, epoch: 0, epochs, loss: 0.0, accuracy: 0.0 };
        let mut reports: Vec<EpochReport> = Vec::new();
        let mut kept: Option<(Model, usize)> = None;
        let (mut best, mut seconds) = (0.0, 0.0);
        for (phase_index, phase) in self.phases.iter().enumerate() {
            for epoch_of_phase in 0..phase.epochs {
                progress.epoch += 1;
                let rate = phase.rate_at(epoch_of_phase);
                let start = Instant::now();
                self.pass(net, &cx, parts, (phase, rate), &mut progress, &mut listen)?;
                seconds += start.elapsed().as_secs_f64();

                let deployed = net.export(&parts.train, &parts.standardize)?;
                let judge = |part: &Option<Dataset>| {
                    part.as_ref().map(|part| accuracy(&deployed, engine, part)).transpose()
                };
                let report = EpochReport {
                    epoch: progress.epoch,
                    phase: phase_index + 1,
                    rate,
                    loss: progress.loss,
                    train_accuracy: progress.accuracy,
                    validation_accuracy: judge(&parts.validation)?,
                    test_accuracy: judge(&parts.test)?,
                    layers: net.observe(),
                };
                listen(Event::Epoch(&report));
                let score = report.validation_accuracy.unwrap_or(0.0);
                if self.keep == Keep::Last || kept.is_none() || score > best {
                    best = score;
                    kept = Some((deployed, progress.epoch));
                }
                reports.push(report);
            }
        }
        let (model, epoch) = kept.expect("`check` has seen at least one phase of one epoch");
        Ok(Outcome { model, epoch, epochs: reports, seconds, samples: progress.done })
    }

    /// One pass over the training part, in an order of its own; leaves its loss and accuracy in `progress`.
    fn pass(
        &self,
        net: &mut Network,
        cx: &Context,
        parts: &Parts,
        (phase, rate): (&Phase, f64),
        progress: &mut Progress,
        listen: &mut impl FnMut(Event),
    ) -> Result<()> {
        let batch = batch_size(phase, parts);
        let (mut loss, mut right, mut met) = (0.0, 0, 0);
        let mut labels = Vec::new();
        let order = permutation(parts.train.len(), epoch_seed(self.seed, progress.epoch));
        for rows in order.chunks_exact(batch) {
            let (batch_loss, batch_right) =
                self.learn(net, cx, (parts, rows, &mut labels), rate, &mut Unwatched)?;
            if !batch_loss.is_finite() {
                return Err(Error::Diverged { loss: batch_loss, epoch: progress.epoch });
            }
            loss += batch_loss * batch as f64;
            right += batch_right;
            met += batch;
            progress.done += batch as u64;
            progress.loss = loss / met as f64;
            progress.accuracy = right as f64 / met as f64;
            listen(Event::Batch(*progress));
        }
        Ok(())
    }

    /// One step on the samples `rows`; returns the loss and how many were right.
    pub(crate) fn learn(
        &self,
        net: &mut Network,
        cx: &Context,
        batch: (&Parts, &[usize], &mut Vec<u32>),
        rate: f64,
        watch: &mut impl Watch,
    ) -> Result<(f64, usize)> {
        let (parts, rows, labels) = batch;
        let x = watch.load(|| {
            labels.clear();
            labels.extend(rows.iter().map(|&row| parts.train.labels()[row]));
            input(cx, parts, rows)
        })?;
        let taught = match &self.lessons {
            Some(lessons) => Some((lessons, lessons.scores(cx, &x)?)),
            None => None,
        };
        let judge = |scores: Value| {
            let scores = scores.into_real("loss")?;
            let right = scores.iter_rows().zip(&*labels).filter(|(s, label)| best(s) == **label as usize);
            let right = right.count();
            let (loss, grad) = match &taught {
                Some((lessons, teacher)) => lessons.evaluate(&*self.loss, scores, labels, teacher)?,
                None => self.loss.evaluate(scores, labels)?,
            };
            Ok(((loss, right), Signal::Grad(grad)))
        };
        net.step_watched(cx, x, self.order, rate, judge, watch)
    }

    fn check(&self, parts: &Parts) -> Result<()> {
        if self.phases.is_empty() {
            return Err(Error::setting("phases", "at least one", "none"));
        }
        self.phases.iter().enumerate().try_for_each(|(i, phase)| phase.check(&format!("phase.{i}.")))?;
        if self.keep == Keep::Best && parts.validation.is_none() {
            let expected = "a validation part to find the best network by (data.validation)";
            return Err(Error::setting("training.keep", expected, "none"));
        }
        let counts = parts.train.class_counts();
        match counts.iter().position(|&count| count == 0) {
            Some(class) => Err(Error::EmptyClass(parts.train.label_names()[class].clone())),
            None => Ok(()),
        }
    }
}

/// The samples `rows`, `(b, i)`, standardized: as bytes where they are bytes.
fn input(cx: &Context, parts: &Parts, rows: &[usize]) -> Result<Value> {
    let (b, i) = (rows.len(), parts.train.features());
    if let (Samples::Bytes { .. }, Some((mean, scale))) = (parts.train.samples(), parts.standardize.common())
    {
        let mut bytes = cx.bytes(b * i);
        assert!(parts.train.gather_bytes(rows, &mut bytes), "they are bytes");
        return Ok(Value::Bytes(Bytes::new(b, i, bytes, mean, scale)?));
    }
    let mut x = cx.matrix(b, i);
    parts.train.gather_into(rows, x.values_mut());
    parts.standardize.apply(x.values_mut());
    Ok(Value::Real(x))
}

/// Samples of a step; a set smaller than a batch is one batch.
pub(crate) fn batch_size(phase: &Phase, parts: &Parts) -> usize {
    match phase.batch {
        Batch::Size(size) => size.min(parts.train.len()),
        Batch::All => parts.train.len(),
    }
}

/// The order of an epoch depends on seed and epoch alone.
fn epoch_seed(seed: u64, epoch: usize) -> u64 {
    seed ^ (epoch as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
