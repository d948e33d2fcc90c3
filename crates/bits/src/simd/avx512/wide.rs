//! AVX-512: permutations of whole vectors.

use core::arch::x86_64::*;

use super::vectors::{Avx512, is};
use crate::simd::{Simd, Wide};

impl Wide for Avx512 {
    type V = __m512i;

    is! {
        add32(a, b) = _mm512_add_epi32;
        add16(a, b) = _mm512_add_epi16;
        mul16(a, b) = _mm512_mullo_epi16;
    }

    #[inline(always)]
    unsafe fn load(self, from: *const u8) -> __m512i {
        // SAFETY: the bytes can be read, which is this function's condition, and `self` is the proof of
        // AVX-512.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut u8, v: __m512i) {
        // SAFETY: the bytes can be written, which is this function's condition, and `self` is the proof of
        // AVX-512.
        unsafe { _mm512_storeu_si512(to.cast(), v) }
    }

    #[inline(always)]
    fn splat32(self, x: u32) -> __m512i {
        Simd::splat32(self, x)
    }

    #[inline(always)]
    fn shr32_4(self, a: __m512i) -> __m512i {
        // SAFETY: `self` is the proof of AVX-512.
        unsafe { _mm512_srli_epi32::<4>(a) }
    }

    #[inline(always)]
    fn halves16(self, lower: usize, upper: usize) -> __m512i {
        // SAFETY: `self` is the proof of AVX-512.
        unsafe {
            let lower = _mm512_castsi256_si512(_mm256_set1_epi16(lower as i16));
            _mm512_inserti64x4::<1>(lower, _mm256_set1_epi16(upper as i16))
        }
    }

    #[inline(always)]
    fn permute16(self, table: __m512i, index: __m512i) -> __m512i {
        // SAFETY: `self` is the proof of AVX-512.
        unsafe { _mm512_permutexvar_epi16(index, table) }
    }

    #[inline(always)]
    fn scale32(self, a: __m512i, scale: f32) -> __m512i {
        // SAFETY: `self` is the proof of AVX-512.
        unsafe { _mm512_castps_si512(_mm512_mul_ps(_mm512_set1_ps(scale), _mm512_cvtepi32_ps(a))) }
    }

    #[inline(always)]
    fn add_halves(self, a: __m512i) -> __m512i {
        // SAFETY: `self` is the proof of AVX-512.
        unsafe { _mm512_madd_epi16(a, _mm512_set1_epi16(1)) }
    }

    #[inline(always)]
    fn index16(self, words: __m512i) -> __m512i {
        // SAFETY: `self` is the proof of AVX-512. The truth table of `(a & b) | c`.
        unsafe {
            _mm512_ternarylogic_epi32::<0xea>(
                words,
                _mm512_set1_epi32(0x000f_000f),
                _mm512_set1_epi32(0x0010_0000),
            )
        }
    }

    #[inline(always)]
    fn add16_permuted(self, sums: [__m512i; 2], table: __m512i, index: [__m512i; 2]) -> [__m512i; 2] {
        // SAFETY: `self` is the proof of AVX-512.
        unsafe { add16_permuted(sums, table, index) }
    }

    #[inline(always)]
    fn real_add_permuted(self, sums: [__m512i; 2], table: __m512i, index: [__m512i; 2]) -> [__m512i; 2] {
        // SAFETY: `self` is the proof of AVX-512.
        unsafe { real_add_permuted(sums, table, index) }
    }

    #[inline(always)]
    fn bf16_add(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` is the proof of AVX-512.
        let (upper, lower) =
            unsafe { (_mm512_and_si512(b, _mm512_set1_epi32(!0xffff)), _mm512_slli_epi32::<16>(b)) };
        self.real_add(self.real_add(a, upper), lower)
    }

    #[inline(always)]
    unsafe fn bf16_add_permuted(
        self,
        sums: [__m512i; 2],
        table: __m512i,
        index: [__m512i; 2],
    ) -> [__m512i; 2] {
        // SAFETY: the processor has AVX-512 BF16, which is this function's condition, and `self` is the proof
        // of AVX-512.
        unsafe { bf16_add_permuted(sums, table, index) }
    }
}

/// Two permutations and the additions of their results, in this order. The compiler would change it, and Zen
/// 4 takes up to a tenth longer for other orders.
macro_rules! permuted {
    ($(#[$meta:meta])* $name:ident: $permute:literal, $($add:literal),* $(; $one:ident = $value:expr)?) => {
        $(#[$meta])*
        #[inline]
        #[target_feature(enable = "avx512f,avx512bw")]
        fn $name(sums: [__m512i; 2], table: __m512i, index: [__m512i; 2]) -> [__m512i; 2] {
            let [mut first, mut second] = sums;
            let (_x, _y): (__m512i, __m512i); // an output without a type gets a register that has no name
            // SAFETY: instructions of AVX-512 F and BW that touch nothing but these registers.
            unsafe {
                core::arch::asm!(
                    concat!($permute, " {x}, {index0}, {table}"),
                    concat!($permute, " {y}, {index1}, {table}"),
                    $($add,)*
                    x = out(zmm_reg) _x,
                    y = out(zmm_reg) _y,
                    index0 = in(zmm_reg) index[0],
                    index1 = in(zmm_reg) index[1],
                    table = in(zmm_reg) table,
                    first = inout(zmm_reg) first,
                    second = inout(zmm_reg) second,
                    $($one = in(zmm_reg) $value,)?
                    options(pure, nomem, nostack, preserves_flags),
                );
            }
            [first, second]
        }
    };
}

permuted!(add16_permuted: "vpermw", "vpaddw {first}, {first}, {x}", "vpaddw {second}, {second}, {y}");

permuted!(
    /// Zen 4 permutes on two of its four ports, adds f32 on one of these and a third, and multiplies on the
    /// other two. So the second addition is computed as `1 y + second`, which runs on the multipliers.
    real_add_permuted: "vpermps", "vaddps {first}, {first}, {x}", "vfmadd231ps {second}, {y}, {one}";
    one = _mm512_set1_ps(1.0)
);

permuted!(
    /// Needs AVX-512 BF16, which adds the upper half first.
    bf16_add_permuted: "vpermw", "vdpbf16ps {first}, {x}, {ones}", "vdpbf16ps {second}, {y}, {ones}";
    ones = _mm512_set1_epi16(0x3f80)
);
