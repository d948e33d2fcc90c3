//! AVX2: vectors of 32 bytes. It has no popcount of vectors, but two table look-ups a cycle.

use core::arch::x86_64::*;

use super::{never::Never, operations::Simd};

/// Proof of AVX2.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(crate) fn new() -> Self {
        Self(())
    }
}

/// An operation that is one intrinsic.
macro_rules! is {
    ($($name:ident($($arg:ident),*) = $intrinsic:expr;)*) => {$(
        #[inline(always)]
        fn $name(self, $($arg: __m256i),*) -> __m256i {
            // SAFETY: `self` is the proof of AVX2.
            unsafe { $intrinsic($($arg),*) }
        }
    )*};
}

impl Simd for Avx2 {
    type V = __m256i;
    type RealTable = __m256;
    /// Lane of the table, and sign.
    type Selector = (__m256i, __m256);

    type Wide = Never;

    const LANES: usize = 32;
    const COUNTS: bool = false;

    is! {
        lookup(table, index) = _mm256_shuffle_epi8;
        and(a, b) = _mm256_and_si256;
        or(a, b) = _mm256_or_si256;
        xor(a, b) = _mm256_xor_si256;
        add(a, b) = _mm256_add_epi8;
        sub(a, b) = _mm256_sub_epi8;
        add16(a, b) = _mm256_add_epi16;
        add32(a, b) = _mm256_add_epi32;
    }

    #[inline(always)]
    unsafe fn load(self, from: *const u8) -> __m256i {
        // SAFETY: the bytes can be read, which is this function's condition, and `self` is the proof of AVX2.
        unsafe { _mm256_loadu_si256(from.cast()) }
    }

    #[inline(always)]
    fn prefetch(self, at: *const u8) {
        // SAFETY: it reads nothing, and this instruction set includes SSE.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut u8, v: __m256i) {
        // SAFETY: the bytes can be written, which is this function's condition, and `self` is the proof of
        // AVX2.
        unsafe { _mm256_storeu_si256(to.cast(), v) }
    }

    #[inline(always)]
    unsafe fn table(self, from: *const u8) -> __m256i {
        // SAFETY: the bytes can be read, which is this function's condition, and `self` is the proof of AVX2.
        unsafe { _mm256_broadcastsi128_si256(_mm_loadu_si128(from.cast())) }
    }

    #[inline(always)]
    fn splat(self, x: u8) -> __m256i {
        // SAFETY: `self` is the proof of AVX2.
        unsafe { _mm256_set1_epi8(x as i8) }
    }

    #[inline(always)]
    fn splat16(self, x: u16) -> __m256i {
        // SAFETY: `self` is the proof of AVX2.
        unsafe { _mm256_set1_epi16(x as i16) }
    }

    #[inline(always)]
    fn splat32(self, x: u32) -> __m256i {
        // SAFETY: `self` is the proof of AVX2.
        unsafe { _mm256_set1_epi32(x as i32) }
    }

    #[inline(always)]
    fn shl16<const N: i32>(self, a: __m256i) -> __m256i {
        // SAFETY: `self` is the proof of AVX2.
        unsafe { _mm256_slli_epi16::<N>(a) }
    }

    #[inline(always)]
    fn shr16<const N: i32>(self, a: __m256i) -> __m256i {
        // SAFETY: `self` is the proof of AVX2.
        unsafe { _mm256_srli_epi16::<N>(a) }
    }

    #[inline(always)]
    fn shl64<const N: i32>(self, a: __m256i) -> __m256i {
        // SAFETY: `self` is the proof of AVX2.
        unsafe { _mm256_slli_epi64::<N>(a) }
    }

    #[inline(always)]
    fn shr64<const N: i32>(self, a: __m256i) -> __m256i {
        // SAFETY: `self` is the proof of AVX2.
        unsafe { _mm256_srli_epi64::<N>(a) }
    }

    #[inline(always)]
    fn digits(self, lower: __m256i, upper: __m256i) -> [__m256i; 2] {
        // SAFETY: `self` is the proof of AVX2.
        unsafe {
            let weights = _mm256_set1_epi16(32 << 8 | 1);
            let first = _mm256_maddubs_epi16(_mm256_unpacklo_epi8(lower, upper), weights);
            [first, _mm256_maddubs_epi16(_mm256_unpackhi_epi8(lower, upper), weights)]
        }
    }

    #[inline(always)]
    fn in_order(self, [a, b]: [__m256i; 2]) -> [__m256i; 2] {
        // SAFETY: `self` is the proof of AVX2.
        unsafe { [_mm256_permute2x128_si256::<0x20>(a, b), _mm256_permute2x128_si256::<0x31>(a, b)] }
    }

    #[inline(always)]
    fn ones8(self, a: __m256i) -> __m256i {
        // SAFETY: `self` is the proof of AVX2.
        unsafe {
            let ones =
                _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
            let nibble = _mm256_set1_epi8(15);
            let low = _mm256_shuffle_epi8(ones, _mm256_and_si256(a, nibble));
            let high = _mm256_shuffle_epi8(ones, _mm256_and_si256(_mm256_srli_epi16::<4>(a), nibble));
            _mm256_add_epi8(low, high)
        }
    }

    #[inline(always)]
    fn ones32(self, a: __m256i) -> __m256i {
        // SAFETY: `self` is the proof of AVX2.
        unsafe {
            let pairs = _mm256_maddubs_epi16(self.ones8(a), _mm256_set1_epi8(1));
            _mm256_madd_epi16(pairs, _mm256_set1_epi16(1))
        }
    }

    #[inline(always)]
    unsafe fn load_widened(self, from: *const u8) -> __m256i {
        // SAFETY: the bytes can be read, which is this function's condition, and `self` is the proof of AVX2.
        unsafe { _mm256_cvtepu8_epi32(_mm_loadl_epi64(from.cast())) }
    }

    #[inline(always)]
    fn low_nibbles(self, index: __m256i) -> (__m256i, __m256) {
        // SAFETY: `self` is the proof of AVX2. Bit 3 is 1 where the value is not negated.
        let minus = unsafe { _mm256_slli_epi32::<28>(_mm256_xor_si256(index, _mm256_set1_epi32(8))) };
        // SAFETY: `self` is the proof of AVX2.
        (index, unsafe { _mm256_castsi256_ps(_mm256_and_si256(minus, _mm256_set1_epi32(i32::MIN))) })
    }

    #[inline(always)]
    fn high_nibbles(self, index: __m256i) -> (__m256i, __m256) {
        // SAFETY: `self` is the proof of AVX2.
        self.low_nibbles(unsafe { _mm256_srli_epi32::<4>(index) })
    }

    #[inline(always)]
    unsafe fn real_table(self, from: *const f32) -> __m256 {
        // SAFETY: the bytes can be read, which is this function's condition, and `self` is the proof of AVX2.
        unsafe { _mm256_loadu_ps(from) }
    }

    #[inline(always)]
    fn real_lookup(self, table: __m256, (lane, minus): (__m256i, __m256)) -> __m256i {
        // SAFETY: `self` is the proof of AVX2. The permutation looks at the low three bits of a lane.
        unsafe { _mm256_castps_si256(_mm256_xor_ps(_mm256_permutevar8x32_ps(table, lane), minus)) }
    }

    #[inline(always)]
    fn real_add(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` is the proof of AVX2.
        unsafe { _mm256_castps_si256(_mm256_add_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b))) }
    }

    #[inline(always)]
    fn at_least_zero(self, a: __m256i) -> u64 {
        // SAFETY: `self` is the proof of AVX2.
        let bits = unsafe {
            _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GE_OQ>(_mm256_castsi256_ps(a), _mm256_setzero_ps()))
        };
        u64::from(bits as u8)
    }
}
