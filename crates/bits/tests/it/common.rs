//! What every file of tests needs: engines, reproducible operands, and matrices as plain numbers for the
//! oracle.

use onebit_bits::{BitTensor, Engine, Isa, Ternary, random_bits};

/// Numbers of threads to try; without the feature `std` there is one.
pub(crate) const THREADS: std::ops::RangeInclusive<usize> = 1..=if cfg!(feature = "std") { 2 } else { 1 };

/// Every instruction set of this machine with every number of threads.
pub(crate) fn engines() -> Vec<Engine> {
    let with = |threads| Engine::new(threads).unwrap_or_else(|e| panic!("{e}"));
    let of = |engine: Engine| Isa::available().into_iter().map(move |isa| engine.clone().with_isa(isa));
    THREADS.map(with).flat_map(of).collect()
}

/// An engine as messages name it: `avx2 x 2`.
pub(crate) fn name(engine: &Engine) -> String {
    format!("{} x {}", engine.isa().name(), engine.threads())
}

/// A large size; `None` under Miri and in emulators, which are a hundred times slower than a processor.
pub(crate) fn large<T>(size: T) -> Option<T> {
    (!cfg!(miri) && std::env::var_os("ONEBIT_NO_LARGE_SIZES").is_none()).then_some(size)
}

/// Reproducible numbers in -1..1, some of them 0.
pub(crate) fn reals(seed: u64, len: usize) -> Vec<f32> {
    let real = |word: &u64| if word.is_multiple_of(8) { 0.0 } else { *word as i64 as f32 / 2f32.powi(63) };
    random_bits(seed, 1, 1, len * 64).words().iter().map(real).collect()
}

/// Reproducible numbers of very different magnitudes, some of them 0: another order of additions rounds
/// differently.
pub(crate) fn magnitudes(seed: u64, len: usize) -> Vec<f32> {
    let bits = random_bits(seed, 1, 1, len * 64);
    let real = |word: &u64| match word % 8 {
        0 => 0.0,
        scale => (*word as i64 as f32 / 2f32.powi(63)) * 10f32.powi(scale as i32 - 5),
    };
    bits.words().iter().map(real).collect()
}

/// Reproducible integers in -20..=20.
pub(crate) fn integers(seed: u64, len: usize) -> Vec<i32> {
    random_bits(seed, 2, 1, len * 64).words().iter().map(|word| (word % 41) as i32 - 20).collect()
}

/// Reproducible values of -1, 0 and +1.
pub(crate) fn ternary(seed: u64, rows: usize, cols: usize) -> Ternary {
    let nonzero = random_bits(seed, 3, rows, cols);
    let sign = random_bits(seed, 4, rows, cols).and(nonzero.view()).expect("equal shapes");
    Ternary::new(sign, nonzero).expect("no zero has a sign")
}

/// The bits as booleans, row after row.
pub(crate) fn bools(bits: &BitTensor) -> Vec<bool> {
    (0..bits.rows()).flat_map(|r| (0..bits.cols()).map(move |c| bits.get(r, c))).collect()
}

/// The bits as +1 and -1, row after row.
pub(crate) fn signs(bits: &BitTensor) -> Vec<i8> {
    bools(bits).into_iter().map(|bit| if bit { 1 } else { -1 }).collect()
}

/// The values of a ternary matrix, row after row.
pub(crate) fn values(x: &Ternary) -> Vec<i8> {
    (0..x.rows()).flat_map(|r| (0..x.cols()).map(move |c| x.get(r, c))).collect()
}

/// The bit patterns, for comparisons that tell -0 from 0.
pub(crate) fn exact(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Panics unless the padding of the bits is zero.
pub(crate) fn assert_padding(bits: &BitTensor, what: &str) {
    BitTensor::from_words(bits.rows(), bits.cols(), bits.words().to_vec())
        .unwrap_or_else(|e| panic!("{what}: {e}"));
}
