//! Ctrl-C: the first press stops after the current batch, the second at once.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::output;

/// Exit code of an interrupted command, by shell convention: 128 plus the number of the signal.
pub(crate) const EXIT_CODE: u8 = 130;

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Makes Ctrl-C request a stop instead of ending the process.
pub(crate) fn listen() {
    // Where no handler can be installed, Ctrl-C keeps its usual effect.
    let _ = ctrlc::set_handler(|| {
        if request() {
            std::process::exit(EXIT_CODE.into());
        }
        output::note("stopping after this batch; press Ctrl-C again to stop at once without saving");
    });
}

/// Requests a stop and returns whether one had been requested before.
pub(crate) fn request() -> bool {
    REQUESTED.swap(true, Relaxed)
}

/// Whether a stop was requested.
pub(crate) fn is_requested() -> bool {
    REQUESTED.load(Relaxed)
}
