//! A trial: one configuration, trained with every seed.

use std::time::Instant;

use onebit::{
    Engine, Error, Event, Listener, Split,
    config::{self, Config},
    experiment,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{failure::Result, interrupt};

/// A finished trial.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Trial {
    pub(super) trial: u64,
    pub(super) settings: Vec<String>,
    /// Validation accuracy with each seed.
    pub(super) validation: Vec<f64>,
    pub(super) seconds: f64,
    /// The reason that it failed, if it did.
    pub(super) failed: Option<String>,
}

impl Trial {
    /// Mean validation accuracy; `None` for a failed trial.
    pub(super) fn mean(&self) -> Option<f64> {
        let n = self.validation.len() as f64;
        (self.failed.is_none() && n > 0.0).then(|| self.validation.iter().sum::<f64>() / n)
    }

    /// Population standard deviation of the validation accuracy; `None` for a failed trial.
    pub(super) fn deviation(&self) -> Option<f64> {
        let mean = self.mean()?;
        let n = self.validation.len() as f64;
        Some((self.validation.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt())
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "event": "trial",
            "trial": self.trial,
            "settings": self.settings,
            "validation_accuracy": self.mean(),
            "validation": self.validation,
            "seconds": self.seconds,
            "failed": self.failed,
        })
    }
}

/// Trains `base` with the drawn settings, once with each of the seeds 0, 1, ..; `None` if it was interrupted.
pub(super) fn run(
    number: u64,
    drawn: Vec<String>,
    base: &Config,
    parts: &[Split],
    engine: &Engine,
) -> Result<Option<Trial>> {
    let start = Instant::now();
    let config = config::parse("", &base.to_toml(), &drawn);
    let mut trial =
        Trial { trial: number, settings: drawn, validation: Vec::new(), seconds: 0.0, failed: None };
    let config = match config {
        Ok(config) => config,
        Err(reason) => return Ok(Some(Trial { failed: Some(reason.to_string()), ..trial })),
    };
    for (seed, parts) in (0..).zip(parts) {
        let config = Config { seed, ..config.clone() };
        let training = experiment::training(&config, parts);
        match training.and_then(|training| training.engine(engine).listener(StopWhenRequested).run()) {
            Ok(outcome) => trial.validation.extend(outcome.kept().validation_accuracy),
            Err(Error::Stopped { .. }) => return Ok(None),
            // Settings that cannot be trained are a result too.
            Err(reason @ (Error::Diverged { .. } | Error::Setting { .. })) => {
                trial.failed = Some(reason.to_string());
                break;
            }
            Err(other) => return Err(other.into()),
        }
    }
    trial.seconds = start.elapsed().as_secs_f64();
    Ok(Some(trial))
}

/// Ignores all events, and stops the run when Ctrl-C was pressed.
struct StopWhenRequested;

impl Listener for StopWhenRequested {
    fn on_event(&mut self, _event: Event) {}

    fn should_stop(&mut self) -> bool {
        interrupt::is_requested()
    }
}
