//! Vectors of 16 bytes in plain Rust, for every machine.

use core::array;

use super::{never::Never, operations::Simd};

/// Needs no proof: plain Rust runs on every machine.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

/// Four words of 32 bits: without table look-ups, kernels count ones.
type V = [u32; 4];

#[inline(always)]
fn bytes(v: V) -> [u8; 16] {
    array::from_fn(|i| v[i / 4].to_le_bytes()[i % 4])
}

#[inline(always)]
fn of_bytes(b: [u8; 16]) -> V {
    array::from_fn(|i| u32::from_le_bytes([b[4 * i], b[4 * i + 1], b[4 * i + 2], b[4 * i + 3]]))
}

/// Both halves of a word, each modulo 65536.
#[inline(always)]
fn halves(x: u32, f: impl Fn(u16) -> u16) -> u32 {
    u32::from(f(x as u16)) | u32::from(f((x >> 16) as u16)) << 16
}

/// Each two fours as one word.
#[inline(always)]
fn words(v: V, f: impl Fn(u64) -> u64) -> V {
    let [a, b] = [0, 2].map(|i| f(u64::from(v[i]) | u64::from(v[i + 1]) << 32));
    [a as u32, (a >> 32) as u32, b as u32, (b >> 32) as u32]
}

impl Simd for Portable {
    type V = V;
    type RealTable = [f32; 8];
    type Selector = [u32; 4];

    type Wide = Never;

    const LANES: usize = 16;
    const COUNTS: bool = true;

    #[inline(always)]
    unsafe fn load(self, from: *const u8) -> V {
        // SAFETY: the bytes can be read, which is this function's condition; bytes have no alignment.
        of_bytes(unsafe { *from.cast() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut u8, v: V) {
        // SAFETY: the bytes can be written, which is this function's condition.
        unsafe { *to.cast() = bytes(v) }
    }

    #[inline(always)]
    unsafe fn table(self, from: *const u8) -> V {
        // SAFETY: the bytes can be read, which is this function's condition.
        unsafe { self.load(from) }
    }

    #[inline(always)]
    fn lookup(self, table: V, index: V) -> V {
        let table = bytes(table);
        of_bytes(bytes(index).map(|i| table[usize::from(i & 15)]))
    }

    #[inline(always)]
    fn splat(self, x: u8) -> V {
        [u32::from_le_bytes([x; 4]); 4]
    }

    #[inline(always)]
    fn splat16(self, x: u16) -> V {
        [u32::from(x) << 16 | u32::from(x); 4]
    }

    #[inline(always)]
    fn splat32(self, x: u32) -> V {
        [x; 4]
    }

    #[inline(always)]
    fn and(self, a: V, b: V) -> V {
        array::from_fn(|i| a[i] & b[i])
    }

    #[inline(always)]
    fn or(self, a: V, b: V) -> V {
        array::from_fn(|i| a[i] | b[i])
    }

    #[inline(always)]
    fn xor(self, a: V, b: V) -> V {
        array::from_fn(|i| a[i] ^ b[i])
    }

    #[inline(always)]
    fn add(self, a: V, b: V) -> V {
        let (a, b) = (bytes(a), bytes(b));
        of_bytes(array::from_fn(|i| a[i].wrapping_add(b[i])))
    }

    #[inline(always)]
    fn sub(self, a: V, b: V) -> V {
        let (a, b) = (bytes(a), bytes(b));
        of_bytes(array::from_fn(|i| a[i].wrapping_sub(b[i])))
    }

    #[inline(always)]
    fn add16(self, a: V, b: V) -> V {
        const LOW: u32 = 0x0000_ffff;
        array::from_fn(|i| {
            (a[i] & LOW).wrapping_add(b[i] & LOW) & LOW | (a[i] & !LOW).wrapping_add(b[i] & !LOW)
        })
    }

    #[inline(always)]
    fn add32(self, a: V, b: V) -> V {
        array::from_fn(|i| a[i].wrapping_add(b[i]))
    }

    #[inline(always)]
    fn shl16<const N: i32>(self, a: V) -> V {
        a.map(|x| halves(x, |half| half << N))
    }

    #[inline(always)]
    fn shr16<const N: i32>(self, a: V) -> V {
        a.map(|x| halves(x, |half| half >> N))
    }

    #[inline(always)]
    fn shl64<const N: i32>(self, a: V) -> V {
        words(a, |word| word << N)
    }

    #[inline(always)]
    fn shr64<const N: i32>(self, a: V) -> V {
        words(a, |word| word >> N)
    }

    #[inline(always)]
    fn digits(self, lower: V, upper: V) -> [V; 2] {
        let (lower, upper) = (bytes(lower), bytes(upper));
        let pair = |i: usize| u32::from(lower[i]) + 32 * u32::from(upper[i]);
        [0, 8].map(|first| array::from_fn(|i| pair(first + 2 * i) | pair(first + 2 * i + 1) << 16))
    }

    #[inline(always)]
    fn in_order(self, pairs: [V; 2]) -> [V; 2] {
        pairs
    }

    #[inline(always)]
    fn ones8(self, a: V) -> V {
        a.map(|x| {
            let pairs = x - (x >> 1 & 0x5555_5555);
            let fours = (pairs & 0x3333_3333) + (pairs >> 2 & 0x3333_3333);
            (fours + (fours >> 4)) & 0x0f0f_0f0f
        })
    }

    #[inline(always)]
    fn ones32(self, a: V) -> V {
        a.map(u32::count_ones)
    }

    #[inline(always)]
    unsafe fn load_widened(self, from: *const u8) -> V {
        // SAFETY: the bytes can be read, which is this function's condition; bytes have no alignment.
        let bytes: [u8; 4] = unsafe { *from.cast() };
        bytes.map(u32::from)
    }

    #[inline(always)]
    fn low_nibbles(self, index: V) -> [u32; 4] {
        index
    }

    #[inline(always)]
    fn high_nibbles(self, index: V) -> [u32; 4] {
        index.map(|i| i >> 4)
    }

    #[inline(always)]
    unsafe fn real_table(self, from: *const f32) -> [f32; 8] {
        // SAFETY: the bytes can be read, which is this function's condition; an f32 pointer is aligned.
        unsafe { *from.cast() }
    }

    #[inline(always)]
    fn real_lookup(self, table: [f32; 8], select: [u32; 4]) -> V {
        // bit 3 is 1 where the value is not negated
        select.map(|i| table[i as usize & 7].to_bits() ^ (!i >> 3 & 1) << 31)
    }

    #[inline(always)]
    fn real_add(self, a: V, b: V) -> V {
        array::from_fn(|i| (f32::from_bits(a[i]) + f32::from_bits(b[i])).to_bits())
    }
}
