//! The instructions of an inner loop.

/// Instructions of an inner loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    /// Bits x bits, two rows or more: either 3 look-ups, 4 additions and a shift for 12 bits of two rows in
    /// each lane of 8 bits (`differences.rs`), or, for 64 bits in each lane of 32, what adds two differences
    /// to a carry-save adder, a count and an addition (`count.rs`). Zeros cost nothing in the former, and
    /// some instructions in the latter, which are not counted here.
    Bits,
    /// Bits x bits, one row: 2 look-ups, 2 AND, a shift and 2 additions for 8 bits in each lane of 8; where
    /// ones are counted it is the same as [`Bits`](Self::Bits).
    Row,
    /// Sums of bits x ternaries that fit into a byte: as [`Bits`](Self::Bits), or, with vectors of 64 bytes,
    /// 2 look-ups, 3 additions and a shift for 14 bits of two rows in each lane of 8 (`short_sums.rs`).
    Votes,
    /// Bytes x bits: 16 look-ups and as many additions of bytes, 4 of pairs and 2 shifts for 32 bits in each
    /// lane of 8 (`integer.rs`).
    Bytes,
    /// Reals x bits: a look-up of the sum of four and an addition in each lane of 32 (`real/table.rs`).
    Reals,
    /// Reals x bits in bf16, the same unless whole vectors are permuted.
    Halves,
}

/// Rounds of a job: some ten microseconds.
pub(super) const ROUNDS: usize = 8192;
