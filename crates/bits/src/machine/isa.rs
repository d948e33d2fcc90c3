//! Instruction sets, and the one door through which a kernel enters them.
//!
//! `simd!` compiles a function once for every instruction set. Its first argument is a value of the type `S`,
//! which has the [vector operations](crate::simd::Simd) of the set; the caller passes an [`Isa`] instead. A
//! body that is a plain loop ignores it: the compiler's own vectorizer then finds AVX2 or AVX-512 without a
//! line of intrinsics.
//!
//! ```text
//! simd! {
//!     fn ones<S>(_s: S, words: &[u64]) -> u32 { words.iter().map(|w| w.count_ones()).sum() }
//! }
//! ones(isa, &words)
//! ```
//!
//! A body loops with `for`, and every function that it calls is `#[inline(always)]`: a function that stays a
//! call, such as `for_each` with a long closure, is compiled without the instruction set. Results must be the
//! same, bit for bit, on every instruction set; the tests compare all of them with the oracle.

use alloc::{string::ToString, vec, vec::Vec};

use crate::error::{Error, Result};
#[cfg(target_arch = "x86_64")]
use crate::simd::{with_avx2, with_avx512};

/// An instruction set that this machine has.
///
/// Only detection makes values of this type, so a value proves that the machine executes the instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(Level);

/// The instruction sets that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// Plain Rust, which every machine of the target runs.
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// Part of every 64-bit Arm with an operating system.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// Chosen by the build, because a browser has no detection.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Simd128,
}

/// Whether all of the features exist: on this CPU with `std`, in the compilation target without.
#[cfg(target_arch = "x86_64")]
macro_rules! has {
    ([$($feature:tt)+]) => {{
        #[cfg(feature = "std")]
        let has = $(std::arch::is_x86_feature_detected!($feature))&&+;
        #[cfg(not(feature = "std"))]
        let has = $(cfg!(target_feature = $feature))&&+;
        has
    }};
}

impl Isa {
    /// Plain Rust, which every machine of the target runs.
    pub const PORTABLE: Self = Self(Level::Portable);

    /// All instruction sets of this machine, the best last.
    #[must_use]
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut, reason = "some targets have nothing to add")]
        let mut all = vec![Self::PORTABLE];
        #[cfg(target_arch = "x86_64")]
        if with_avx2!((has)) {
            all.push(Self(Level::Avx2));
            if with_avx512!((has)) {
                all.push(Self(Level::Avx512));
            }
        }
        #[cfg(target_arch = "aarch64")]
        if cfg!(target_feature = "neon") {
            all.push(Self(Level::Neon));
        }
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        all.push(Self(Level::Simd128));
        all
    }

    /// The best instruction set of this machine.
    #[must_use]
    pub fn best() -> Self {
        Self::available().pop().unwrap_or(Self::PORTABLE)
    }

    /// The instruction set of this name: `portable`, `avx2`, `avx512`, `neon` or `simd128`.
    ///
    /// # Errors
    /// [`Error::Isa`], which lists the available ones, if it is unknown or this machine lacks it.
    pub fn named(name: &str) -> Result<Self> {
        let all = Self::available();
        all.iter().copied().find(|isa| isa.name() == name).ok_or_else(|| Error::Isa {
            name: name.to_string(),
            available: all.iter().map(|isa| isa.name()).collect(),
        })
    }

    /// The name, in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Level::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => "avx512",
            #[cfg(target_arch = "aarch64")]
            Level::Neon => "neon",
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Level::Simd128 => "simd128",
        }
    }

    /// Runs plain loops compiled for this instruction set.
    #[inline]
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        enter(self, kernel)
    }

    pub(crate) fn level(self) -> Level {
        self.0
    }
}

/// Whether the processor has the instruction of AVX-512 BF16.
pub(crate) fn has_bf16() -> bool {
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    let has = std::arch::is_x86_feature_detected!("avx512bf16");
    #[cfg(not(all(feature = "std", target_arch = "x86_64")))]
    let has = cfg!(target_feature = "avx512bf16");
    has
}

/// Plain loops that [`Isa::run`] compiles for every instruction set, so that the compiler vectorizes them for
/// each.
///
/// `run` and every function that it calls are `#[inline(always)]` and loop with `for`: a function that stays
/// a call is compiled without the instruction set. Products are never fused with sums, so f32 results are the
/// same on all sets.
///
/// ```
/// use onebit_bits::{Isa, Kernel};
///
/// struct Scale<'a>(f32, &'a mut [f32]);
///
/// impl Kernel for Scale<'_> {
///     type Output = ();
///     #[inline(always)]
///     fn run(self) {
///         for x in self.1 {
///             *x *= self.0;
///         }
///     }
/// }
///
/// let mut x = [1.0, 2.0];
/// Isa::best().run(Scale(0.5, &mut x));
/// assert_eq!(x, [0.5, 1.0]);
/// ```
pub trait Kernel {
    /// The result of the loops.
    type Output;

    /// Runs the loops; `#[inline(always)]`.
    fn run(self) -> Self::Output;
}

/// Compiles a function that is generic over [`Simd`](crate::simd::Simd) for every instruction set; the caller
/// passes an [`Isa`] as first argument, the body gets the vectors as its first.
macro_rules! simd {
    (
        $(#[$meta:meta])*
        $vis:vis fn $name:ident <S $(, $T:ident: $bound:path)*>
        ($s:ident: S $(, $arg:ident: $type:ty)* $(,)?) $(-> $out:ty)? $body:block
    ) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments, reason = "one more than the body: the instruction set")]
        $vis fn $name <$($T: $bound),*> (isa: $crate::Isa $(, $arg: $type)*) $(-> $out)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments, reason = "one more than the caller passes: the vectors")]
            fn body <S: $crate::simd::Simd $(, $T: $bound)*> ($s: S $(, $arg: $type)*) $(-> $out)? $body

            #[cfg(target_arch = "x86_64")]
            $crate::simd::with_avx2! { ($crate::simd::enabled)
                #[allow(clippy::too_many_arguments, reason = "the arguments of the body")]
                fn avx2 <$($T: $bound),*> ($($arg: $type),*) $(-> $out)? {
                    body($crate::simd::Avx2::new() $(, $arg)*)
                }
            }

            #[cfg(target_arch = "x86_64")]
            $crate::simd::with_avx512! { ($crate::simd::enabled)
                #[allow(clippy::too_many_arguments, reason = "the arguments of the body")]
                fn avx512 <$($T: $bound),*> ($($arg: $type),*) $(-> $out)? {
                    body($crate::simd::Avx512::new() $(, $arg)*)
                }
            }

            use $crate::machine::Level;
            match isa.level() {
                Level::Portable => body($crate::simd::Portable $(, $arg)*),
                #[cfg(target_arch = "x86_64")]
                // SAFETY: an `Isa` of this level is only made where detection found these features.
                Level::Avx2 => unsafe { avx2($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: an `Isa` of this level is only made where detection found these features.
                Level::Avx512 => unsafe { avx512($($arg),*) },
                #[cfg(target_arch = "aarch64")]
                Level::Neon => body($crate::simd::Neon::new() $(, $arg)*),
                #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
                Level::Simd128 => body($crate::simd::Simd128::new() $(, $arg)*),
            }
        }
    };
}

pub(crate) use simd;

simd! {
    #[inline]
    fn enter<S, K: Kernel>(_s: S, kernel: K) -> K::Output { kernel.run() }
}

/// Compiles a function of slices and numbers for every instruction set, by way of [`Kernel`]; the caller
/// passes an [`Isa`] as first argument.
///
/// The function names its lifetime and returns nothing. Whatever its body calls is `#[inline(always)]`, and
/// it loops with `for`. Results are the same on every instruction set.
///
/// ```
/// use onebit_bits::{Isa, vectorized};
///
/// vectorized! {
///     /// `y_i = scale x_i`.
///     fn scale<'a>(x: &'a [f32], scale: f32, y: &'a mut [f32]) {
///         for (y, x) in y.iter_mut().zip(x) {
///             *y = scale * x;
///         }
///     }
/// }
///
/// let mut y = [0.0; 2];
/// scale(Isa::best(), &[1.0, 2.0], 0.5, &mut y);
/// assert_eq!(y, [0.5, 1.0]);
/// ```
#[macro_export]
macro_rules! vectorized {
    (
        $(#[$meta:meta])*
        $vis:vis fn $name:ident<$life:lifetime>($($arg:ident: $type:ty),* $(,)?) $body:block
    ) => {
        $(#[$meta])*
        $vis fn $name<$life>(isa: $crate::Isa, $($arg: $type),*) {
            struct Arguments<$life> { $($arg: $type),* }

            impl $crate::Kernel for Arguments<'_> {
                type Output = ();

                #[inline(always)]
                fn run(self) {
                    let Self { $($arg),* } = self;
                    $body
                }
            }

            isa.run(Arguments { $($arg),* })
        }
    };
}
