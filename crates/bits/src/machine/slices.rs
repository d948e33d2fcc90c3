//! Slices that threads share: each thread gets ranges that no other thread has.

use core::{marker::PhantomData, ops::Range};

use super::memory::Ahead;
use crate::error::{Error, Result};

/// A slice, or a tuple of up to six slices of one length, for [`Engine::chunks`](crate::Engine::chunks). Both
/// `&mut [T]` and `&[T]` are divided among the threads, at the same places.
pub trait Slices: Parts {}

impl<S: Parts> Slices for S {}

/// How [`Slices`] are divided; not nameable outside of the crate.
pub trait Parts: Sized {
    /// The slices in a form that threads share.
    type Shared: Sync;

    /// The length that all slices have.
    fn common_len(&self) -> Result<usize>;

    /// Makes the slices shareable.
    fn share(self) -> Self::Shared;

    /// A range of each slice.
    ///
    /// # Safety
    /// The range lies within the slices, and is disjoint from every other range in use.
    unsafe fn part(shared: &Self::Shared, range: Range<usize>) -> Self;

    /// Notes a range whose part will be asked for soon.
    fn ahead(shared: &Self::Shared, range: Range<usize>, ahead: &mut Ahead);
}

/// A mutable slice that threads borrow in disjoint parts.
#[derive(Debug)]
pub struct SharedSlice<'a, T> {
    first: *mut T,
    len: usize,
    slice: PhantomData<&'a mut [T]>,
}

// SAFETY: threads only get disjoint parts of a `&mut [T]` from it, so each `T` is sent to one thread, never
// shared.
unsafe impl<T: Send> Sync for SharedSlice<'_, T> {}

impl<'a, T> SharedSlice<'a, T> {
    pub(crate) fn new(slice: &'a mut [T]) -> Self {
        Self { first: slice.as_mut_ptr(), len: slice.len(), slice: PhantomData }
    }

    /// Pointer to element `index`; the borrower of that range may write through it.
    pub(crate) fn at(&self, index: usize) -> *mut T {
        debug_assert!(index <= self.len);
        self.first.wrapping_add(index)
    }

    /// A range of the slice.
    ///
    /// # Safety
    /// The range lies within the slice, and is disjoint from every other part in use.
    pub(crate) unsafe fn part(&self, range: Range<usize>) -> &'a mut [T] {
        debug_assert!(range.start <= range.end && range.end <= self.len);
        // SAFETY: the range lies within the slice, which lives for 'a, and no other part in use overlaps it:
        // both are this function's conditions.
        unsafe { core::slice::from_raw_parts_mut(self.first.add(range.start), range.len()) }
    }
}

impl<T> SharedSlice<'_, T> {
    /// The whole slice; nobody else has a part of it while it is borrowed.
    pub(crate) fn whole(&mut self) -> &mut [T] {
        // SAFETY: the slice lives for 'a, and `self` is borrowed mutably, so no part is in use.
        unsafe { core::slice::from_raw_parts_mut(self.first, self.len) }
    }
}

impl<'a, T: Send> Parts for &'a mut [T] {
    type Shared = SharedSlice<'a, T>;

    fn common_len(&self) -> Result<usize> {
        Ok(self.len())
    }

    fn share(self) -> SharedSlice<'a, T> {
        SharedSlice::new(self)
    }

    unsafe fn part(shared: &SharedSlice<'a, T>, range: Range<usize>) -> Self {
        // SAFETY: the conditions are those of this function.
        unsafe { shared.part(range) }
    }

    fn ahead(shared: &SharedSlice<'a, T>, range: Range<usize>, ahead: &mut Ahead) {
        ahead.add(shared.first.wrapping_add(range.start), range.len());
    }
}

impl<T: Sync> Parts for &[T] {
    type Shared = Self;

    fn common_len(&self) -> Result<usize> {
        Ok(self.len())
    }

    fn share(self) -> Self {
        self
    }

    unsafe fn part(shared: &Self, range: Range<usize>) -> Self {
        &shared[range]
    }

    fn ahead(shared: &Self, range: Range<usize>, ahead: &mut Ahead) {
        ahead.add(shared.as_ptr().wrapping_add(range.start), range.len());
    }
}

macro_rules! tuple {
    ($First:ident $first:ident $(, $S:ident $s:ident)*) => {
        impl<$First: Parts $(, $S: Parts)*> Parts for ($First, $($S,)*) {
            type Shared = ($First::Shared, $($S::Shared,)*);

            fn common_len(&self) -> Result<usize> {
                let ($first, $($s,)*) = self;
                let expected = $first.common_len()?;
                $(match $s.common_len()? {
                    got if got == expected => {}
                    got => return Err(Error::Length { op: "chunks", operand: "every slice", expected, got }),
                })*
                Ok(expected)
            }

            fn share(self) -> Self::Shared {
                let ($first, $($s,)*) = self;
                ($first.share(), $($s.share(),)*)
            }

            unsafe fn part(shared: &Self::Shared, range: Range<usize>) -> Self {
                let ($first, $($s,)*) = shared;
                // SAFETY: the range lies within all slices, which have one length, and is disjoint from the
                // others.
                unsafe { ($First::part($first, range.clone()), $($S::part($s, range.clone()),)*) }
            }

            fn ahead(shared: &Self::Shared, range: Range<usize>, ahead: &mut Ahead) {
                let ($first, $($s,)*) = shared;
                $First::ahead($first, range.clone(), ahead);
                $($S::ahead($s, range.clone(), ahead);)*
            }
        }
    };
}

tuple!(A a, B b);
tuple!(A a, B b, C c);
tuple!(A a, B b, C c, D d);
tuple!(A a, B b, C c, D d, E e);
tuple!(A a, B b, C c, D d, E e, F f);
