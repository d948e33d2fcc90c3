//! The operations that kernels are written in, once for every instruction set.
//!
//! A value of a type that implements [`Simd`] is the proof that the CPU has its instructions, so a kernel
//! `fn f<S: Simd>(s: S, ..)` needs no other. [`simd!`](crate::machine::simd) compiles and calls it for each
//! set, and all functions that it calls are `#[inline(always)]`: a function that stays a call is compiled
//! without the instruction set.
//!
//! A vector has [`LANES`](Simd::LANES) bytes and no element type: the name of an operation says whether it
//! works on bytes, pairs of bytes (`16`), four bytes (`32`) or f32 (`real`).

/// Vectors of one instruction set.
pub trait Simd: Copy + Send + Sync {
    /// A vector of [`LANES`](Self::LANES) bytes.
    type V: Copy;

    /// Bytes of a vector: 16, 32 or 64.
    const LANES: usize;

    /// Whether [`ones32`](Self::ones32) is fast enough for counting ones to beat look-ups.
    const COUNTS: bool;

    /// The type that permutes whole vectors: itself, or [`Never`](super::never::Never) if the set cannot.
    type Wide: Wide;

    /// Itself as the type that permutes whole vectors, if the set can.
    #[inline(always)]
    fn wide(self) -> Option<Self::Wide> {
        None
    }

    /// Loads the bytes at `from`.
    ///
    /// # Safety
    /// `LANES` bytes can be read from there.
    unsafe fn load(self, from: *const u8) -> Self::V;

    /// Prefetches the cache line at `at`; any address is allowed.
    #[inline(always)]
    fn prefetch(self, at: *const u8) {
        let _ = at;
    }

    /// Writes the bytes to `to`.
    ///
    /// # Safety
    /// `LANES` bytes can be written there.
    unsafe fn store(self, to: *mut u8, v: Self::V);

    /// Loads the 16 bytes at `from` into every 16 bytes of the vector.
    ///
    /// # Safety
    /// 16 bytes can be read from there.
    unsafe fn table(self, from: *const u8) -> Self::V;

    /// Looks up byte `i` of the table for each byte i of `index`, all below 16.
    fn lookup(self, table: Self::V, index: Self::V) -> Self::V;

    /// Looks up byte `i % 128` of the table for each byte i of `index`.
    #[inline(always)]
    fn lookup128(self, table: &[u8; 128], index: Self::V) -> Self::V {
        let mut bytes = [0; 64];
        // SAFETY: a vector has at most 64 bytes.
        unsafe { self.store(bytes.as_mut_ptr(), index) };
        let found = bytes.map(|i| table[usize::from(i % 128)]);
        // SAFETY: a vector has at most 64 bytes.
        unsafe { self.load(found.as_ptr()) }
    }

    /// The same byte everywhere.
    fn splat(self, x: u8) -> Self::V;
    /// The same pair of bytes everywhere.
    fn splat16(self, x: u16) -> Self::V;
    /// The same four bytes everywhere.
    fn splat32(self, x: u32) -> Self::V;

    /// The low four bytes of a word everywhere, and the high four bytes everywhere.
    #[inline(always)]
    fn halves(self, word: &u64) -> [Self::V; 2] {
        [self.splat32(*word as u32), self.splat32((*word >> 32) as u32)]
    }

    /// Bitwise `a & b`.
    fn and(self, a: Self::V, b: Self::V) -> Self::V;
    /// Bitwise `a | b`.
    fn or(self, a: Self::V, b: Self::V) -> Self::V;
    /// Bitwise `a ^ b`.
    fn xor(self, a: Self::V, b: Self::V) -> Self::V;

    /// `a + b` of each byte, modulo 256.
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a - b` of each byte, modulo 256.
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a + b` of each pair of bytes, modulo 65536.
    fn add16(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a + b` of each four bytes, modulo 2^32.
    fn add32(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a - b` of each four bytes, modulo 2^32.
    #[inline(always)]
    fn sub32(self, a: Self::V, b: Self::V) -> Self::V {
        self.add32(a, self.add32(self.xor(b, self.splat32(!0)), self.splat32(1)))
    }
    /// `a << N` of each pair of bytes.
    fn shl16<const N: i32>(self, a: Self::V) -> Self::V;
    /// `a >> N` of each pair of bytes, unsigned.
    fn shr16<const N: i32>(self, a: Self::V) -> Self::V;

    /// `a << N` of each eight bytes.
    fn shl64<const N: i32>(self, a: Self::V) -> Self::V;
    /// `a >> N` of each eight bytes, unsigned.
    fn shr64<const N: i32>(self, a: Self::V) -> Self::V;

    /// `lower + 32 upper` of each byte in a pair of bytes, modulo 65536. The two vectors have an order of
    /// their own.
    fn digits(self, lower: Self::V, upper: Self::V) -> [Self::V; 2];
    /// Brings pairs of bytes from [`digits`](Self::digits) into the order of the original bytes.
    fn in_order(self, pairs: [Self::V; 2]) -> [Self::V; 2];

    /// The number of ones in each byte.
    fn ones8(self, a: Self::V) -> Self::V;
    /// The number of ones in each four bytes.
    fn ones32(self, a: Self::V) -> Self::V;

    /// Bit j is 1 where the signed four bytes j of `a` are at least those of `b`.
    #[inline(always)]
    fn at_least32(self, a: Self::V, b: Self::V) -> u64 {
        let mut bytes = [[0; 64]; 2];
        // SAFETY: a vector has at most 64 bytes.
        unsafe {
            self.store(bytes[0].as_mut_ptr(), a);
            self.store(bytes[1].as_mut_ptr(), b);
        }
        let [a, b] = bytes.each_ref().map(|bytes| bytes[..Self::LANES].as_chunks().0);
        let pairs = a.iter().zip(b).enumerate();
        pairs.fold(0, |all, (j, (a, b))| {
            all | u64::from(i32::from_le_bytes(*a) >= i32::from_le_bytes(*b)) << j
        })
    }

    /// The sum of three bits in each place, `a + b + c = sum + 2 carry`: (sum, carry).
    #[inline(always)]
    fn add_bits(self, a: Self::V, b: Self::V, c: Self::V) -> (Self::V, Self::V) {
        let half = self.xor(a, b);
        (self.xor(half, c), self.or(self.and(a, b), self.and(half, c)))
    }

    /// Counts two differences, `a0 ^ b0` and `a1 ^ b1`, for each word of `rows`, which holds `[a0, a0 ^ a1]`
    /// where `b` is `[b0, b0 ^ b1]`: adds them to the bits of `ones`, and how many carries there are to
    /// `twos`.
    #[inline(always)]
    fn count_differences<const R: usize>(
        self,
        ones: &mut [Self::V; R],
        twos: &mut [Self::V; R],
        rows: &[u64; R],
        b: [Self::V; 2],
    ) {
        for r in 0..R {
            let a = self.halves(&rows[r]);
            let (first, unequal) = (self.xor(a[0], b[0]), self.xor(a[1], b[1]));
            let carry = self.xor(first, self.and(unequal, self.xor(ones[r], first)));
            ones[r] = self.xor(ones[r], unequal);
            twos[r] = self.add32(twos[r], self.ones32(carry));
        }
    }

    /// The same where some of the left values are 0. rows: for each its sign, 0 for a 0, and its nonzeros.
    /// `b` is `[b0, b1]`; here nothing is prepared.
    #[inline(always)]
    fn count_ternary_differences<const R: usize>(
        self,
        ones: &mut [Self::V; R],
        twos: &mut [Self::V; R],
        rows: &[[u64; 2]; R],
        b: [Self::V; 2],
    ) {
        for r in 0..R {
            let [a, nonzero] = [self.halves(&rows[r][0]), self.halves(&rows[r][1])];
            let low = self.xor(a[0], self.and(b[0], nonzero[0]));
            let high = self.xor(a[1], self.and(b[1], nonzero[1]));
            let carry;
            (ones[r], carry) = self.add_bits(ones[r], low, high);
            twos[r] = self.add32(twos[r], self.ones32(carry));
        }
    }

    /// A table of 16 f32 that is odd in its highest index bit: `table[i ^ 15] == -table[i]`.
    type RealTable: Copy;

    /// Indices into a [`RealTable`](Self::RealTable), one for each f32 of a vector.
    type Selector: Copy;

    /// Loads `LANES / 4` bytes at `from`, each into its own four bytes.
    ///
    /// # Safety
    /// `LANES / 4` bytes can be read from there.
    unsafe fn load_widened(self, from: *const u8) -> Self::V;

    /// The low nibbles of four bytes each as selectors; what is above them does not matter.
    ///
    /// Nibbles are folded: see [`fold`](crate::panels::fold).
    fn low_nibbles(self, index: Self::V) -> Self::Selector;

    /// The nibbles above the low ones, as selectors.
    fn high_nibbles(self, index: Self::V) -> Self::Selector;

    /// The table with the folded indices 8..16 at `from`; `table[i ^ 8] == -table[i]` gives the others.
    ///
    /// # Safety
    /// 8 f32 can be read from there.
    unsafe fn real_table(self, from: *const f32) -> Self::RealTable;

    /// The table's value for each selector.
    fn real_lookup(self, table: Self::RealTable, select: Self::Selector) -> Self::V;

    /// `a + b` of each f32.
    fn real_add(self, a: Self::V, b: Self::V) -> Self::V;

    /// Bit j is 1 where f32 j is 0 or more.
    #[inline(always)]
    fn at_least_zero(self, a: Self::V) -> u64 {
        let mut bytes = [0; 64];
        // SAFETY: a vector has at most 64 bytes.
        unsafe { self.store(bytes.as_mut_ptr(), a) };
        let reals = bytes[..Self::LANES].as_chunks().0;
        reals.iter().enumerate().fold(0, |all, (j, x)| all | u64::from(f32::from_ne_bytes(*x) >= 0.0) << j)
    }
}

/// Vectors of 64 bytes and permutations across them: 16 words of 32 bits or f32, or 32 of 16 bits.
pub trait Wide: Copy {
    /// A vector of 64 bytes.
    type V: Copy;

    /// Loads the bytes at `from`.
    ///
    /// # Safety
    /// 64 bytes can be read from there.
    unsafe fn load(self, from: *const u8) -> Self::V;

    /// Writes the bytes to `to`.
    ///
    /// # Safety
    /// 64 bytes can be written there.
    unsafe fn store(self, to: *mut u8, v: Self::V);

    /// The same word everywhere.
    fn splat32(self, x: u32) -> Self::V;
    /// `a >> 4` of each word.
    fn shr32_4(self, a: Self::V) -> Self::V;
    /// `a + b` of each word, modulo 2^32.
    fn add32(self, a: Self::V, b: Self::V) -> Self::V;
    /// 32 numbers of 16 bits: 16 times `lower`, then 16 times `upper`.
    fn halves16(self, lower: usize, upper: usize) -> Self::V;
    /// `a + b` of each 16 bits, modulo 65536.
    fn add16(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a b` of each 16 bits, modulo 65536.
    fn mul16(self, a: Self::V, b: Self::V) -> Self::V;
    /// Looks up a table of 32 numbers of 16 bits by the low five bits of each 16.
    fn permute16(self, table: Self::V, index: Self::V) -> Self::V;
    /// Each signed word as f32, rounded once, times `scale`.
    fn scale32(self, a: Self::V, scale: f32) -> Self::V;
    /// The sum of both halves of each word, signed.
    fn add_halves(self, a: Self::V) -> Self::V;

    /// Indices into a table of 32: the low four bits of each half of a word, and a fifth bit that is 1 for
    /// the upper half.
    fn index16(self, words: Self::V) -> Self::V;

    /// Looks up a table of 32 by the [indices](Self::index16) of each half, and adds to both sums, modulo
    /// 65536.
    fn add16_permuted(self, sums: [Self::V; 2], table: Self::V, index: [Self::V; 2]) -> [Self::V; 2];

    /// Looks up a table of 16 by the low four bits of each word, and adds to the f32 of both sums.
    fn real_add_permuted(self, sums: [Self::V; 2], table: Self::V, index: [Self::V; 2]) -> [Self::V; 2];

    /// `(a + upper) + lower` of each f32, where the halves of each word of b are bf16.
    fn bf16_add(self, a: Self::V, b: Self::V) -> Self::V;

    /// Looks up a table of 32 by the [indices](Self::index16) of both halves, and adds to the f32 of both
    /// sums as [`bf16_add`](Self::bf16_add) does.
    ///
    /// # Safety
    /// The processor has AVX-512 BF16.
    unsafe fn bf16_add_permuted(
        self,
        sums: [Self::V; 2],
        table: Self::V,
        index: [Self::V; 2],
    ) -> [Self::V; 2];
}
