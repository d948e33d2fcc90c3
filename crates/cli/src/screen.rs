//! What a person sees of a run: lines and a bar, or the whole terminal.

use std::io::{IsTerminal, stdout};

use onebit::Event;

use crate::{
    dashboard::Dashboard,
    failure::{Failure, Result},
    progress::Lines,
};

/// Shows how a run goes.
pub(crate) enum Screen {
    /// A bar on a terminal, lines elsewhere.
    Lines(Lines),
    /// The whole terminal, and what went wrong with it.
    Dashboard(Box<Dashboard>, Result<()>),
}

impl Screen {
    pub(crate) fn lines(json: bool) -> Self {
        Screen::Lines(Lines::new(json))
    }

    /// The whole terminal.
    pub(crate) fn dashboard(name: &str) -> Result<Self> {
        Ok(Screen::Dashboard(Box::new(Dashboard::new(name).map_err(failed)?), Ok(())))
    }

    /// Says whether there is a terminal to take.
    pub(crate) fn check_terminal() -> Result<()> {
        match stdout().is_terminal() {
            true => Ok(()),
            false => {
                Err(Failure::flag("--tui: expected a terminal as standard output, got a pipe or a file"))
            }
        }
    }

    pub(crate) fn hear(&mut self, event: &Event) {
        match self {
            Screen::Lines(lines) => lines.hear(event),
            Screen::Dashboard(dashboard, said) if said.is_ok() => {
                *said = dashboard.hear(event).map_err(failed)
            }
            Screen::Dashboard(..) => {}
        }
    }

    /// Keeps the first failure to print; the run goes on without.
    pub(crate) fn say(&mut self, new: Result<()>) {
        match self {
            Screen::Lines(lines) => lines.say(new),
            Screen::Dashboard(_, said) => *said = std::mem::replace(said, Ok(())).and(new),
        }
    }

    /// Takes it away, and says whether everything could be shown.
    pub(crate) fn finish(self) -> Result<()> {
        match self {
            Screen::Lines(lines) => lines.finish(),
            Screen::Dashboard(_, said) => said,
        }
    }
}

fn failed(problem: std::io::Error) -> Failure {
    Failure::other(format!("the terminal: {problem}"))
}
