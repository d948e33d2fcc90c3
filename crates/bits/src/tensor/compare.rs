//! Comparisons of up to 64 values at once, whose outcomes become the bits of a word.

/// Up to 64 comparisons as a word.
#[inline(always)]
pub(crate) fn compare<T: Copy>(values: &[T], is: impl Fn(usize, T) -> bool) -> u64 {
    let mut word = 0;
    for (j, &x) in values.iter().enumerate() {
        word |= u64::from(is(j, x)) << j;
    }
    word
}

/// Up to 64 comparisons of pairs as a word.
#[inline(always)]
pub(crate) fn compare_pairs<T: Copy, U: Copy>(a: &[T], b: &[U], is: impl Fn(T, U) -> bool) -> u64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<32>(), b.as_chunks::<32>());
    let mut word = 0;
    for (half, (a, b)) in a.iter().zip(b).enumerate() {
        // 32 are compared as vectors, which also put their bits into place
        let mut bits = 0;
        for j in 0..32 {
            bits |= u32::from(is(a[j], b[j])) << j;
        }
        word |= u64::from(bits) << (32 * half);
    }
    let mut rest = 0;
    for (j, (a, b)) in a_rest.iter().zip(b_rest).enumerate() {
        rest |= u32::from(is(*a, *b)) << j;
    }
    word | u64::from(rest).wrapping_shl(32 * a.len() as u32)
}
