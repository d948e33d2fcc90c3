//! Ctrl-C: once to stop after the batch, twice to stop at once.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::output;

/// Exit code of a command that was interrupted, as shells have it: 128 and the number of the signal.
pub(crate) const INTERRUPTED: u8 = 130;

static ASKED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C is a wish.
pub(crate) fn listen() {
    // where there is no such signal it stays what it was
    let _ = ctrlc::set_handler(|| {
        if ask() {
            std::process::exit(INTERRUPTED.into());
        }
        output::note("stopping after this batch; Ctrl-C again stops at once, without saving");
    });
}

/// Wishes to stop, and says whether someone did before.
pub(crate) fn ask() -> bool {
    ASKED.swap(true, Relaxed)
}

/// Whether someone wished to stop.
pub(crate) fn asked() -> bool {
    ASKED.load(Relaxed)
}
