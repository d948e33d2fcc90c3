//! Single bits and runs of bits in a row of words.

/// Bit `at`.
#[inline]
pub(super) fn get(words: &[u64], at: usize) -> bool {
    words[at / 64] >> (at % 64) & 1 == 1
}

/// Bit `at` becomes `on`.
#[inline]
pub(super) fn set(words: &mut [u64], at: usize, on: bool) {
    let word = &mut words[at / 64];
    *word = *word & !(1 << (at % 64)) | u64::from(on) << (at % 64);
}

/// `len` bits of `from`, the first of them bit `first`, to bit `at` of `to` and on, where zeros are.
pub(super) fn copy(from: &[u64], first: usize, to: &mut [u64], at: usize, len: usize) {
    for done in (0..len).step_by(64) {
        let (index, shift) = ((first + done) / 64, (first + done) % 64);
        let mut word = from[index] >> shift;
        if shift > 0 && index + 1 < from.len() {
            word |= from[index + 1] << (64 - shift);
        }
        put(to, at + done, word & ones(len - done));
    }
}

/// `len` ones from bit `at` on, where zeros are.
pub(super) fn copy_ones(to: &mut [u64], at: usize, len: usize) {
    for done in (0..len).step_by(64) {
        put(to, at + done, ones(len - done));
    }
}

/// The lowest `len` bits of a word, or all.
pub(super) fn ones(len: usize) -> u64 {
    if len < 64 { !(!0 << len) } else { !0 }
}

/// ORs the ones of `word` into bit `at` and on.
fn put(to: &mut [u64], at: usize, word: u64) {
    let (index, shift) = (at / 64, at % 64);
    to[index] |= word << shift;
    if shift > 0 && index + 1 < to.len() {
        to[index + 1] |= word >> (64 - shift);
    }
}
