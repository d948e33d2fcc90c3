//! Memory for packed operands and scratch: whole cache lines, and huge pages where it is large.
//!
//! A [`Buffer`] grows and never shrinks. [`scratch`] lends a buffer that the thread keeps, so kernels, which
//! run on the same few threads again and again, allocate nothing from their second call on. Without the
//! feature `std`, threads keep nothing, and every loan is an allocation.
//!
//! The contents are arbitrary, but always initialized.

use alloc::alloc::{alloc, dealloc, handle_alloc_error};
#[cfg(feature = "std")]
use alloc::vec::Vec;
use core::{
    alloc::Layout,
    marker::PhantomData,
    mem,
    ops::{Deref, DerefMut},
    ptr::NonNull,
    slice,
};

/// A cache line, and the longest vector.
const LINE: usize = 64;
/// A huge page.
const HUGE: usize = 2 << 20;

/// Types that any bytes are valid for: numbers, and arrays of numbers.
///
/// # Safety
/// Every bit pattern is a value, there is no padding, and the alignment is at most [`LINE`].
pub unsafe trait Plain: Copy {}

macro_rules! plain {
    ($($T:ty)*) => {
        $(
            // SAFETY: a primitive number.
            unsafe impl Plain for $T {}
        )*
    };
}
plain!(u8 u16 u32 u64 i8 i16 i32 i64 f32 f64);

// SAFETY: an array has the alignment of its elements and nothing between them.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}

/// Initialized bytes, aligned to [`LINE`] or more.
#[derive(Debug)]
struct Block {
    first: NonNull<u8>,
    layout: Layout,
}

// SAFETY: a block owns its bytes, like a vector.
unsafe impl Send for Block {}
// SAFETY: a shared block is only read.
unsafe impl Sync for Block {}

impl Block {
    const EMPTY: Self = Self { first: NonNull::<Aligned>::dangling().cast(), layout: Layout::new::<()>() };

    fn new(bytes: usize) -> Self {
        if bytes == 0 {
            return Self::EMPTY;
        }
        let align = if bytes > HUGE - LINE { HUGE } else { LINE };
        // a few bytes beyond a huge page are not worth another one
        let unit = if align == HUGE && bytes % HUGE >= HUGE / 4 { HUGE } else { LINE };
        let size = bytes.checked_next_multiple_of(unit).expect("more bytes than memory has");
        let layout = Layout::from_size_align(size, align).expect("more bytes than memory has");
        // SAFETY: the size is not zero.
        let first = NonNull::new(unsafe { alloc(layout) }).unwrap_or_else(|| handle_alloc_error(layout));
        if size >= HUGE {
            ask_for_huge_pages(first, size / HUGE * HUGE);
        }
        // SAFETY: the block has just been allocated with this size.
        unsafe { first.write_bytes(0, layout.size()) };
        Self { first, layout }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if self.layout.size() > 0 {
            // SAFETY: allocated with this layout.
            unsafe { dealloc(self.first.as_ptr(), self.layout) };
        }
    }
}

#[repr(align(64))]
struct Aligned;

/// Asks before the first touch, so that the first fault brings a huge page. The system may refuse; nothing
/// depends on it.
#[cfg(all(feature = "std", target_os = "linux", not(miri)))]
fn ask_for_huge_pages(first: NonNull<u8>, bytes: usize) {
    // SAFETY: whole pages of a live allocation, and the advice does not change what they hold.
    unsafe { libc::madvise(first.as_ptr().cast(), bytes, libc::MADV_HUGEPAGE) };
}

#[cfg(not(all(feature = "std", target_os = "linux", not(miri))))]
fn ask_for_huge_pages(_: NonNull<u8>, _: usize) {}

/// Memory for numbers that kernels read and write: a slice that begins a cache line, in huge pages if it is
/// large.
///
/// ```
/// let mut moments = onebit_bits::Buffer::zeros(1000);
/// moments[999] = 0.5f32;
/// assert_eq!(moments.len(), 1000);
/// ```
#[derive(Debug)]
pub struct Buffer<T> {
    block: Block,
    len: usize,
    numbers: PhantomData<T>,
}

impl<T: Plain> Buffer<T> {
    /// An empty buffer; allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { block: Block::EMPTY, len: 0, numbers: PhantomData }
    }

    /// A buffer of `len` zeros.
    ///
    /// # Panics
    /// Panics if they do not fit into memory.
    #[must_use]
    pub fn zeros(len: usize) -> Self {
        let mut zeros = Self::new();
        zeros.resize(len); // the bytes of a new block are 0
        zeros
    }

    /// Sets the length. The contents are arbitrary afterwards.
    pub(crate) fn resize(&mut self, len: usize) {
        const { assert!(mem::align_of::<T>() <= LINE) };
        let bytes = len.checked_mul(mem::size_of::<T>()).expect("more bytes than memory has");
        self.len = 0;
        if bytes > self.block.layout.size() {
            self.block = Block::EMPTY; // frees the old block first
            self.block = Block::new(bytes);
        }
        self.len = len;
    }
}

impl<T: Plain> Default for Buffer<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Plain> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: `resize` made room for `len` values; the bytes are initialized and aligned, and `Plain`
        // accepts any bytes.
        unsafe { slice::from_raw_parts(self.block.first.cast().as_ptr(), self.len) }
    }
}

impl<T: Plain> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as for `deref`, and `self` is borrowed mutably.
        unsafe { slice::from_raw_parts_mut(self.block.first.cast().as_ptr(), self.len) }
    }
}

/// A queue of memory that will be read soon. It is prefetched piece by piece: all at once, it would delay the
/// loads of the present.
pub struct Ahead {
    /// Start and bytes of each stretch.
    stretches: [(*const u8, usize); Self::MOST],
    len: usize,
    next: usize,
}

impl Ahead {
    /// Most stretches: eight rows of the six slices of a tuple.
    const MOST: usize = 48;

    pub(crate) fn new() -> Self {
        Self { stretches: [(core::ptr::null(), 0); Self::MOST], len: 0, next: 0 }
    }

    /// Queues the elements that begin at `first`; drops them if the queue is full.
    #[inline(always)]
    pub(crate) fn add<T>(&mut self, first: *const T, elements: usize) {
        if self.len < Self::MOST {
            self.stretches[self.len] = (first.cast(), elements * size_of::<T>());
            self.len += 1;
        }
    }

    /// Empties the queue.
    #[inline(always)]
    pub(crate) fn clear(&mut self) {
        (self.len, self.next) = (0, 0);
    }

    /// Stretches to prefetch in each of `turns` turns.
    #[inline(always)]
    pub(crate) fn per_turn(&self, turns: usize) -> usize {
        self.len.div_ceil(turns.max(1))
    }

    /// Prefetches the next `stretches` stretches into the L2 cache.
    #[inline(always)]
    pub(crate) fn ask(&mut self, stretches: usize) {
        for _ in 0..stretches.min(self.len - self.next) {
            #[cfg(all(target_arch = "x86_64", not(miri)))]
            {
                use core::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
                let (first, bytes) = self.stretches[self.next];
                for at in (0..bytes).step_by(LINE) {
                    // SAFETY: it reads nothing, and this instruction set includes SSE.
                    unsafe { _mm_prefetch::<_MM_HINT_T1>(first.wrapping_add(at).cast()) };
                }
            }
            self.next += 1;
        }
    }
}

#[cfg(feature = "std")]
std::thread_local! {
    /// Blocks that this thread keeps; the last one given back is lent first.
    static KEPT: core::cell::RefCell<Vec<Block>> = const { core::cell::RefCell::new(Vec::new()) };
}

/// A [`Buffer`] on loan, which goes back to the thread that drops it.
#[derive(Debug)]
pub(crate) struct Scratch<T: Plain>(Buffer<T>);

/// Lends `len` numbers, which are arbitrary. Loans may overlap; dropped in reverse order, the next ones get
/// the same memory.
pub(crate) fn scratch<T: Plain>(len: usize) -> Scratch<T> {
    let mut buffer = Buffer::new();
    #[cfg(feature = "std")]
    if let Ok(Some(block)) = KEPT.try_with(|kept| kept.borrow_mut().pop()) {
        buffer.block = block;
    }
    buffer.resize(len);
    Scratch(buffer)
}

impl<T: Plain> Drop for Scratch<T> {
    fn drop(&mut self) {
        #[cfg(feature = "std")]
        {
            self.0.len = 0;
            let block = mem::replace(&mut self.0.block, Block::EMPTY);
            // a thread that is ending keeps nothing
            let _ = KEPT.try_with(|kept| kept.borrow_mut().push(block));
        }
    }
}

impl<T: Plain> Deref for Scratch<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Plain> DerefMut for Scratch<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_begin_a_line_and_hold_what_they_are_given() {
        let mut buffer = Buffer::<u64>::new();
        assert!(buffer.is_empty());
        for len in [0, 1, 9, 8, HUGE / 8 - 8, HUGE / 8 - 7, HUGE / 8, HUGE / 8 + 1] {
            buffer.resize(len);
            assert_eq!(buffer.len(), len);
            let align = if len * 8 > HUGE - LINE { HUGE } else { LINE };
            assert_eq!(buffer.as_ptr().addr() % align, 0, "{len}");
            buffer.iter_mut().zip(0..).for_each(|(value, n)| *value = n);
            assert!(buffer.iter().zip(0..).all(|(&value, n)| value == n));
        }
    }

    #[test]
    fn zeros_are_zero() {
        for len in [0, 1, 100, HUGE] {
            let zeros = Buffer::<f32>::zeros(len);
            assert!(zeros.len() == len && zeros.iter().all(|zero| zero.to_bits() == 0));
        }
    }

    #[test]
    #[should_panic(expected = "more bytes than memory has")]
    fn a_length_beyond_memory_is_refused() {
        Buffer::<[f32; 16]>::new().resize(usize::MAX / 16);
    }

    #[test]
    #[cfg(feature = "std")]
    fn a_thread_keeps_its_scratch_but_lends_it_once() {
        let where_they_are = || {
            let (mut a, mut b) = (scratch::<f32>(100), scratch::<[u64; 8]>(10));
            a.fill(1.0);
            b.fill([2; 8]);
            assert!(a.iter().all(|&a| a == 1.0) && b.iter().all(|&b| b == [2; 8]));
            (a.as_ptr().addr(), b.as_ptr().addr())
        };
        let first = where_they_are();
        assert_ne!(first.0, first.1);
        assert_eq!(where_they_are(), first);
        assert_eq!(
            std::thread::spawn(where_they_are).join().map(|other| other.0 != first.0).ok(),
            Some(true)
        );
    }
}
