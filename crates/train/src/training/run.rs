//! The loop over phases, epochs and batches. A run is a value with a position, so it can stop after any batch
//! and resume from there with the same result.

use std::time::Instant;

use onebit_bits::Engine;
use onebit_data::{Dataset, Split, permutation};
use onebit_model::Model;

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
        evaluate::{evaluate, evaluate_network},
        events::{EpochReport, Event, Listener, Progress},
        identity::identity,
        inspect::{Inspector, LayerReport, StepReport},
        outcome::Outcome,
        position::{BestNetwork, EpochSums, Position},
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
    /// Identity of the run, to refuse checkpoints of another one; empty without checkpoints.
    identity: String,
    position: Position,
    /// Seconds spent on training steps since this value was created.
    seconds: f64,
    /// Samples trained on since this value was created.
    samples: u64,
}

/// The settings of the current epoch.
struct EpochSettings {
    /// Index of the phase, from 0.
    phase: usize,
    rate: f64,
    batch: usize,
}

impl<'a> Run<'a> {
    /// Starts a run, or restores it from its checkpoint.
    pub(crate) fn new(
        trainer: &'a Trainer,
        net: &'a mut Network,
        parts: &'a Split,
        engine: &Engine,
        checkpoints: &'a mut Checkpoints,
    ) -> Result<Self> {
        trainer.check(parts)?;
        let identity = if checkpoints.is_active() { identity(trainer, parts) } else { String::new() };
        let restored = checkpoints.restore(net, &identity)?;
        let mut run = Self {
            trainer,
            net,
            parts,
            cx: Context::train(engine),
            checkpoints,
            identity,
            position: Position::default(),
            seconds: 0.0,
            samples: 0,
        };
        if let Some(position) = restored {
            run.position = position;
            run.check_position()?;
        }
        Ok(run)
    }

    /// Checks a position from a file.
    fn check_position(&self) -> Result<()> {
        let Position { reports, sums, best } = &self.position;
        let batch = self.epoch_settings().map(|settings| settings.batch);
        let batches = batch.map_or(0, |batch| self.parts.train.len() / batch);
        let samples = batch.map_or(0, |batch| sums.batch.saturating_mul(batch));
        let valid = reports.len() <= self.epochs()
            && sums.batch <= batches
            && sums.right <= samples
            && best.is_some() == (self.trainer.keep == Keep::Best && !reports.is_empty())
            && best.as_ref().is_none_or(|best| (1..=reports.len()).contains(&best.epoch));
        if !valid {
            return Err(CheckpointError::Header("`progress`: no position of this run".into()).into());
        }
        match best {
            Some(best) if best.deployed => Model::from_bytes(&best.bytes).map(drop).map_err(Error::from),
            _ => Ok(()),
        }
    }

    /// Runs to the end.
    pub(crate) fn finish(mut self, listener: &mut dyn Listener) -> Result<Outcome> {
        if let Some(warning) = self.checkpoints.take_warning() {
            listener.on_event(Event::Warning(&warning));
        }
        let (steps, samples) = (self.steps_done(), self.samples_done());
        listener.on_event(Event::Begin { net: self.net, steps, samples });
        while let Some(settings) = self.epoch_settings() {
            self.train_epoch(&settings, listener)?;
            self.finish_epoch(&settings, listener)?;
            let unsaved = self.checkpoints.save_after_epoch(self.net, &self.identity, &self.position);
            unsaved.iter().for_each(|warning| listener.on_event(Event::Warning(warning)));
        }
        self.outcome(listener)
    }

    /// Trains on the remaining batches of the current epoch, in the epoch's shuffled order.
    fn train_epoch(&mut self, settings: &EpochSettings, listener: &mut dyn Listener) -> Result<()> {
        let epoch = self.position.reports.len() + 1;
        let order = permutation(self.parts.train.len(), epoch_seed(self.trainer.seed, epoch));
        let steps = self.steps(self.epochs());
        let mut step = self.steps_done();
        for rows in order.chunks_exact(settings.batch).skip(self.position.sums.batch) {
            self.cx.clock =
                Clock { epoch: epoch - 1, epochs: self.epochs(), batch: self.position.sums.batch };
            step += 1;
            let inspected = listener.wants_step(step, steps);
            let start = Instant::now();
            let (loss, right, layers) = self.step(settings, rows, inspected)?;
            self.seconds += start.elapsed().as_secs_f64();
            let sums = &mut self.position.sums;
            sums.batch += 1;
            sums.loss += loss * settings.batch as f64;
            sums.right += right;
            if !sums.loss.is_finite() {
                return Err(Error::Diverged { loss, epoch });
            }
            self.samples += settings.batch as u64;
            listener.on_event(Event::Batch(self.progress(settings)));
            if let Some(layers) = layers {
                let (phase, rate) = (settings.phase + 1, settings.rate);
                let accuracy = right as f64 / rows.len() as f64;
                let report = StepReport { step, epoch, phase, rate, loss, accuracy, layers };
                listener.on_event(Event::Step(&report));
            }
            let stopped = listener.should_stop();
            let unsaved = if stopped {
                self.checkpoints.save(self.net, &self.identity, &self.position)
            } else {
                self.checkpoints.save_if_due(self.net, &self.identity, &self.position)
            };
            unsaved.iter().for_each(|warning| listener.on_event(Event::Warning(warning)));
            if stopped {
                return Err(Error::Stopped { epoch, batch: self.position.sums.batch });
            }
        }
        Ok(())
    }

    /// Trains for one step. Returns the loss, the number of correctly classified samples, and reports of the
    /// layers if the step is inspected.
    fn step(
        &mut self,
        settings: &EpochSettings,
        rows: &[usize],
        inspected: bool,
    ) -> Result<(f64, usize, Option<Vec<LayerReport>>)> {
        let batch = (self.parts, rows);
        let rate = settings.rate;
        self.cx.inspected = inspected;
        if !inspected {
            let (loss, right) = self.trainer.learn(self.net, &mut self.cx, batch, rate, &mut Unwatched)?;
            return Ok((loss, right, None));
        }
        let mut inspector = Inspector::default();
        let (loss, right) = self.trainer.learn(self.net, &mut self.cx, batch, rate, &mut inspector)?;
        Ok((loss, right, Some(inspector.finish(self.net))))
    }

    /// Evaluates the network after an epoch, reports it, and keeps it if it is the best so far.
    fn finish_epoch(&mut self, settings: &EpochSettings, listener: &mut dyn Listener) -> Result<()> {
        let Progress { epoch, loss, accuracy: train_accuracy, .. } = self.progress(settings);
        let (deployed, _) = self.export()?;
        let (parts, criterion) = (self.parts, &*self.trainer.loss);
        let mut evaluate_part = |part: &Option<Dataset>| {
            let evaluation = |part| match &deployed {
                Some(model) => evaluate(model, &self.cx.engine, part, criterion),
                None => evaluate_network(self.net, &self.cx, part, &parts.standardize, criterion),
            };
            part.as_ref().map(evaluation).transpose()
        };
        let validation = evaluate_part(&parts.validation)?;
        let test = evaluate_part(&parts.test)?;
        let report = EpochReport {
            epoch,
            phase: settings.phase + 1,
            rate: settings.rate,
            loss,
            train_accuracy,
            validation_accuracy: validation.map(|evaluation| evaluation.accuracy),
            validation_loss: validation.map(|evaluation| evaluation.loss),
            test_accuracy: test.map(|evaluation| evaluation.accuracy),
            test_loss: test.map(|evaluation| evaluation.loss),
            layers: self.net.observe(),
        };
        listener.on_event(Event::Epoch(&report));
        if self.trainer.keep == Keep::Best && self.is_best(&report) {
            let bytes = deployed.as_ref().map(Model::to_bytes);
            let bytes = bytes.map_or_else(|| checkpoint::to_bytes(self.net), Ok)?;
            self.position.best = Some(BestNetwork { epoch, deployed: deployed.is_some(), bytes });
        }
        self.position.reports.push(report);
        self.position.sums = EpochSums::default();
        Ok(())
    }

    /// Whether `report` is better than the best epoch so far; of equal ones the earlier is kept.
    fn is_best(&self, report: &EpochReport) -> bool {
        let best = self.position.best.as_ref().map(|best| &self.position.reports[best.epoch - 1]);
        best.is_none_or(|best| report.validation_accuracy > best.validation_accuracy)
    }

    fn outcome(self, listener: &mut dyn Listener) -> Result<Outcome> {
        let (mut model, not_exported) = self.export()?;
        let summary = self.net.summary();
        let Self { net, position: Position { reports: epochs, best, .. }, seconds, samples, .. } = self;
        let epoch = best.as_ref().map_or(epochs.len(), |best| best.epoch);
        match best {
            Some(BestNetwork { deployed: true, bytes, .. }) => model = Some(Model::from_bytes(&bytes)?),
            Some(BestNetwork { deployed: false, bytes, .. }) => checkpoint::from_bytes(net, &bytes)?,
            None => {}
        }
        listener.on_event(Event::End { net, deployed: model.is_some() });
        Ok(Outcome { model, not_exported, summary, epoch, epochs, seconds, samples })
    }

    /// Exports the network; returns the model, or the reason that the network cannot be exported.
    fn export(&self) -> Result<(Option<Model>, Option<Error>)> {
        if self.parts.preprocessed {
            let reason = "a model file cannot hold the preprocessing of the data (data.preprocess)";
            let (index, layer) = (0, "data".into());
            return Ok((None, Some(Error::Export { index, layer, reason: reason.into() })));
        }
        match self.net.export(&self.parts.train, &self.parts.standardize) {
            Ok(model) => Ok((Some(model), None)),
            Err(reason @ Error::Export { .. }) => Ok((None, Some(reason))),
            Err(other) => Err(other),
        }
    }

    /// Number of epochs in all phases.
    fn epochs(&self) -> usize {
        self.trainer.phases.iter().map(|phase| phase.epochs).sum()
    }

    /// Returns the settings of the current epoch; `None` when the run is over.
    fn epoch_settings(&self) -> Option<EpochSettings> {
        let mut epoch = self.position.reports.len();
        for (index, phase) in self.trainer.phases.iter().enumerate() {
            if epoch < phase.epochs {
                return Some(EpochSettings {
                    phase: index,
                    rate: phase.rate_at(epoch),
                    batch: batch_size(phase, self.parts),
                });
            }
            epoch -= phase.epochs;
        }
        None
    }

    fn progress(&self, settings: &EpochSettings) -> Progress {
        let Position { reports, sums, .. } = &self.position;
        let samples = (sums.batch * settings.batch) as f64;
        Progress {
            done: self.samples_done(),
            total: self.samples(self.epochs()),
            epoch: reports.len() + 1,
            epochs: self.epochs(),
            loss: sums.loss / samples,
            accuracy: sums.right as f64 / samples,
            seconds: self.seconds,
        }
    }

    /// Number of steps in the first `epochs`.
    fn steps(&self, epochs: usize) -> u64 {
        self.sum_over_epochs(epochs, |batch| (self.parts.train.len() / batch) as u64)
    }

    /// Number of finished steps.
    fn steps_done(&self) -> u64 {
        self.steps(self.position.reports.len()) + self.position.sums.batch as u64
    }

    /// Number of samples in the first `epochs`.
    fn samples(&self, epochs: usize) -> u64 {
        self.sum_over_epochs(epochs, |batch| (self.parts.train.len() / batch * batch) as u64)
    }

    /// Number of samples in the finished steps.
    fn samples_done(&self) -> u64 {
        let current = self.epoch_settings().map_or(0, |settings| self.position.sums.batch * settings.batch);
        self.samples(self.position.reports.len()) + current as u64
    }

    /// Returns the sum of `measure(batch)` over the first `epochs`.
    fn sum_over_epochs(&self, mut epochs: usize, measure: impl Fn(usize) -> u64) -> u64 {
        let sum = self.trainer.phases.iter().map(|phase| {
            let of_phase = epochs.min(phase.epochs);
            epochs -= of_phase;
            measure(batch_size(phase, self.parts)) * of_phase as u64
        });
        sum.sum()
    }
}

/// Returns the shuffle seed of an epoch, which depends only on the seed of the run and the epoch.
fn epoch_seed(seed: u64, epoch: usize) -> u64 {
    mix(seed, epoch as u64)
}
