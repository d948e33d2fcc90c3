//! The loop: phases, epochs, batches. A run is a value with a position, so it can stop after any batch and go on
//! from there to the same result.

use std::time::Instant;

use onebit_bits::Engine;
use onebit_model::Model;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    checkpoint::{self, CheckpointError, Checkpoints},
    data::{Dataset, Samples, permutation},
    error::{Error, Result},
    evaluate::{accuracy, network_accuracy},
    layer::{Clock, Context},
    network::Network,
    report::{EpochReport, Event, Outcome, Progress},
    step::Unwatched,
    trainer::{Keep, Parts, Trainer, batch_size},
};

/// A training run between two batches.
pub(crate) struct Run<'a> {
    trainer: &'a Trainer,
    net: &'a mut Network,
    parts: &'a Parts,
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

/// What a run has behind it, besides the state of its network.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Past {
    /// Epochs that are done and evaluated: one report each.
    pub(crate) reports: Vec<EpochReport>,
    /// The present epoch.
    pub(crate) sums: Sums,
    /// The best network so far, when it is to be kept.
    pub(crate) best: Option<Best>,
}

/// What the batches of an epoch add up to.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Sums {
    /// How many are done.
    pub(crate) batch: usize,
    /// The loss over their samples.
    pub(crate) loss: f64,
    /// How many of these were right.
    pub(crate) right: usize,
}

/// A network that was better than those before it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Best {
    /// Its epoch, from 1.
    pub(crate) epoch: usize,
    /// Whether it is kept as the network to deploy; else it is kept as its state.
    pub(crate) deployed: bool,
    /// The file of the one or of the other.
    #[serde(skip)]
    pub(crate) bytes: Vec<u8>,
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
        parts: &'a Parts,
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
    pub(crate) fn finish(mut self, listen: &mut dyn FnMut(Event)) -> Result<Outcome> {
        if let Some(warning) = self.checkpoints.warning() {
            listen(Event::Warning(&warning));
        }
        while let Some(stage) = self.stage() {
            self.learn(&stage, listen)?;
            self.conclude(&stage, listen)?;
            let unsaved = self.checkpoints.save(self.net, &self.description, &self.past);
            unsaved.iter().for_each(|warning| listen(Event::Warning(warning)));
        }
        self.outcome()
    }

    /// What is left of the present epoch, in an order of its own.
    fn learn(&mut self, stage: &Stage, listen: &mut dyn FnMut(Event)) -> Result<()> {
        let epoch = self.past.reports.len() + 1;
        let order = permutation(self.parts.train.len(), epoch_seed(self.trainer.seed, epoch));
        for rows in order.chunks_exact(stage.batch).skip(self.past.sums.batch) {
            self.cx.clock = Clock { epoch: epoch - 1, epochs: self.epochs(), batch: self.past.sums.batch };
            let start = Instant::now();
            let batch = (self.parts, rows);
            let (loss, right) =
                self.trainer.learn(self.net, &mut self.cx, batch, stage.rate, &mut Unwatched)?;
            self.seconds += start.elapsed().as_secs_f64();
            let sums = &mut self.past.sums;
            sums.batch += 1;
            sums.loss += loss * stage.batch as f64;
            sums.right += right;
            if !sums.loss.is_finite() {
                return Err(Error::Diverged { loss, epoch });
            }
            self.samples += stage.batch as u64;
            listen(Event::Batch(self.progress(stage)));
            let unsaved = self.checkpoints.save_if_due(self.net, &self.description, &self.past);
            unsaved.iter().for_each(|warning| listen(Event::Warning(warning)));
        }
        Ok(())
    }

    /// Evaluates the network after an epoch.
    fn conclude(&mut self, stage: &Stage, listen: &mut dyn FnMut(Event)) -> Result<()> {
        let Progress { epoch, loss, accuracy: train_accuracy, .. } = self.progress(stage);
        let (deployed, _) = self.export()?;
        let parts = self.parts;
        let mut judge = |part: &Option<Dataset>| {
            let accuracy = |part| match &deployed {
                Some(model) => accuracy(model, &self.cx.engine, part),
                None => network_accuracy(self.net, &self.cx, part, &parts.standardize),
            };
            part.as_ref().map(accuracy).transpose()
        };
        let report = EpochReport {
            epoch,
            phase: stage.index + 1,
            rate: stage.rate,
            loss,
            train_accuracy,
            validation_accuracy: judge(&parts.validation)?,
            test_accuracy: judge(&parts.test)?,
            layers: self.net.observe(),
        };
        listen(Event::Epoch(&report));
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

    fn outcome(self) -> Result<Outcome> {
        let (mut model, not_exported) = self.export()?;
        let summary = self.net.summary();
        let Self { past: Past { reports: epochs, best, .. }, seconds, samples, .. } = self;
        let epoch = best.as_ref().map_or(epochs.len(), |best| best.epoch);
        match best {
            Some(Best { deployed: true, bytes, .. }) => model = Some(Model::from_bytes(&bytes)?),
            Some(Best { deployed: false, bytes, .. }) => checkpoint::from_bytes(self.net, &bytes)?,
            None => {}
        }
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
            done: self.met(reports.len()) + met as u64,
            total: self.met(self.epochs()),
            epoch: reports.len() + 1,
            epochs: self.epochs(),
            loss: sums.loss / met as f64,
            accuracy: sums.right as f64 / met as f64,
        }
    }

    /// Samples that the first `epochs` meet.
    fn met(&self, mut epochs: usize) -> u64 {
        let met = self.trainer.phases.iter().map(|phase| {
            let batch = batch_size(phase, self.parts);
            let of_phase = epochs.min(phase.epochs);
            epochs -= of_phase;
            (self.parts.train.len() / batch * batch) as u64 * of_phase as u64
        });
        met.sum()
    }
}

/// The order of an epoch depends on seed and epoch alone.
fn epoch_seed(seed: u64, epoch: usize) -> u64 {
    seed ^ (epoch as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// What a run learns from and how, in JSON.
fn describe(trainer: &Trainer, parts: &Parts) -> String {
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
