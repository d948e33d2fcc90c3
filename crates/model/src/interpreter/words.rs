//! Single bits and runs of bits in a row of words.

/// The bit at position `at`.
#[inline]
pub(super) fn get(words: &[u64], at: usize) -> bool {
    words[at / 64] >> (at % 64) & 1 == 1
}

/// Sets the bit at position `at` to `on`.
#[inline]
pub(super) fn set(words: &mut [u64], at: usize, on: bool) {
    let word = &mut words[at / 64];
    *word = *word & !(1 << (at % 64)) | u64::from(on) << (at % 64);
}

/// Copies `len` bits from position `first` of `from` to position `at` of `to`, which must hold zeros there.
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

/// Writes `len` ones from position `at` on; `to` must hold zeros there.
pub(super) fn copy_ones(to: &mut [u64], at: usize, len: usize) {
    for done in (0..len).step_by(64) {
        put(to, at + done, ones(len - done));
    }
}

/// A word with its lowest `len` bits set; all 64 for larger `len`.
pub(super) fn ones(len: usize) -> u64 {
    if len < 64 { !(!0 << len) } else { !0 }
}

/// ORs `word` into `to` from position `at` on.
fn put(to: &mut [u64], at: usize, word: u64) {
    let (index, shift) = (at / 64, at % 64);
    to[index] |= word << shift;
    if shift > 0 && index + 1 < to.len() {
        to[index + 1] |= word >> (64 - shift);
    }
}
