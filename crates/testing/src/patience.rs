//! Waits that end: a test that fails must not hang.

use std::{
    process::{Child, Command, Output},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

/// Far longer than anything that is waited for takes, on any machine.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// Waits until `condition` holds.
///
/// # Panics
/// If it does not within [`PATIENCE`].
#[track_caller]
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < PATIENCE, "no {what} within {PATIENCE:?}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Waits for the end of a program, and returns its exit status and what it wrote into pipes. A program that
/// does not end within [`PATIENCE`] is killed, which its status shows.
pub fn output(child: Child) -> Output {
    let (id, (ended, end)) = (child.id().to_string(), mpsc::channel::<()>());
    let guard = thread::spawn(move || {
        if end.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            Command::new("kill").args(["-9", &id]).status().expect("the program can be killed");
        }
    });
    let output = child.wait_with_output().expect("the program can be waited for");
    drop(ended);
    guard.join().expect("nothing went wrong");
    output
}
