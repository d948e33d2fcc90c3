//! Bytes as integers.

/// A byte that is an integer.
pub(crate) trait Byte: Copy + Sync {
    /// What makes the sums of four of them 0 or more.
    const BIAS: i16;

    /// Words of 32 of them of which 16 bits hold the sum of each eighth.
    const WORDS: usize;

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
