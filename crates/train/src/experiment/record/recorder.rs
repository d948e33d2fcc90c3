//! Writes a run down while it goes on.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    time::{Duration, Instant},
};

use onebit_bits::Engine;
use onebit_data::{Dataset, Split};

use crate::{
    config::Config,
    contract::context::Context,
    error::{Error, Result},
    experiment::record::{
        DataInfo, Environment, EpochLine, Examination, Line, RunFolder, RunInfo, RunResult, Status, StepLine,
        bit_image::weights,
        examine,
        folder::{now, run_error, write_json},
        tensorboard::TensorBoard,
    },
    network::Network,
    training::{Event, Listener, Outcome, Progress, evenly, input::input},
};

/// Steps of a run that are looked at.
const LOOKS: u64 = 100;

/// How long a line may wait in memory.
const FLUSH: Duration = Duration::from_secs(1);

/// Listens to a run and writes its folder. What cannot be written is said once, by [`failure`](Self::failure), and the
/// run goes on.
pub struct Recorder<'a> {
    folder: RunFolder,
    parts: &'a Split,
    engine: &'a Engine,
    info: RunInfo,
    metrics: Option<BufWriter<File>>,
    flushed: Instant,
    /// Whether there is to be an event file, and it.
    for_tensorboard: bool,
    tensorboard: Option<TensorBoard>,
    looks: u64,
    step: u64,
    progress: Option<Progress>,
    /// Samples and seconds at the end of the epoch before.
    before: (u64, f64),
    weights: Vec<crate::experiment::record::LayerBits>,
    examination: Option<Examination>,
    failure: Option<String>,
}

impl<'a> Recorder<'a> {
    /// Of a run that begins: writes the configuration. `name` is what is trained, for people.
    ///
    /// # Errors
    /// [`Error::Model`] when it cannot be written.
    pub fn begin(
        folder: &RunFolder,
        name: &str,
        config: &Config,
        parts: &'a Split,
        engine: &'a Engine,
    ) -> Result<Self> {
        let text = config.to_toml();
        onebit_model::replace(&[(folder.config_path(), text.as_bytes())])?;
        let info = RunInfo {
            format: RunInfo::FORMAT.into(),
            name: name.into(),
            started: now(),
            resumed: Vec::new(),
            environment: Environment::here(engine),
            data: DataInfo::of(parts),
            layers: Vec::new(),
            weights: Vec::new(),
        };
        write_json(&folder.info_path(), &info)?;
        Ok(Self::new(folder, info, parts, engine))
    }

    /// Of a run that goes on: what was written after its checkpoint is forgotten once it begins.
    ///
    /// # Errors
    /// [`Error::Run`] when the folder cannot be read.
    pub fn resume(folder: &RunFolder, parts: &'a Split, engine: &'a Engine) -> Result<Self> {
        let mut info = folder.read_info()?;
        info.resumed.push(now());
        let result = folder.result_path();
        if result.exists() {
            fs::remove_file(&result).map_err(|e| run_error(&result, e.to_string()))?;
        }
        Ok(Self::new(folder, info, parts, engine))
    }

    fn new(folder: &RunFolder, info: RunInfo, parts: &'a Split, engine: &'a Engine) -> Self {
        Self {
            folder: folder.clone(),
            parts,
            engine,
            info,
            metrics: None,
            flushed: Instant::now(),
            for_tensorboard: false,
            tensorboard: None,
            looks: LOOKS,
            step: 0,
            progress: None,
            before: (0, 0.0),
            weights: Vec::new(),
            examination: None,
            failure: None,
        }
    }

    /// Another number of steps that are looked at than 100; with 0 none is.
    #[must_use]
    pub fn looking_at(self, looks: u64) -> Self {
        Self { looks, ..self }
    }

    /// Writes an event file for TensorBoard too.
    #[must_use]
    pub fn for_tensorboard(self) -> Self {
        Self { for_tensorboard: true, ..self }
    }

    /// What could not be written, if it was not told before.
    pub fn failure(&mut self) -> Option<String> {
        self.failure.take()
    }

    /// Writes what came of the run, and the model.
    ///
    /// # Errors
    /// Those of the model, and of writing.
    pub fn finish(mut self, outcome: &Outcome) -> Result<()> {
        self.flush();
        let kept = outcome.kept();
        if let Some(model) = &outcome.model {
            model.save(self.folder.model_path())?;
            let (part, data) = judged_part(self.parts);
            let session = model.session(self.engine)?;
            self.examination = Some(examine(part, data, |rows| Ok(session.scores(&data.gather(rows))?))?);
        }
        let result = RunResult {
            status: Status::Finished,
            reason: None,
            ended: now(),
            epoch: Some(outcome.epoch),
            train_accuracy: Some(kept.train_accuracy),
            validation_accuracy: kept.validation_accuracy,
            test_accuracy: kept.test_accuracy,
            seconds: outcome.seconds,
            samples_per_second: outcome.samples as f64 / outcome.seconds.max(1e-9),
            model_bytes: outcome.model.as_ref().map(|model| model.to_bytes().len()),
            no_model: outcome.not_exported.as_ref().map(Error::to_string),
            layers: outcome.summary.clone(),
            weights: self.weights,
            examination: self.examination,
        };
        write_json(&self.folder.result_path(), &result)
    }

    /// Writes why the run ended early.
    ///
    /// # Errors
    /// Those of writing.
    pub fn give_up(mut self, reason: &Error) -> Result<()> {
        self.flush();
        let status = match reason {
            Error::Stopped { .. } => Status::Stopped,
            _ => Status::Failed,
        };
        let (reason, ended) = (Some(reason.to_string()), now());
        write_json(&self.folder.result_path(), &RunResult { status, reason, ended, ..RunResult::default() })
    }

    fn open(&mut self, net: &Network, steps: u64, samples: u64) -> Result<()> {
        let first = self.info.layers.is_empty();
        self.info.layers = net.labels();
        if first {
            self.info.weights = weights(net);
        }
        write_json(&self.folder.info_path(), &self.info)?;
        let path = self.folder.metrics_path();
        let mut kept = Vec::new();
        for line in self.folder.read_metrics()?.iter().filter(|line| line.step() <= steps) {
            serde_json::to_writer(&mut kept, line).expect("it has only names and numbers");
            kept.push(b'\n');
        }
        onebit_model::replace(&[(path.clone(), &kept)])?;
        let file = File::options().append(true).open(&path).map_err(|e| run_error(&path, e.to_string()))?;
        self.metrics = Some(BufWriter::new(file));
        if self.for_tensorboard {
            self.tensorboard = Some(TensorBoard::create(self.folder.path(), steps)?);
        }
        (self.step, self.before) = (steps, (samples, 0.0));
        Ok(())
    }

    fn write(&mut self, line: &Line) {
        let Some(metrics) = &mut self.metrics else { return };
        let mut text = serde_json::to_vec(line).expect("it has only names and numbers");
        text.push(b'\n');
        let late = self.flushed.elapsed() >= FLUSH || matches!(line, Line::Epoch(_));
        let written = metrics.write_all(&text).and_then(|()| if late { metrics.flush() } else { Ok(()) });
        if late {
            self.flushed = Instant::now();
        }
        let shown = self.tensorboard.as_mut().map_or(Ok(()), |board| board.write(line));
        if let Err(e) = written.and(shown) {
            self.fail(e.to_string());
        }
    }

    fn flush(&mut self) {
        if let Some(Err(e)) = self.metrics.as_mut().map(Write::flush) {
            self.fail(e.to_string());
        }
    }

    /// Stops to write metrics.
    fn fail(&mut self, reason: String) {
        (self.metrics, self.tensorboard) = (None, None);
        let path = self.folder.metrics_path();
        self.failure = Some(format!("{} is written no further: {reason}", path.display()));
    }

    /// Where there is no model that could be examined.
    fn examine_network(&mut self, net: &mut Network) -> Result<()> {
        let (part, data) = judged_part(self.parts);
        let cx = Context::evaluate(self.engine);
        let found = examine(part, data, |rows| {
            let x = input(&cx, data, &self.parts.standardize, rows)?;
            let scores = net.forward(&cx, x)?.into_real("examine")?;
            Ok(scores.values().to_vec())
        })?;
        self.examination = Some(found);
        Ok(())
    }

    fn epoch(&mut self, report: &crate::EpochReport) {
        let now = self.progress.map_or(self.before, |p| (p.done, p.seconds));
        let (samples, seconds) = (now.0.saturating_sub(self.before.0), now.1 - self.before.1);
        self.before = now;
        let rate = samples as f64 / seconds.max(1e-9);
        let line = EpochLine::new(report, &self.info.layers, self.step, now.1, rate);
        self.write(&Line::Epoch(line));
    }
}

/// The part of the data that a network is judged by: that for the test, else that for validation, else all.
fn judged_part(parts: &Split) -> (&'static str, &Dataset) {
    match (&parts.test, &parts.validation) {
        (Some(test), _) => ("test", test),
        (None, Some(validation)) => ("validation", validation),
        (None, None) => ("train", &parts.train),
    }
}

impl Listener for Recorder<'_> {
    fn hear(&mut self, event: Event) {
        match event {
            Event::Begin { net, steps, samples } => {
                if let Err(e) = self.open(net, steps, samples) {
                    self.fail(e.to_string());
                }
            }
            Event::Batch(progress) => {
                self.step += 1;
                self.progress = Some(progress);
            }
            Event::Step(report) => {
                let seconds = self.progress.map_or(0.0, |p| p.seconds);
                self.write(&Line::Step(StepLine { seconds, report: report.clone() }));
            }
            Event::Epoch(report) => self.epoch(report),
            Event::End { net, deployed } => {
                self.weights = weights(net);
                if !deployed && let Err(e) = self.examine_network(net) {
                    self.failure = Some(format!("the network was not examined: {e}"));
                }
            }
            Event::Warning(_) => {}
        }
    }

    fn looks_at(&mut self, step: u64, steps: u64) -> bool {
        self.looks > 0 && self.metrics.is_some() && evenly(step, steps, self.looks)
    }
}
