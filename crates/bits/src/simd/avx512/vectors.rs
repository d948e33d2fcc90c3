//! AVX-512 as Ice Lake and Zen 4 have it: vectors of 64 bytes that count their own ones.

use core::arch::{asm, x86_64::*};

use super::count;
use crate::simd::{Simd, enabled, with_avx512};

/// An operation that is one intrinsic.
macro_rules! is {
    ($($name:ident($($arg:ident),*) = $intrinsic:expr;)*) => {$(
        #[inline(always)]
        fn $name(self, $($arg: __m512i),*) -> __m512i {
            // SAFETY: `self` is the proof of AVX-512.
            unsafe { $intrinsic($($arg),*) }
        }
    )*};
}

pub(super) use is;

/// Proof of AVX-512 F, BW, VL, DQ, VBMI, BITALG and VPOPCNTDQ.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

impl Avx512 {
    with_avx512! { (enabled)
        #[inline]
        pub(crate) fn new() -> Self {
            Self(())
        }
    }
}

/// Copies a vector to another register, which is free: the next instruction that replaces `v` can then reuse
/// its register.
///
/// Otherwise the compiler would replace an operand from memory instead, and first broadcast it to a register
/// by an instruction of its own, although broadcasting is free as a part of this instruction.
#[inline]
#[target_feature(enable = "avx512f")]
fn copy(v: &mut __m512i) -> __m512i {
    let copy;
    // SAFETY: it only copies a register. That it might change `v` is what the compiler has to believe, so
    // that it does not use `v` before.
    unsafe {
        asm!(
            "vmovdqa64 {}, {}",
            lateout(zmm_reg) copy,
            inout(zmm_reg) *v,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    copy
}

impl Simd for Avx512 {
    type V = __m512i;
    /// All 16 values of the table.
    type RealTable = __m512;
    type Selector = __m512i;

    type Wide = Self;

    const LANES: usize = 64;
    const COUNTS: bool = true;

    #[inline(always)]
    fn wide(self) -> Option<Self> {
        Some(self)
    }

    is! {
        lookup(table, index) = _mm512_shuffle_epi8;
        and(a, b) = _mm512_and_si512;
        or(a, b) = _mm512_or_si512;
        xor(a, b) = _mm512_xor_si512;
        add(a, b) = _mm512_add_epi8;
        sub(a, b) = _mm512_sub_epi8;
        add16(a, b) = _mm512_add_epi16;
        add32(a, b) = _mm512_add_epi32;
        sub32(a, b) = _mm512_sub_epi32;
        ones8(a) = _mm512_popcnt_epi8;
        ones32(a) = _mm512_popcnt_epi32;
    }

    #[inline(always)]
    unsafe fn load(self, from: *const u8) -> __m512i {
        // SAFETY: the bytes can be read, which is this function's condition, and `self` is the proof of
        // AVX-512.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }

    #[inline(always)]
    fn prefetch(self, at: *const u8) {
        // SAFETY: it reads nothing, and this instruction set includes SSE.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut u8, v: __m512i) {
        // SAFETY: the bytes can be written, which is this function's condition, and `self` is the proof of
        // AVX-512.
        unsafe { _mm512_storeu_si512(to.cast(), v) }
    }

    #[inline(always)]
    unsafe fn table(self, from: *const u8) -> __m512i {
        // SAFETY: the bytes can be read, which is this function's condition, and `self` is the proof of
        // AVX-512.
        unsafe { _mm512_broadcast_i32x4(_mm_loadu_si128(from.cast())) }
    }

    #[inline(always)]
    fn lookup128(self, table: &[u8; 128], index: __m512i) -> __m512i {
        let first = table.as_ptr();
        // SAFETY: two vectors, and `self` is the proof of AVX-512.
        unsafe { _mm512_permutex2var_epi8(Simd::load(self, first), index, Simd::load(self, first.add(64))) }
    }

    #[inline(always)]
    fn splat(self, x: u8) -> __m512i {
        // SAFETY: `self` is the proof of AVX-512.
        unsafe { _mm512_set1_epi8(x as i8) }
    }

    #[inline(always)]
    fn splat16(self, x: u16) -> __m512i {
        // SAFETY: `self` is the proof of AVX-512.
        unsafe { _mm512_set1_epi16(x as i16) }
    }

    #[inline(always)]
    fn splat32(self, x: u32) -> __m512i {
        // SAFETY: `self` is the proof of AVX-512.
        unsafe { _mm512_set1_epi32(x as i32) }
    }

    #[inline(always)]
    fn halves(self, word: &u64) -> [__m512i; 2] {
        // SAFETY: a word is two of four bytes. Read from memory they are broadcast for nothing, from a
        // register not.
        let [low, high] = unsafe { *core::ptr::from_ref(word).cast::<[i32; 2]>() };
        // SAFETY: `self` is the proof of AVX-512.
        unsafe { [_mm512_set1_epi32(low), _mm512_set1_epi32(high)] }
    }

    #[inline(always)]
    fn shl16<const N: i32>(self, a: __m512i) -> __m512i {
        // SAFETY: `self` is the proof of AVX-512. The count is a u32 here and an i32 in AVX2.
        unsafe { _mm512_sll_epi16(a, _mm_cvtsi32_si128(N)) }
    }

    #[inline(always)]
    fn shr16<const N: i32>(self, a: __m512i) -> __m512i {
        // SAFETY: `self` is the proof of AVX-512.
        unsafe { _mm512_srl_epi16(a, _mm_cvtsi32_si128(N)) }
    }

    #[inline(always)]
    fn shl64<const N: i32>(self, a: __m512i) -> __m512i {
        // SAFETY: `self` is the proof of AVX-512.
        unsafe { _mm512_sll_epi64(a, _mm_cvtsi32_si128(N)) }
    }

    #[inline(always)]
    fn shr64<const N: i32>(self, a: __m512i) -> __m512i {
        // SAFETY: `self` is the proof of AVX-512.
        unsafe { _mm512_srl_epi64(a, _mm_cvtsi32_si128(N)) }
    }

    #[inline(always)]
    fn digits(self, lower: __m512i, upper: __m512i) -> [__m512i; 2] {
        // SAFETY: `self` is the proof of AVX-512.
        unsafe {
            let weights = _mm512_set1_epi16(32 << 8 | 1);
            let first = _mm512_maddubs_epi16(_mm512_unpacklo_epi8(lower, upper), weights);
            [first, _mm512_maddubs_epi16(_mm512_unpackhi_epi8(lower, upper), weights)]
        }
    }

    #[inline(always)]
    fn in_order(self, [a, b]: [__m512i; 2]) -> [__m512i; 2] {
        // SAFETY: `self` is the proof of AVX-512.
        unsafe {
            let first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
            let last = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
            [_mm512_permutex2var_epi64(a, first, b), _mm512_permutex2var_epi64(a, last, b)]
        }
    }

    #[inline(always)]
    fn at_least32(self, a: __m512i, b: __m512i) -> u64 {
        // SAFETY: `self` is the proof of AVX-512.
        u64::from(unsafe { _mm512_cmpge_epi32_mask(a, b) })
    }

    #[inline(always)]
    fn add_bits(self, a: __m512i, b: __m512i, c: __m512i) -> (__m512i, __m512i) {
        // SAFETY: `self` is the proof of AVX-512. The truth tables of `a ^ b ^ c` and of the majority.
        unsafe { (_mm512_ternarylogic_epi32::<0x96>(a, b, c), _mm512_ternarylogic_epi32::<0xe8>(a, b, c)) }
    }

    #[inline(always)]
    fn count_differences<const R: usize>(
        self,
        ones: &mut [__m512i; R],
        twos: &mut [__m512i; R],
        rows: &[u64; R],
        [low, unequal]: [__m512i; 2],
    ) {
        if let (Ok(ones), Ok(twos), Ok(rows)) =
            ((&mut ones[..]).try_into(), (&mut twos[..]).try_into(), rows[..].try_into())
        {
            // SAFETY: `self` is the proof of AVX-512.
            return unsafe { count::eight(ones, twos, rows, low, unequal) };
        }
        for r in 0..R {
            let row = self.halves(&rows[r]);
            // SAFETY: `self` is the proof of AVX-512. The carry is the first difference where the sum is what
            // it was, else that.
            unsafe {
                let first = _mm512_xor_si512(row[0], low);
                let kept = copy(&mut ones[r]);
                ones[r] = _mm512_ternarylogic_epi32::<0x96>(ones[r], row[1], unequal);
                let carry = _mm512_ternarylogic_epi32::<0xb2>(first, ones[r], kept);
                twos[r] = _mm512_add_epi32(twos[r], _mm512_popcnt_epi32(carry));
            }
        }
    }

    #[inline(always)]
    fn count_ternary_differences<const R: usize>(
        self,
        ones: &mut [__m512i; R],
        twos: &mut [__m512i; R],
        rows: &[[u64; 2]; R],
        b: [__m512i; 2],
    ) {
        for r in 0..R {
            let [a, nonzero] = [self.halves(&rows[r][0]), self.halves(&rows[r][1])];
            // SAFETY: `self` is the proof of AVX-512. A difference is `a ^ b & nonzero`, and two instructions
            // add it to another, each with an operand from memory. The carry is `half ? !sum : ones`.
            unsafe {
                let half = _mm512_xor_si512(ones[r], a[0]);
                let half = _mm512_ternarylogic_epi32::<0x78>(half, b[0], nonzero[0]);
                let sum = _mm512_xor_si512(half, a[1]);
                let sum = _mm512_ternarylogic_epi32::<0x78>(sum, b[1], nonzero[1]);
                let carry = _mm512_ternarylogic_epi32::<0x3a>(half, sum, ones[r]);
                ones[r] = sum;
                twos[r] = _mm512_add_epi32(twos[r], _mm512_popcnt_epi32(carry));
            }
        }
    }

    #[inline(always)]
    unsafe fn load_widened(self, from: *const u8) -> __m512i {
        // SAFETY: the bytes can be read, which is this function's condition, and `self` is the proof of
        // AVX-512.
        unsafe { _mm512_cvtepu8_epi32(_mm_loadu_si128(from.cast())) }
    }

    #[inline(always)]
    fn low_nibbles(self, index: __m512i) -> __m512i {
        index // the permutation looks at the low four bits of a lane
    }

    #[inline(always)]
    fn high_nibbles(self, index: __m512i) -> __m512i {
        // SAFETY: `self` is the proof of AVX-512.
        unsafe { _mm512_srli_epi32::<4>(index) }
    }

    #[inline(always)]
    unsafe fn real_table(self, from: *const f32) -> __m512 {
        // SAFETY: the bytes can be read, which is this function's condition, and `self` is the proof of
        // AVX-512.
        unsafe {
            let high = _mm512_broadcast_f32x8(_mm256_loadu_ps(from));
            let minus = _mm512_maskz_set1_epi32(0x00ff, i32::MIN);
            _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(high), minus))
        }
    }

    #[inline(always)]
    fn real_lookup(self, table: __m512, select: __m512i) -> __m512i {
        // SAFETY: `self` is the proof of AVX-512.
        unsafe { _mm512_castps_si512(_mm512_permutexvar_ps(select, table)) }
    }

    #[inline(always)]
    fn real_add(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` is the proof of AVX-512.
        unsafe { _mm512_castps_si512(_mm512_add_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b))) }
    }

    #[inline(always)]
    fn at_least_zero(self, a: __m512i) -> u64 {
        // SAFETY: `self` is the proof of AVX-512.
        let bits = unsafe { _mm512_cmp_ps_mask::<_CMP_GE_OQ>(_mm512_castsi512_ps(a), _mm512_setzero_ps()) };
        u64::from(bits)
    }
}
