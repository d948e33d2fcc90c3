//! The listeners to a run.

use onebit::{Event, Listener, record::Recorder};

use super::screen::Screen;
use crate::interrupt;

/// The screen, the recorder of the run's folder, and Ctrl-C.
pub(super) struct Listeners<'a> {
    pub(super) screen: Screen,
    pub(super) recorder: Option<Recorder<'a>>,
}

impl Listener for Listeners<'_> {
    fn on_event(&mut self, event: Event) {
        self.screen.hear(&event);
        if let Some(recorder) = &mut self.recorder {
            recorder.on_event(event);
            if let Some(failure) = recorder.failure() {
                self.screen.hear(&Event::Warning(&failure));
            }
        }
    }

    fn wants_step(&mut self, step: u64, steps: u64) -> bool {
        self.recorder.as_mut().is_some_and(|recorder| recorder.wants_step(step, steps))
    }

    fn should_stop(&mut self) -> bool {
        interrupt::is_requested()
    }
}
