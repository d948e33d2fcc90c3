//! The progress of a download: a bar on a terminal, lines elsewhere, or JSON lines.

use std::io::{IsTerminal, stderr, stdout};

use indicatif::{ProgressBar, ProgressStyle};
use onebit::data::download::DownloadEvent;
use serde_json::json;

use crate::{
    failure::{Failure, Result},
    output,
    text::bytes,
};

/// Prints the progress of the download of a set.
pub(crate) struct Listener<'a> {
    set: &'a str,
    json: bool,
    bar: Option<ProgressBar>,
    /// Tenths of the file reported so far.
    tenths: u64,
    /// The first failure to print.
    failure: Option<Failure>,
}

impl<'a> Listener<'a> {
    pub(crate) fn new(set: &'a str, json: bool) -> Self {
        let bar = (!json && stdout().is_terminal() && stderr().is_terminal()).then(|| {
            let style = "{bar:24} {percent:>3} %  {msg}  {decimal_bytes_per_sec}  {eta} left";
            let style = ProgressStyle::with_template(style).expect("the template is well-formed");
            ProgressBar::new(0).with_style(style)
        });
        Self { set, json, bar, tenths: 0, failure: None }
    }

    pub(crate) fn hear(&mut self, event: DownloadEvent) {
        match event {
            DownloadEvent::Begins { file, from, bytes, .. } => {
                self.tenths = 10 * from / bytes.max(1);
                if let Some(bar) = &self.bar {
                    bar.set_length(bytes);
                    bar.set_position(from);
                    bar.set_message(file.to_string());
                    bar.reset_eta();
                }
            }
            DownloadEvent::Progress { done, bytes, .. } => {
                if let Some(bar) = &self.bar {
                    return bar.set_position(done);
                }
                let tenths = 10 * done / bytes.max(1);
                if tenths <= self.tenths || bytes < 1_000_000 || done == bytes {
                    return;
                }
                self.tenths = tenths;
            }
            _ => {}
        }
        // The download continues even if nothing can be printed.
        if self.failure.is_none() {
            let printed = match (self.json, &self.bar) {
                (true, _) => output::json(&self.object(&event)),
                (false, Some(bar)) => bar.suspend(|| line(&event, true)),
                (false, None) => line(&event, false),
            };
            self.failure = printed.err();
        }
    }

    /// Removes the bar and returns the first failure to print.
    pub(crate) fn finish(self) -> Result<()> {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
        self.failure.map_or(Ok(()), Err)
    }

    fn object(&self, event: &DownloadEvent) -> serde_json::Value {
        let mut object = match event {
            DownloadEvent::Waiting => json!({"event": "waiting"}),
            DownloadEvent::There { file } => json!({"event": "there", "file": file}),
            DownloadEvent::Damaged { file } => json!({"event": "damaged", "file": file}),
            DownloadEvent::Begins { file, url, from, bytes } => {
                json!({"event": "begins", "file": file, "url": url, "from": from, "bytes": bytes})
            }
            DownloadEvent::Progress { file, done, bytes } => {
                json!({"event": "progress", "file": file, "done": done, "bytes": bytes})
            }
            DownloadEvent::Failed { file, url, reason, again } => {
                let again = again.map(|pause| pause.as_secs_f64());
                json!({"event": "failed", "file": file, "url": url, "reason": reason, "again_in": again})
            }
            DownloadEvent::Fetched { file, bytes } => {
                json!({"event": "fetched", "file": file, "bytes": bytes})
            }
            DownloadEvent::Unpacked { path } => json!({"event": "unpacked", "file": path}),
            _ => json!({"event": "other"}),
        };
        object["set"] = self.set.into();
        object
    }
}

/// Prints an event as a line; a bar shows the progress itself.
fn line(event: &DownloadEvent, bar: bool) -> Result<()> {
    let size = |n: u64| bytes(n as usize);
    output::line(match *event {
        DownloadEvent::Waiting => "waiting for another process that downloads the same set".into(),
        DownloadEvent::There { file } => format!("{file}: exists already"),
        DownloadEvent::Damaged { file } => {
            format!("{file}: exists, but is not the published file; downloading it")
        }
        DownloadEvent::Begins { .. } | DownloadEvent::Progress { .. } if bar => return Ok(()),
        DownloadEvent::Begins { file, url, from: 0, bytes } => format!("{file}: {} from {url}", size(bytes)),
        DownloadEvent::Begins { file, url, from, bytes } => {
            format!("{file}: the remaining {} of {} from {url}", size(bytes - from), size(bytes))
        }
        DownloadEvent::Progress { file, done, bytes } => {
            format!("{file}: {} % of {}", 100 * done / bytes.max(1), size(bytes))
        }
        DownloadEvent::Failed { file, url, reason, again } => {
            let next =
                again.map_or("giving up".into(), |pause| format!("retrying in {:.1} s", pause.as_secs_f64()));
            output::warn(&format!("{file}: {url}: {reason}; {next}"));
            return Ok(());
        }
        DownloadEvent::Fetched { file, .. } => format!("{file}: complete, SHA-256 as published"),
        DownloadEvent::Unpacked { path } => format!("{path}: unpacked"),
        _ => return Ok(()),
    })
}
