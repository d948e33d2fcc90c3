//! Writes the folder of a run.

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
        DataInfo, Environment, EpochLine, Examination, LayerBits, Line, RunFolder, RunInfo, RunResult,
        Status, StepLine,
        bit_image::weights,
        examine,
        folder::{now, run_error, write_json},
        tensorboard::TensorBoard,
    },
    network::Network,
    training::{EpochReport, Event, Listener, Outcome, Progress, input::input, is_sampled},
};

/// Default number of inspected steps.
const STEPS: u64 = 100;

/// Maximum time that a line stays in memory.
const FLUSH: Duration = Duration::from_secs(1);

/// A listener that writes the folder of a run. If metrics cannot be written, the run continues without them,
/// and [`failure`](Self::failure) returns the reason once.
///
/// ```
/// use onebit_train::{config, experiment, record::{Line, Recorder, RunFolder}};
///
/// let path = std::env::temp_dir().join(format!("onebit-doc-{}", std::process::id()));
/// let config = config::preset("iris")?;
/// let split = experiment::load(&config, None)?;
/// let engine = onebit_bits::Engine::single();
///
/// let folder = RunFolder::create(&path)?;
/// let mut recorder = Recorder::begin(&folder, "iris", &config, &split, &engine)?.with_steps(5);
/// let outcome = experiment::training(&config, &split)?.listener(&mut recorder).run()?;
/// recorder.finish(&outcome)?;
///
/// let lines = folder.read_metrics()?;
/// assert_eq!(lines.iter().filter(|line| matches!(line, Line::Epoch(_))).count(), 20);
/// assert_eq!(lines.iter().filter(|line| matches!(line, Line::Step(_))).count(), 5);
/// # std::fs::remove_dir_all(path).expect("the folder exists");
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct Recorder<'a> {
    folder: RunFolder,
    parts: &'a Split,
    engine: &'a Engine,
    info: RunInfo,
    metrics: Option<BufWriter<File>>,
    flushed: Instant,
    /// Whether to write an event file.
    for_tensorboard: bool,
    tensorboard: Option<TensorBoard>,
    /// Number of steps to inspect.
    steps: u64,
    /// Number of finished steps.
    step: u64,
    progress: Option<Progress>,
    /// Samples and seconds at the end of the previous epoch.
    before: (u64, f64),
    weights: Vec<LayerBits>,
    examination: Option<Examination>,
    failure: Option<String>,
}

impl<'a> Recorder<'a> {
    /// Records a new run: writes the configuration and `run.json`. `name` is the name to display.
    ///
    /// # Errors
    /// [`Error::Model`] when a file cannot be written.
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

    /// Records a resumed run: when it begins, the metrics of steps after its checkpoint are dropped.
    ///
    /// # Errors
    /// [`Error::Run`] when `run.json` cannot be read or `result.json` cannot be removed.
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
            steps: STEPS,
            step: 0,
            progress: None,
            before: (0, 0.0),
            weights: Vec::new(),
            examination: None,
            failure: None,
        }
    }

    /// Sets the number of steps to inspect, evenly spaced over the run; the default is 100, and 0 inspects
    /// none.
    #[must_use]
    pub fn with_steps(self, steps: u64) -> Self {
        Self { steps, ..self }
    }

    /// Also writes an event file for TensorBoard.
    #[must_use]
    pub fn for_tensorboard(self) -> Self {
        Self { for_tensorboard: true, ..self }
    }

    /// Takes the reason that something could not be written, if any.
    pub fn failure(&mut self) -> Option<String> {
        self.failure.take()
    }

    /// Writes the result of a finished run, and the model if there is one.
    ///
    /// # Errors
    /// [`Error::Model`] when a file cannot be written, and the errors of evaluating the model.
    pub fn finish(mut self, outcome: &Outcome) -> Result<()> {
        self.flush();
        let kept = outcome.kept();
        if let Some(model) = &outcome.model {
            model.save(self.folder.model_path())?;
            let (part, data) = evaluation_part(self.parts);
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

    /// Writes the result of a run that an error ended.
    ///
    /// # Errors
    /// [`Error::Model`] when the file cannot be written.
    pub fn give_up(mut self, reason: &Error) -> Result<()> {
        self.flush();
        let result = RunResult {
            status: if matches!(reason, Error::Stopped { .. }) { Status::Stopped } else { Status::Failed },
            reason: Some(reason.to_string()),
            ended: now(),
            ..RunResult::default()
        };
        write_json(&self.folder.result_path(), &result)
    }

    /// Writes `run.json` and opens the metrics, without the lines after step `steps`.
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
            serde_json::to_writer(&mut kept, line).expect("a line has only names and numbers");
            kept.push(b'\n');
        }
        onebit_model::replace(&[(path.clone(), &kept)])?;
        let file = File::options().append(true).open(&path).map_err(|e| run_error(&path, e.to_string()))?;
        self.metrics = Some(BufWriter::new(file));
        if self.for_tensorboard {
            self.tensorboard = Some(TensorBoard::create(self.folder.path(), steps)?);
        }
        self.step = steps;
        self.before = (samples, 0.0);
        Ok(())
    }

    /// Writes a line of metrics.
    fn write(&mut self, line: &Line) {
        let Some(metrics) = &mut self.metrics else { return };
        let mut text = serde_json::to_vec(line).expect("a line has only names and numbers");
        text.push(b'\n');
        let flush = self.flushed.elapsed() >= FLUSH || matches!(line, Line::Epoch(_));
        let written = metrics.write_all(&text).and_then(|()| if flush { metrics.flush() } else { Ok(()) });
        if flush {
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

    /// Stops writing metrics, and keeps the reason.
    fn fail(&mut self, reason: String) {
        self.metrics = None;
        self.tensorboard = None;
        let path = self.folder.metrics_path();
        self.failure = Some(format!("{} is no longer written: {reason}", path.display()));
    }

    /// Examines the network itself, if there is no model.
    fn examine_network(&mut self, net: &mut Network) -> Result<()> {
        let (part, data) = evaluation_part(self.parts);
        let cx = Context::evaluate(self.engine);
        let found = examine(part, data, |rows| {
            let x = input(&cx, data, &self.parts.standardize, rows)?;
            let scores = net.forward(&cx, x)?.into_real("examine")?;
            Ok(scores.values().to_vec())
        })?;
        self.examination = Some(found);
        Ok(())
    }

    /// Writes the line of an epoch.
    fn epoch(&mut self, report: &EpochReport) {
        let now = self.progress.map_or(self.before, |p| (p.done, p.seconds));
        let (samples, seconds) = (now.0.saturating_sub(self.before.0), now.1 - self.before.1);
        self.before = now;
        let rate = samples as f64 / seconds.max(1e-9);
        let line = EpochLine::new(report, &self.info.layers, self.step, now.1, rate);
        self.write(&Line::Epoch(line));
    }
}

/// Returns the part of the data to examine a network on: the test part, else the validation part, else the
/// training part.
fn evaluation_part(parts: &Split) -> (&'static str, &Dataset) {
    match (&parts.test, &parts.validation) {
        (Some(test), _) => ("test", test),
        (None, Some(validation)) => ("validation", validation),
        (None, None) => ("train", &parts.train),
    }
}

impl Listener for Recorder<'_> {
    fn on_event(&mut self, event: Event) {
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

    fn wants_step(&mut self, step: u64, steps: u64) -> bool {
        self.steps > 0 && self.metrics.is_some() && is_sampled(step, steps, self.steps)
    }
}
