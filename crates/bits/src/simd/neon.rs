//! NEON, which every 64-bit Arm with an operating system has: vectors of 16 bytes.
//!
//! Looking up beats counting: `tbl` is as fast as `cnt`, whose counts of bytes have to be widened. The
//! numbers are multiplications of bits in a cycle, of the inner loops, by the models of llvm-mca 22; they
//! were not measured.
//!
//! | | Neoverse N1 | Neoverse V2 | Apple M1 |
//! |---|---|---|---|
//! | looking up, eight rows | 65 | 146 | 126 |
//! | looking up, one row | 36 | 64 | 54 |
//! | counting | 39 | 90 | 57 |

use core::arch::aarch64::*;

use super::{never::Never, operations::Simd};

/// Proof of NEON.
#[derive(Clone, Copy)]
pub(crate) struct Neon(());

impl Neon {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        const { assert!(cfg!(all(target_feature = "neon", target_endian = "little"))) };
        Self(())
    }
}

/// An operation that is one intrinsic.
macro_rules! is {
    ($($name:ident($($arg:ident),*) = $intrinsic:expr;)*) => {$(
        #[inline(always)]
        fn $name(self, $($arg: uint8x16_t),*) -> uint8x16_t {
            // SAFETY: `self` is the proof of NEON.
            unsafe { $intrinsic($($arg),*) }
        }
    )*};
}

/// An operation on wider lanes.
macro_rules! is_wide {
    ($($name:ident($($arg:ident),*) = $to:expr => $intrinsic:expr => $from:expr;)*) => {$(
        #[inline(always)]
        fn $name(self, $($arg: uint8x16_t),*) -> uint8x16_t {
            // SAFETY: `self` is the proof of NEON.
            unsafe { $from($intrinsic($($to($arg)),*)) }
        }
    )*};
}

impl Simd for Neon {
    type V = uint8x16_t;
    type RealTable = uint8x16x2_t;
    /// Index of the four bytes of each f32 in the table, and sign.
    type Selector = (uint8x16_t, uint8x16_t);

    type Wide = Never;

    const LANES: usize = 16;
    const COUNTS: bool = false;

    is! {
        lookup(table, index) = vqtbl1q_u8;
        and(a, b) = vandq_u8;
        or(a, b) = vorrq_u8;
        xor(a, b) = veorq_u8;
        add(a, b) = vaddq_u8;
        sub(a, b) = vsubq_u8;
        ones8(a) = vcntq_u8;
    }

    is_wide! {
        add16(a, b) = vreinterpretq_u16_u8 => vaddq_u16 => vreinterpretq_u8_u16;
        add32(a, b) = vreinterpretq_u32_u8 => vaddq_u32 => vreinterpretq_u8_u32;
        real_add(a, b) = vreinterpretq_f32_u8 => vaddq_f32 => vreinterpretq_u8_f32;
    }

    #[inline(always)]
    unsafe fn load(self, from: *const u8) -> uint8x16_t {
        // SAFETY: the bytes can be read, which is this function's condition, and `self` is the proof of NEON.
        unsafe { vld1q_u8(from) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut u8, v: uint8x16_t) {
        // SAFETY: the bytes can be written, which is this function's condition, and `self` is the proof of
        // NEON.
        unsafe { vst1q_u8(to, v) }
    }

    #[inline(always)]
    unsafe fn table(self, from: *const u8) -> uint8x16_t {
        // SAFETY: the bytes can be read, which is this function's condition, and `self` is the proof of NEON.
        unsafe { vld1q_u8(from) }
    }

    #[inline(always)]
    fn splat(self, x: u8) -> uint8x16_t {
        // SAFETY: `self` is the proof of NEON.
        unsafe { vdupq_n_u8(x) }
    }

    #[inline(always)]
    fn splat16(self, x: u16) -> uint8x16_t {
        // SAFETY: `self` is the proof of NEON.
        unsafe { vreinterpretq_u8_u16(vdupq_n_u16(x)) }
    }

    #[inline(always)]
    fn splat32(self, x: u32) -> uint8x16_t {
        // SAFETY: `self` is the proof of NEON.
        unsafe { vreinterpretq_u8_u32(vdupq_n_u32(x)) }
    }

    #[inline(always)]
    fn shl16<const N: i32>(self, a: uint8x16_t) -> uint8x16_t {
        // SAFETY: `self` is the proof of NEON.
        unsafe { vreinterpretq_u8_u16(vshlq_n_u16::<N>(vreinterpretq_u16_u8(a))) }
    }

    #[inline(always)]
    fn shr16<const N: i32>(self, a: uint8x16_t) -> uint8x16_t {
        // SAFETY: `self` is the proof of NEON.
        unsafe { vreinterpretq_u8_u16(vshrq_n_u16::<N>(vreinterpretq_u16_u8(a))) }
    }

    #[inline(always)]
    fn shl64<const N: i32>(self, a: uint8x16_t) -> uint8x16_t {
        // SAFETY: `self` is the proof of NEON.
        unsafe { vreinterpretq_u8_u64(vshlq_n_u64::<N>(vreinterpretq_u64_u8(a))) }
    }

    #[inline(always)]
    fn shr64<const N: i32>(self, a: uint8x16_t) -> uint8x16_t {
        // SAFETY: `self` is the proof of NEON.
        unsafe { vreinterpretq_u8_u64(vshrq_n_u64::<N>(vreinterpretq_u64_u8(a))) }
    }

    #[inline(always)]
    fn digits(self, lower: uint8x16_t, upper: uint8x16_t) -> [uint8x16_t; 2] {
        // SAFETY: `self` is the proof of NEON.
        unsafe {
            let weight = vdup_n_u8(32);
            let first = vmlal_u8(vmovl_u8(vget_low_u8(lower)), vget_low_u8(upper), weight);
            let last = vmlal_u8(vmovl_u8(vget_high_u8(lower)), vget_high_u8(upper), weight);
            [vreinterpretq_u8_u16(first), vreinterpretq_u8_u16(last)]
        }
    }

    #[inline(always)]
    fn in_order(self, pairs: [uint8x16_t; 2]) -> [uint8x16_t; 2] {
        pairs
    }

    #[inline(always)]
    fn ones32(self, a: uint8x16_t) -> uint8x16_t {
        // SAFETY: `self` is the proof of NEON.
        unsafe { vreinterpretq_u8_u32(vpaddlq_u16(vpaddlq_u8(vcntq_u8(a)))) }
    }

    #[inline(always)]
    unsafe fn load_widened(self, from: *const u8) -> uint8x16_t {
        // SAFETY: the bytes can be read, which is this function's condition, and `self` is the proof of NEON;
        // bytes have no alignment.
        unsafe {
            let bytes = vcreate_u8(u64::from(from.cast::<u32>().read_unaligned()));
            vreinterpretq_u8_u32(vmovl_u16(vget_low_u16(vmovl_u8(bytes))))
        }
    }

    #[inline(always)]
    fn low_nibbles(self, index: uint8x16_t) -> (uint8x16_t, uint8x16_t) {
        // SAFETY: `self` is the proof of NEON. Bit 3 is 1 where the value is not negated.
        unsafe {
            let index = vreinterpretq_u32_u8(index);
            let first = vmulq_n_u32(vandq_u32(index, vdupq_n_u32(7)), 0x0404_0404);
            let minus = vbicq_u32(vdupq_n_u32(1 << 31), vshlq_n_u32::<28>(index));
            (vreinterpretq_u8_u32(vaddq_u32(first, vdupq_n_u32(0x0302_0100))), vreinterpretq_u8_u32(minus))
        }
    }

    #[inline(always)]
    fn high_nibbles(self, index: uint8x16_t) -> (uint8x16_t, uint8x16_t) {
        // SAFETY: `self` is the proof of NEON.
        self.low_nibbles(unsafe { vreinterpretq_u8_u32(vshrq_n_u32::<4>(vreinterpretq_u32_u8(index))) })
    }

    #[inline(always)]
    unsafe fn real_table(self, from: *const f32) -> uint8x16x2_t {
        // SAFETY: the bytes can be read, which is this function's condition, and `self` is the proof of NEON.
        unsafe { vld1q_u8_x2(from.cast()) }
    }

    #[inline(always)]
    fn real_lookup(self, table: uint8x16x2_t, (bytes, minus): (uint8x16_t, uint8x16_t)) -> uint8x16_t {
        // SAFETY: `self` is the proof of NEON.
        unsafe { veorq_u8(vqtbl2q_u8(table, bytes), minus) }
    }
}
