//! The loop: phases, epochs, batches. A run is a value with a position, so it can stop after any batch and go on
//! from there to the same result.

use std::time::Instant;

use onebit_bits::Engine;
use onebit_data::{Dataset, Samples, Split, permutation};
use onebit_model::Model;
use serde_json::{Value, json};

use crate::{
    contract::{
        context::{Clock, Context},
        step::Unwatched,
    },
    error::{CheckpointError, Error, Result},
    network::Network,
    numeric::mix::mix,
    training::{
        checkpoint,
        checkpoint::Checkpoints,
        evaluate::{Judgement, judge, judge_network},
        events::{EpochReport, Event, Hearing, Listener, Outcome, Progress},
        inspect::{Inspector, LayerReport, StepReport},
        position::{Best, Past, Sums},
        trainer::{Keep, Trainer, batch_size},
    },
};

/// A training run between two batches.
pub(crate) struct Run<'a> {
    trainer: &'a Trainer,
    net: &'a mut Network,
    parts: &'a Split,
    cx: Context,
    checkpoints: &'a mut Checkpoints,
    /// What the run is, for its checkpoints: one of another run is refused.
    description: String,
    past: Past,
    /// Spent on learning since this value was made.
    seconds: f64,
    /// Met since this value was made.
    samples: u64,
}

/// The phase of an epoch.
struct Stage {
    /// From 0.
    index: usize,
    rate: f64,
    batch: usize,
}

impl<'a> Run<'a> {
    /// A run at its start, or where it was saved.
    pub(crate) fn new(
        trainer: &'a Trainer,
        net: &'a mut Network,
        parts: &'a Split,
        engine: &Engine,
        checkpoints: &'a mut Checkpoints,
    ) -> Result<Self> {
        trainer.check(parts)?;
        let description = if checkpoints.any() { describe(trainer, parts) } else { String::new() };
        let past = checkpoints.restore(net, &description)?;
        let cx = Context::train(engine);
        let (seconds, samples) = Default::default();
        let mut run = Self {
            trainer,
            net,
            parts,
            cx,
            checkpoints,
            description,
            past: Past::default(),
            seconds,
            samples,
        };
        if let Some(past) = past {
            run.past = past;
            run.check_past()?;
        }
        Ok(run)
    }

    /// Says what is wrong with a position that was read.
    fn check_past(&self) -> Result<()> {
        let Past { reports, sums, best } = &self.past;
        let batches = self.stage().map_or(0, |stage| self.parts.train.len() / stage.batch);
        let met = self.stage().map_or(0, |stage| sums.batch.saturating_mul(stage.batch));
        let sound = reports.len() <= self.epochs()
            && sums.batch <= batches
            && sums.right <= met
            && best.is_some() == (self.trainer.keep == Keep::Best && !reports.is_empty())
            && best.as_ref().is_none_or(|best| (1..=reports.len()).contains(&best.epoch));
        if !sound {
            return Err(CheckpointError::Header("`progress`: no position of this run".into()).into());
        }
        match best {
            Some(best) if best.deployed => Model::from_bytes(&best.bytes).map(drop).map_err(Error::from),
            _ => Ok(()),
        }
    }

    /// Goes on to the end.
    pub(crate) fn finish(mut self, listener: &mut dyn Listener) -> Result<Outcome> {
        if let Some(warning) = self.checkpoints.warning() {
            listener.hear(Event::Warning(&warning));
        }
        let (steps, samples) = (self.steps_done(), self.samples_done());
        listener.hear(Event::Begin { net: self.net, steps, samples });
        while let Some(stage) = self.stage() {
            self.learn(&stage, listener)?;
            self.conclude(&stage, listener)?;
            let unsaved = self.checkpoints.save_after_epoch(self.net, &self.description, &self.past);
            unsaved.iter().for_each(|warning| listener.hear(Event::Warning(warning)));
        }
        self.outcome(listener)
    }

    /// What is left of the present epoch, in an order of its own.
    fn learn(&mut self, stage: &Stage, listener: &mut dyn Listener) -> Result<()> {
        let epoch = self.past.reports.len() + 1;
        let order = permutation(self.parts.train.len(), epoch_seed(self.trainer.seed, epoch));
        let (mut step, steps) = (self.steps_done(), self.steps(self.epochs()));
        for rows in order.chunks_exact(stage.batch).skip(self.past.sums.batch) {
            self.cx.clock = Clock { epoch: epoch - 1, epochs: self.epochs(), batch: self.past.sums.batch };
            step += 1;
            let looked_at = listener.looks_at(step, steps);
            let start = Instant::now();
            let (loss, right, layers) = self.step(stage, rows, looked_at)?;
            self.seconds += start.elapsed().as_secs_f64();
            let sums = &mut self.past.sums;
            sums.batch += 1;
            sums.loss += loss * stage.batch as f64;
            sums.right += right;
            if !sums.loss.is_finite() {
                return Err(Error::Diverged { loss, epoch });
            }
            self.samples += stage.batch as u64;
            listener.hear(Event::Batch(self.progress(stage)));
            if let Some(layers) = layers {
                let (phase, rate, accuracy) = (stage.index + 1, stage.rate, right as f64 / rows.len() as f64);
                listener.hear(Event::Step(&StepReport { step, epoch, phase, rate, loss, accuracy, layers }));
            }
            let stopped = listener.stops();
            let unsaved = match stopped {
                true => self.checkpoints.save(self.net, &self.description, &self.past),
                false => self.checkpoints.save_if_due(self.net, &self.description, &self.past),
            };
            unsaved.iter().for_each(|warning| listener.hear(Event::Warning(warning)));
            if stopped {
                return Err(Error::Stopped { epoch, batch: self.past.sums.batch });
            }
        }
        Ok(())
    }

    /// One step; returns the loss, how many were right, and what was seen of the layers.
    fn step(
        &mut self,
        stage: &Stage,
        rows: &[usize],
        looked_at: bool,
    ) -> Result<(f64, usize, Option<Vec<LayerReport>>)> {
        let batch = (self.parts, rows);
        self.cx.inspected = looked_at;
        if !looked_at {
            let (loss, right) =
                self.trainer.learn(self.net, &mut self.cx, batch, stage.rate, &mut Unwatched)?;
            return Ok((loss, right, None));
        }
        let mut inspector = Inspector::default();
        let (loss, right) = self.trainer.learn(self.net, &mut self.cx, batch, stage.rate, &mut inspector)?;
        Ok((loss, right, Some(inspector.finish(self.net))))
    }

    /// Evaluates the network after an epoch.
    fn conclude(&mut self, stage: &Stage, listener: &mut dyn Listener) -> Result<()> {
        let Progress { epoch, loss, accuracy: train_accuracy, .. } = self.progress(stage);
        let (deployed, _) = self.export()?;
        let (parts, criterion) = (self.parts, &*self.trainer.loss);
        let mut judged = |part: &Option<Dataset>| {
            let judgement = |part| match &deployed {
                Some(model) => judge(model, &self.cx.engine, part, criterion),
                None => judge_network(self.net, &self.cx, part, &parts.standardize, criterion),
            };
            part.as_ref().map(judgement).transpose()
        };
        let (validation, test) = (judged(&parts.validation)?, judged(&parts.test)?);
        let accuracy = |judgement: Judgement| judgement.accuracy;
        let mean_loss = |judgement: Judgement| judgement.loss;
        let report = EpochReport {
            epoch,
            phase: stage.index + 1,
            rate: stage.rate,
            loss,
            train_accuracy,
            validation_accuracy: validation.map(accuracy),
            validation_loss: validation.map(mean_loss),
            test_accuracy: test.map(accuracy),
            test_loss: test.map(mean_loss),
            layers: self.net.observe(),
        };
        listener.hear(Event::Epoch(&report));
        if self.trainer.keep == Keep::Best && self.is_best(&report) {
            let bytes = deployed.as_ref().map(Model::to_bytes);
            let bytes = bytes.map_or_else(|| checkpoint::to_bytes(self.net), Ok)?;
            self.past.best = Some(Best { epoch, deployed: deployed.is_some(), bytes });
        }
        self.past.reports.push(report);
        self.past.sums = Sums::default();
        Ok(())
    }

    /// The first of equals stays.
    fn is_best(&self, report: &EpochReport) -> bool {
        let before = self.past.best.as_ref().map(|best| &self.past.reports[best.epoch - 1]);
        before.is_none_or(|before| report.validation_accuracy > before.validation_accuracy)
    }

    fn outcome(self, listener: &mut dyn Listener) -> Result<Outcome> {
        let (mut model, not_exported) = self.export()?;
        let summary = self.net.summary();
        let Self { net, past: Past { reports: epochs, best, .. }, seconds, samples, .. } = self;
        let epoch = best.as_ref().map_or(epochs.len(), |best| best.epoch);
        match best {
            Some(Best { deployed: true, bytes, .. }) => model = Some(Model::from_bytes(&bytes)?),
            Some(Best { deployed: false, bytes, .. }) => checkpoint::from_bytes(net, &bytes)?,
            None => {}
        }
        listener.hear(Event::End { net, deployed: model.is_some() });
        Ok(Outcome { model, not_exported, summary, epoch, epochs, seconds, samples })
    }

    /// The network to deploy, or why there is none.
    fn export(&self) -> Result<(Option<Model>, Option<Error>)> {
        if self.parts.preprocessed {
            let reason = "a model file cannot hold what was done to the data before (data.preprocess)";
            let (index, layer) = (0, "data".into());
            return Ok((None, Some(Error::Export { index, layer, reason: reason.into() })));
        }
        match self.net.export(&self.parts.train, &self.parts.standardize) {
            Ok(model) => Ok((Some(model), None)),
            Err(reason @ Error::Export { .. }) => Ok((None, Some(reason))),
            Err(other) => Err(other),
        }
    }

    /// Epochs of all phases.
    fn epochs(&self) -> usize {
        self.trainer.phases.iter().map(|phase| phase.epochs).sum()
    }

    /// The phase of the present epoch; none when the run is over.
    fn stage(&self) -> Option<Stage> {
        let mut epoch = self.past.reports.len();
        for (index, phase) in self.trainer.phases.iter().enumerate() {
            if epoch < phase.epochs {
                let (rate, batch) = (phase.rate_at(epoch), batch_size(phase, self.parts));
                return Some(Stage { index, rate, batch });
            }
            epoch -= phase.epochs;
        }
        None
    }

    fn progress(&self, stage: &Stage) -> Progress {
        let Past { reports, sums, .. } = &self.past;
        let met = sums.batch * stage.batch;
        Progress {
            done: self.samples_done(),
            total: self.met(self.epochs()),
            epoch: reports.len() + 1,
            epochs: self.epochs(),
            loss: sums.loss / met as f64,
            accuracy: sums.right as f64 / met as f64,
            seconds: self.seconds,
        }
    }

    /// Steps of the first `epochs`.
    fn steps(&self, epochs: usize) -> u64 {
        self.sum_over_epochs(epochs, |batch| (self.parts.train.len() / batch) as u64)
    }

    /// Steps behind this run.
    fn steps_done(&self) -> u64 {
        self.steps(self.past.reports.len()) + self.past.sums.batch as u64
    }

    /// Samples behind this run.
    fn samples_done(&self) -> u64 {
        let met = self.stage().map_or(0, |stage| self.past.sums.batch * stage.batch);
        self.met(self.past.reports.len()) + met as u64
    }

    /// Samples that the first `epochs` meet.
    fn met(&self, epochs: usize) -> u64 {
        self.sum_over_epochs(epochs, |batch| (self.parts.train.len() / batch * batch) as u64)
    }

    /// The sum of `measure(batch)` over the first `epochs`.
    fn sum_over_epochs(&self, mut epochs: usize, measure: impl Fn(usize) -> u64) -> u64 {
        let sum = self.trainer.phases.iter().map(|phase| {
            let of_phase = epochs.min(phase.epochs);
            epochs -= of_phase;
            measure(batch_size(phase, self.parts)) * of_phase as u64
        });
        sum.sum()
    }
}

/// The order of an epoch depends on seed and epoch alone.
fn epoch_seed(seed: u64, epoch: usize) -> u64 {
    mix(seed, epoch as u64)
}

/// What a run learns from and how, in JSON.
fn describe(trainer: &Trainer, parts: &Split) -> String {
    let Trainer { order, phases, keep, seed, .. } = trainer;
    let standardize = parts.standardize.mean().iter().chain(parts.standardize.scale());
    let data = json!({
        "train": fingerprint(&parts.train),
        "validation": parts.validation.as_ref().map(fingerprint),
        "test": parts.test.as_ref().map(fingerprint),
        "transform": checksum(standardize.map(|value| value.to_le_bytes())),
    });
    json!({ "seed": seed, "order": order, "keep": keep, "phase": phases, "data": data }).to_string()
}

fn fingerprint(data: &Dataset) -> Value {
    let samples = match data.samples() {
        Samples::Real { values, .. } => checksum(values.iter().map(|value| value.to_le_bytes())),
        Samples::Bytes { values, .. } => format!("{:08x}", crc32fast::hash(values)),
    };
    let labels = checksum(data.labels().iter().map(|label| label.to_le_bytes()));
    json!({
        "samples": data.len(),
        "features": data.features(),
        "classes": data.label_names(),
        "crc32": samples,
        "crc32_of_labels": labels,
    })
}

/// CRC-32 of numbers, in hexadecimal digits.
fn checksum(numbers: impl Iterator<Item = [u8; 4]>) -> String {
    let mut crc = crc32fast::Hasher::new();
    numbers.for_each(|bytes| crc.update(&bytes));
    format!("{:08x}", crc.finalize())
}

impl Trainer {
    /// Trains `net` on `parts.train` and tells `listen` how it goes.
    ///
    /// # Errors
    /// [`Error::Setting`] for a phase that cannot be run, [`Error::EmptyClass`] when a class has no sample
    /// to learn from, [`Error::Diverged`] when the loss is no longer a number, and those of the layers.
    pub fn fit(
        &self,
        net: &mut Network,
        parts: &Split,
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
        parts: &Split,
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
        parts: &Split,
        engine: &Engine,
        checkpoints: &mut Checkpoints,
        listener: &mut dyn Listener,
    ) -> Result<Outcome> {
        Run::new(self, net, parts, engine, checkpoints)?.finish(listener)
    }
}
