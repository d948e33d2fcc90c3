//! The display of a run: lines with a progress bar, or a dashboard on the full terminal.

use std::io::{IsTerminal, stdout};

use onebit::Event;

use crate::failure::{Failure, Result};

mod dashboard;
mod lines;

use dashboard::Dashboard;
use lines::Lines;

/// The display of a run.
pub(super) enum Screen {
    /// A progress bar on a terminal, lines elsewhere.
    Lines(Lines),
    /// The full terminal, and the first failure to draw on it.
    Dashboard(Box<Dashboard>, Result<()>),
}

impl Screen {
    pub(crate) fn lines(json: bool) -> Self {
        Screen::Lines(Lines::new(json))
    }

    /// Takes the full terminal.
    pub(crate) fn dashboard(name: &str) -> Result<Self> {
        Ok(Screen::Dashboard(Box::new(Dashboard::new(name).map_err(failed)?), Ok(())))
    }

    /// Fails if standard output is not a terminal.
    pub(crate) fn check_terminal() -> Result<()> {
        if stdout().is_terminal() {
            return Ok(());
        }
        Err(Failure::flag("--tui: expected a terminal as standard output, got a pipe or a file"))
    }

    pub(crate) fn hear(&mut self, event: &Event) {
        match self {
            Screen::Lines(lines) => lines.hear(event),
            Screen::Dashboard(dashboard, drawn) if drawn.is_ok() => {
                *drawn = dashboard.hear(event).map_err(failed)
            }
            Screen::Dashboard(..) => {}
        }
    }

    /// Keeps the first failure to print; the run continues.
    pub(crate) fn keep_failure(&mut self, printed: Result<()>) {
        match self {
            Screen::Lines(lines) => lines.keep_failure(printed),
            Screen::Dashboard(_, drawn) => *drawn = std::mem::replace(drawn, Ok(())).and(printed),
        }
    }

    /// Removes the display and returns the first failure to show something.
    pub(crate) fn finish(self) -> Result<()> {
        match self {
            Screen::Lines(lines) => lines.finish(),
            Screen::Dashboard(_, drawn) => drawn,
        }
    }
}

fn failed(problem: std::io::Error) -> Failure {
    Failure::other(format!("the terminal: {problem}"))
}
