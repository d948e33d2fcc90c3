//! Seeds of independent random streams.

/// Derives the seed of stream `index`: `seed ^ index * 0x9e3779b97f4a7c15`. Stream 0 has the seed itself.
///
/// The factor is 2^64 divided by the golden ratio, which spreads successive indices over all bits.
pub(crate) fn mix(seed: u64, index: u64) -> u64 {
    seed ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_never_change() {
        assert_eq!([0, 1, 2].map(|index| mix(42, index)), [42, 0x9e37_79b9_7f4a_7c3f, 0x3c6e_f372_fe94_f800]);
    }
}
