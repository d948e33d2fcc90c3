//! The heap, and how much of it and of the stack was ever in use.

use core::{
    alloc::{GlobalAlloc, Layout},
    mem::MaybeUninit,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use cortex_m_rt::STACK_PAINT_VALUE;
use embedded_alloc::LlffHeap;

/// Bytes of the heap.
const SIZE: usize = 32 << 10;

struct Measured {
    heap: LlffHeap,
    most: AtomicUsize,
}

#[global_allocator]
static HEAP: Measured = Measured { heap: LlffHeap::empty(), most: AtomicUsize::new(0) };

// SAFETY: every call goes to the heap as it is.
unsafe impl GlobalAlloc for Measured {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let at = unsafe { self.heap.alloc(layout) };
        self.most.fetch_max(self.heap.used(), Relaxed);
        at
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { self.heap.dealloc(at, layout) }
    }
}

/// To be called once, before anything is allocated.
pub fn start() {
    static mut MEMORY: [MaybeUninit<u8>; SIZE] = [MaybeUninit::uninit(); SIZE];
    // SAFETY: nothing else uses this memory, and the heap refuses to be initialized twice.
    unsafe { HEAP.heap.init(&raw mut MEMORY as usize, SIZE) }
}

/// Bytes that are allocated now.
pub fn heap_in_use() -> usize {
    HEAP.heap.used()
}

/// The most bytes that were ever allocated.
pub fn heap_at_most() -> usize {
    HEAP.most.load(Relaxed)
}

/// The deepest that the stack ever was, in bytes: it lies above what still has the paint of the start.
pub fn stack_at_most() -> usize {
    unsafe extern "C" {
        static _stack_end: u32;
        static _stack_start: u32;
    }
    let (low, high) = (&raw const _stack_end, &raw const _stack_start);
    let mut used = low;
    // SAFETY: these words are memory of the stack, from the lowest to the one below its start.
    while used < high && unsafe { used.read_volatile() } == STACK_PAINT_VALUE {
        used = used.wrapping_add(1);
    }
    high as usize - used as usize
}
