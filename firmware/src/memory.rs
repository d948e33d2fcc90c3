//! The heap, and measurements of heap and stack.

use core::{
    alloc::{GlobalAlloc, Layout},
    mem::MaybeUninit,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use cortex_m_rt::STACK_PAINT_VALUE;
use embedded_alloc::LlffHeap;

/// Bytes of the heap.
const SIZE: usize = 32 << 10;

/// A heap that records its peak.
struct Measured {
    heap: LlffHeap,
    most: AtomicUsize,
}

#[global_allocator]
static HEAP: Measured = Measured { heap: LlffHeap::empty(), most: AtomicUsize::new(0) };

// SAFETY: all calls are passed on to the heap unchanged.
unsafe impl GlobalAlloc for Measured {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc`.
        let at = unsafe { self.heap.alloc(layout) };
        self.most.fetch_max(self.heap.used(), Relaxed);
        at
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { self.heap.dealloc(at, layout) }
    }
}

/// Initializes the heap. Call it once, before the first allocation.
pub fn start() {
    static mut MEMORY: [MaybeUninit<u8>; SIZE] = [MaybeUninit::uninit(); SIZE];
    // SAFETY: nothing else uses this memory, and the heap refuses to be initialized twice.
    unsafe { HEAP.heap.init(&raw mut MEMORY as usize, SIZE) }
}

/// Bytes allocated now.
pub fn heap_in_use() -> usize {
    HEAP.heap.used()
}

/// The most bytes that were allocated at any time.
pub fn heap_at_most() -> usize {
    HEAP.most.load(Relaxed)
}

/// The most bytes of stack in use at any time. At the start the stack is painted with a pattern; it has grown
/// down to the lowest word without it.
pub fn stack_at_most() -> usize {
    unsafe extern "C" {
        static _stack_end: u32;
        static _stack_start: u32;
    }
    let (low, high) = (&raw const _stack_end, &raw const _stack_start);
    let mut used = low;
    // SAFETY: the words from the end of the stack to its start are memory of the stack.
    while used < high && unsafe { used.read_volatile() } == STACK_PAINT_VALUE {
        used = used.wrapping_add(1);
    }
    high as usize - used as usize
}
