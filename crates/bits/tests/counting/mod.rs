//! The system's allocator, and what it was asked for: there is no safe way to know. For tests in binaries of
//! their own, of this crate and of those above, because it counts what the whole process allocates.
#![allow(dead_code, reason = "each test reads what it is about")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// How often, for how many bytes in all, and how many in one block.
pub(crate) static CALLS: AtomicUsize = AtomicUsize::new(0);
pub(crate) static ASKED: AtomicUsize = AtomicUsize::new(0);
pub(crate) static LARGEST: AtomicUsize = AtomicUsize::new(0);
/// Bytes that are allocated by now, and the most that ever were.
pub(crate) static LIVE: AtomicUsize = AtomicUsize::new(0);
pub(crate) static PEAK: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: every call goes to the system's allocator as it is; a block that grows is one more that is
// allocated.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Relaxed);
        ASKED.fetch_add(layout.size(), Relaxed);
        LARGEST.fetch_max(layout.size(), Relaxed);
        let live = LIVE.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(live, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;
