//! Bytes as integers.

/// Signed or unsigned bytes.
pub(crate) trait Byte: Copy + Sync {
    /// Added to the sum of four bytes to make it nonnegative.
    const BIAS: i16;

    /// Words of bits after which a sum of 16 bits could overflow: it adds four of each 32 values.
    const WORDS: usize;

    /// The byte as a number.
    fn get(self) -> i16;
}

impl Byte for i8 {
    const BIAS: i16 = 512;
    const WORDS: usize = 15;

    #[inline(always)]
    fn get(self) -> i16 {
        self.into()
    }
}

impl Byte for u8 {
    const BIAS: i16 = 0;
    const WORDS: usize = 8;

    #[inline(always)]
    fn get(self) -> i16 {
        self.into()
    }
}
