//! A meeting point of threads for tests: unlike a barrier it fails rather than hangs.

use std::{
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

/// How long to wait for the others: an overloaded machine may need seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until a number of threads have come.
pub(crate) struct Meeting {
    expected: usize,
    come: Mutex<usize>,
    all: Condvar,
}

impl Meeting {
    pub(crate) fn of(threads: usize) -> Self {
        Self { expected: threads, come: Mutex::new(0), all: Condvar::new() }
    }

    /// Comes, and waits for the others.
    ///
    /// # Panics
    /// If they do not come.
    pub(crate) fn wait(&self) {
        let mut come = self.come.lock().unwrap_or_else(PoisonError::into_inner);
        *come += 1;
        self.all.notify_all();
        let waited = self.all.wait_timeout_while(come, PATIENCE, |come| *come < self.expected);
        let (come, patience) = waited.unwrap_or_else(PoisonError::into_inner);
        let count = *come;
        drop(come);
        assert!(!patience.timed_out(), "{count} of {} threads came", self.expected);
    }
}
