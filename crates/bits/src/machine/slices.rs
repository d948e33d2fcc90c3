//! Slices that threads share part by part.

use core::{marker::PhantomData, ops::Range};

use super::memory::Ahead;
use crate::error::{Error, Result};

/// A slice, or a tuple of up to six slices of one length, for [`Engine::chunks`](crate::Engine::chunks):
/// `&mut [T]` is divided among the threads, `&[T]` is divided alike.
pub trait Slices: Parts {}

impl<S: Parts> Slices for S {}

/// How [`Slices`] are divided: not nameable outside of the crate.
pub trait Parts: Sized {
    /// What the threads share.
    type Shared: Sync;

    /// The length that all slices have.
    fn common_len(&self) -> Result<usize>;

    /// Takes the slices apart.
    fn share(self) -> Self::Shared;

    /// # Safety
    /// The range must lie within the slices, and be disjoint from every other range asked for.
    unsafe fn part(shared: &Self::Shared, range: Range<usize>) -> Self;

    /// A range that will be a part soon.
    fn ahead(shared: &Self::Shared, range: Range<usize>, ahead: &mut Ahead);
}

/// A slice that is lent in disjoint parts.
#[derive(Debug)]
pub struct SharedSlice<'a, T> {
    first: *mut T,
    len: usize,
    slice: PhantomData<&'a mut [T]>,
}

// SAFETY: through it threads only get disjoint parts of a `&mut [T]`, so no `T` is shared, but sent.
unsafe impl<T: Send> Sync for SharedSlice<'_, T> {}

impl<'a, T> SharedSlice<'a, T> {
    pub(crate) fn new(slice: &'a mut [T]) -> Self {
        Self { first: slice.as_mut_ptr(), len: slice.len(), slice: PhantomData }
    }

    /// Where an element is, which whoever it is lent to may write.
    pub(crate) fn at(&self, index: usize) -> *mut T {
        debug_assert!(index <= self.len);
        self.first.wrapping_add(index)
    }

    /// # Safety
    /// The range must lie within the slice, and be disjoint from every other part in use.
    pub(crate) unsafe fn part(&self, range: Range<usize>) -> &'a mut [T] {
        debug_assert!(range.start <= range.end && range.end <= self.len);
        // SAFETY: the elements exist, live for 'a and are borrowed by nobody else, says the caller.
        unsafe { core::slice::from_raw_parts_mut(self.first.add(range.start), range.len()) }
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
        // SAFETY: as the caller promises.
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
                // SAFETY: as the caller promises.
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
