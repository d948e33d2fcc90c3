//! The system's allocator, counting: there is no other safe way to know what was allocated. For test binaries
//! of this crate and of those above it.
//!
//! [`counted`] sees only the calling thread, so that tests may run side by side; [`CALLS`] sees the whole
//! process, for a test in a binary of its own.
#![allow(dead_code, reason = "each test binary reads what it is about")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// Number of allocations of the whole process.
pub(crate) static CALLS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static TALLY: Tally = const { Tally::new() };
}

/// Allocations of one thread. It may free what others have allocated, so `live` may fall below 0.
struct Tally {
    asked: Cell<usize>,
    largest: Cell<usize>,
    live: Cell<isize>,
    peak: Cell<isize>,
}

impl Tally {
    const fn new() -> Self {
        Self { asked: Cell::new(0), largest: Cell::new(0), live: Cell::new(0), peak: Cell::new(0) }
    }

    fn add(&self, bytes: usize) {
        self.asked.set(self.asked.get() + bytes);
        self.largest.set(self.largest.get().max(bytes));
        self.live.set(self.live.get() + bytes.cast_signed());
        self.peak.set(self.peak.get().max(self.live.get()));
    }

    fn remove(&self, bytes: usize) {
        self.live.set(self.live.get() - bytes.cast_signed());
    }
}

/// Bytes that a thread allocated: in all, in the largest block, and the most at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allocated {
    pub(crate) asked: usize,
    pub(crate) largest: usize,
    pub(crate) peak: usize,
}

/// Runs `run` and counts what the calling thread allocates meanwhile. Not to be nested.
pub(crate) fn counted<T>(run: impl FnOnce() -> T) -> (T, Allocated) {
    let before = TALLY.with(|tally| {
        tally.asked.set(0);
        tally.largest.set(0);
        tally.peak.set(tally.live.get());
        tally.live.get()
    });
    let result = run();
    let allocated = TALLY.with(|tally| Allocated {
        asked: tally.asked.get(),
        largest: tally.largest.get(),
        peak: (tally.peak.get() - before).cast_unsigned(),
    });
    (result, allocated)
}

struct Counting;

// SAFETY: every call goes to the system's allocator as it is; a block that grows is one more that is
// allocated. The tally is made at compile time and needs no destructor, so that looking at it never allocates
// and never fails.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Relaxed);
        TALLY.with(|tally| tally.add(layout.size()));
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        TALLY.with(|tally| tally.remove(layout.size()));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;
