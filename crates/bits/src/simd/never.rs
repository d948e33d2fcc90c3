//! The vectors of instruction sets that cannot permute whole ones: none.

use super::operations::Wide;

/// A type without values.
#[derive(Clone, Copy)]
pub(crate) enum Never {}

macro_rules! never {
    ($($name:ident($($arg:ident: $type:ty),*) $(-> $out:ty)?;)*) => {$(
        #[inline(always)]
        fn $name(self $(, $arg: $type)*) $(-> $out)? {
            $(let _ = $arg;)*
            match self {}
        }
    )*};
}

impl Wide for Never {
    type V = Self;

    never! {
        splat32(x: u32) -> Self;
        shr32_4(a: Self) -> Self;
        add32(a: Self, b: Self) -> Self;
        halves16(lower: usize, upper: usize) -> Self;
        add16(a: Self, b: Self) -> Self;
        mul16(a: Self, b: Self) -> Self;
        permute16(table: Self, index: Self) -> Self;
        bf16_add(a: Self, b: Self) -> Self;
        scale32(a: Self, scale: f32) -> Self;
        add_halves(a: Self) -> Self;
        add16_permuted(sums: [Self; 2], table: Self, index: [Self; 2]) -> [Self; 2];
        index16(words: Self) -> Self;
        real_add_permuted(sums: [Self; 2], table: Self, index: [Self; 2]) -> [Self; 2];
    }

    #[inline(always)]
    unsafe fn load(self, _: *const u8) -> Self {
        match self {}
    }

    #[inline(always)]
    unsafe fn bf16_add_permuted(self, _: [Self; 2], _: Self, _: [Self; 2]) -> [Self; 2] {
        match self {}
    }

    #[inline(always)]
    unsafe fn store(self, _: *mut u8, _: Self) {
        match self {}
    }
}
