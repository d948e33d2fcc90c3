//! The progress of training: a bar on a terminal, a line per epoch elsewhere, or JSON lines.

use std::{
    io::{IsTerminal, stderr, stdout},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use onebit::{EpochReport, Event, Progress};
use serde_json::{Value, json};

use crate::{
    failure::{Failure, Result},
    output,
    text::{percent, share},
};

/// Prints the progress of a run.
pub(crate) struct Lines {
    json: bool,
    bar: Option<ProgressBar>,
    last_flips: Option<f64>,
    /// The first failure to print.
    failure: Option<Failure>,
}

impl Lines {
    pub(crate) fn new(json: bool) -> Self {
        // The bar, on standard error, replaces the lines on standard output.
        let bar = (!json && stdout().is_terminal() && stderr().is_terminal()).then(|| {
            let style = ProgressStyle::with_template("{bar:24} {percent:>3} %  {msg}  {eta} left");
            let bar = ProgressBar::new(0).with_style(style.expect("the template is well-formed"));
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self { json, bar, last_flips: None, failure: None }
    }

    pub(crate) fn hear(&mut self, event: &Event) {
        match event {
            Event::Batch(progress) => self.batch(progress),
            Event::Warning(warning) => match &self.bar {
                Some(bar) => bar.suspend(|| output::warn(warning)),
                None => output::warn(warning),
            },
            Event::Epoch(report) => {
                self.last_flips = report.update_ratio();
                if self.bar.is_none() && self.failure.is_none() {
                    self.keep_failure(if self.json {
                        output::json(&epoch_json(report))
                    } else {
                        output::line(epoch_line(report))
                    });
                }
            }
            _ => {}
        }
    }

    /// Keeps the first failure to print; the run continues.
    pub(crate) fn keep_failure(&mut self, printed: Result<()>) {
        self.failure = self.failure.take().or(printed.err());
    }

    /// Removes the bar and returns the first failure to print.
    pub(crate) fn finish(self) -> Result<()> {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
        self.failure.map_or(Ok(()), Err)
    }

    fn batch(&self, p: &Progress) {
        if let Some(bar) = &self.bar {
            bar.set_length(p.total);
            bar.set_position(p.done);
            let flips = share(self.last_flips);
            bar.set_message(format!(
                "epoch {}/{}  loss {:.4}  accuracy {}  flip ratio {flips}",
                p.epoch,
                p.epochs,
                p.loss,
                percent(Some(p.accuracy)),
            ));
        }
    }
}

fn epoch_line(r: &EpochReport) -> String {
    let mut line =
        format!("epoch {:>4}  loss {:.4}  train {:>8}", r.epoch, r.loss, percent(Some(r.train_accuracy)));
    for (name, accuracy) in [("validation", r.validation_accuracy), ("test", r.test_accuracy)] {
        if accuracy.is_some() {
            line += &format!("  {name} {:>8}", percent(accuracy));
        }
    }
    line + &format!("  flip ratio {}", share(r.update_ratio()))
}

fn epoch_json(r: &EpochReport) -> Value {
    let layers = r.layers.iter().map(|(name, o)| {
        json!({
            "layer": name,
            "flip_ratio": o.flip_ratio,
            "update_ratio": o.update_ratio,
            "dead_weights": o.dead_weights,
            "mean_of_bits": o.mean_of_bits,
        })
    });
    json!({
        "event": "epoch",
        "epoch": r.epoch,
        "phase": r.phase,
        "rate": r.rate,
        "loss": r.loss,
        "train_accuracy": r.train_accuracy,
        "validation_accuracy": r.validation_accuracy,
        "test_accuracy": r.test_accuracy,
        "layers": layers.collect::<Vec<_>>(),
    })
}
