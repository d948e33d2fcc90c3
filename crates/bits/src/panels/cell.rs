//! Cells: the bits of a row that kernels read at once.

use crate::machine::simd;

/// Bits of a cell that is an index into a table of 128 sums.
pub(crate) const SEVEN: usize = 7;

/// The bits of a row that kernels read at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Eight bits.
    Byte,
    /// Seven bits, in a byte whose highest bit is arbitrary.
    Seven,
    /// 32 bits.
    Word,
}

impl Cell {
    /// Bytes of a row of `k` bits, padded to whole steps of the kernel: three bytes to look up, or a pair of
    /// words to count ones in.
    pub(super) fn depth(self, k: usize) -> usize {
        match self {
            Self::Byte => k.div_ceil(8).next_multiple_of(3),
            Self::Seven => k.div_ceil(SEVEN),
            Self::Word => k.div_ceil(8).next_multiple_of(8),
        }
    }
}

simd! {
    pub(super) fn counts<S>(_s: S) -> bool { S::COUNTS }
}

simd! {
    pub(super) fn permutes<S>(s: S) -> bool { s.wide().is_some() }
}

simd! {
    /// Rows of a panel.
    pub(crate) fn lanes<S>(_s: S) -> usize { S::LANES }
}

/// Complements the low three bits of each nibble whose highest bit is 0; its own inverse.
///
/// A nibble selects one of the sums `+-a +-b +-c +-d`. Complementing all four bits negates the sum, so folded
/// nibbles that differ only in their highest bit have opposite sums, and a table of eight sums serves all
/// sixteen.
#[inline(always)]
pub(crate) const fn fold(nibbles: u64) -> u64 {
    nibbles ^ (((!nibbles >> 3) & 0x1111_1111_1111_1111) * 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_nibbles_are_odd() {
        for nibble in 0..16 {
            let folded = fold(nibble) & 15;
            assert_eq!(fold(folded) & 15, nibble);
            assert_eq!(fold(nibble ^ 15) & 15, folded ^ 8);
        }
    }
}
