//! Every kernel on every instruction set this machine has, with 1 and 2 workers, against the plain loops of
//! `onebit-reference`. Results are compared for equality, those in f32 too.

use onebit_bits::{
    BitTensor, Engine, Error, Isa, Panels, Ternary, pack_above, pack_above_into, pack_at_least, pack_signs,
    pack_thresholds, random_bits, real_bits, real_bits_t, real_real, real_ternary, ternary_gemm,
    ternary_gemm_bytes, ternary_gemm_packed, transpose, unpack_signs, votes, votes_to_flips, xnor_gemm,
    xnor_gemm_packed, xnor_scores, xnor_threshold,
};
use onebit_reference::{gemm as reference, number::real_gemm_by_fours};

/// Sizes where kernels go wrong.
const SIZES: &[usize] = if cfg!(miri) {
    &[0, 65]
} else {
    &[
        0, 1, // nothing, and a single bit
        63, 64, 65, // around one word
        127, 128, 129, // around two words: the carry-save pair, and the tallest tile
        511, 512,
        513, // around eight words: the longest vector; two blocks of 256 in the depth of a real product
    ]
};

/// A large size, which Miri and emulators are spared: they are a hundred times slower than a processor.
fn large<T>(size: T) -> Option<T> {
    (!cfg!(miri) && std::env::var_os("ONEBIT_NO_LARGE_SIZES").is_none()).then_some(size)
}

/// Each awkward size in turn for each dimension, the others small and odd.
fn shapes() -> Vec<(usize, usize, usize)> {
    if cfg!(miri) {
        return vec![(3, 70, 17)]; // more than one word, and more than one vector
    }
    let mut shapes: Vec<_> =
        SIZES.iter().flat_map(|&n| [(n, 67, 5), (5, n, 67), (3, 70, n), (9, n, n)]).collect();
    // large enough that two workers share the work: by columns, by rows
    shapes.extend([large((70, 2048, 130)), large((300, 1024, 60))].into_iter().flatten());
    shapes
}

/// Workers to try; without `std` there is one.
const THREADS: std::ops::RangeInclusive<usize> = 1..=if cfg!(feature = "std") { 2 } else { 1 };

/// Every instruction set with every number of workers.
fn engines() -> Vec<Engine> {
    let with = |threads| Engine::new(threads).unwrap_or_else(|e| panic!("{e}"));
    let of = |engine: Engine| Isa::available().into_iter().map(move |isa| engine.clone().with_isa(isa));
    THREADS.map(with).flat_map(of).collect()
}

fn name(engine: &Engine) -> String {
    format!("{} x {}", engine.isa().name(), engine.threads())
}

/// Reproducible numbers in -1..1 with zeros, of very different magnitudes, so that rounding shows any other order.
fn reals(seed: u64, len: usize) -> Vec<f32> {
    let bits = random_bits(seed, 1, 1, len * 64);
    let real = |word: &u64| match word % 8 {
        0 => 0.0,
        scale => (*word as i64 as f32 / 2f32.powi(63)) * 10f32.powi(scale as i32 - 5),
    };
    bits.words().iter().map(real).collect()
}

fn integers(seed: u64, len: usize) -> Vec<i32> {
    random_bits(seed, 2, 1, len * 64).words().iter().map(|word| (word % 41) as i32 - 20).collect()
}

fn signs(bits: &BitTensor) -> Vec<i8> {
    bools(bits).into_iter().map(|bit| if bit { 1 } else { -1 }).collect()
}

fn bools(bits: &BitTensor) -> Vec<bool> {
    (0..bits.rows()).flat_map(|r| (0..bits.cols()).map(move |c| bits.get(r, c))).collect()
}

fn ternary(seed: u64, rows: usize, cols: usize) -> Ternary {
    let nonzero = random_bits(seed, 3, rows, cols);
    let sign = random_bits(seed, 4, rows, cols).and(nonzero.view()).expect("equal shapes");
    Ternary::new(sign, nonzero).expect("no zero has a sign")
}

fn values(x: &Ternary) -> Vec<i8> {
    (0..x.rows()).flat_map(|r| (0..x.cols()).map(move |c| x.get(r, c))).collect()
}

fn floats(x: &[i8]) -> Vec<f32> {
    x.iter().map(|&x| f32::from(x)).collect()
}

fn assert_padding(bits: &BitTensor, what: &str) {
    BitTensor::from_words(bits.rows(), bits.cols(), bits.words().to_vec())
        .unwrap_or_else(|e| panic!("{what}: {e}"));
}

/// The features of the CPU (without `std`: of the build), read here independently of the crate, against the
/// instruction sets that run below.
#[test]
fn every_instruction_set_of_this_machine_runs() {
    use std::io::Write;
    let ran: Vec<_> = Isa::available().iter().map(|isa| isa.name()).collect();
    // to the stream itself: the test harness shows it also when nothing fails; at once: no other test cuts the line
    let line = format!("instruction sets that ran: {}\n", ran.join(", "));
    std::io::stderr().write_all(line.as_bytes()).expect("stderr");
    let mut expected = vec!["portable"];
    #[cfg(target_arch = "x86_64")]
    {
        #[cfg(feature = "std")]
        use std::arch::is_x86_feature_detected as has;
        #[cfg(not(feature = "std"))]
        macro_rules! has {
            ($feature:tt) => {
                cfg!(target_feature = $feature)
            };
        }
        if has!("avx2") && has!("popcnt") && has!("bmi2") {
            expected.push("avx2");
        }
        let words = has!("avx512vl") && has!("avx512bw") && has!("avx512dq") && has!("avx512vpopcntdq");
        if words && has!("avx512vbmi") && has!("avx512bitalg") {
            expected.push("avx512");
        }
    }
    if cfg!(target_arch = "aarch64") {
        expected.push("neon");
    }
    if cfg!(all(target_arch = "wasm32", target_feature = "simd128")) {
        expected.push("simd128");
    }
    assert_eq!(ran, expected);
    assert_eq!(Isa::best().name(), *expected.last().expect("portable"));
    let tested: Vec<_> = engines().iter().map(name).collect();
    for isa in expected {
        assert!(THREADS.into_iter().all(|n| tested.contains(&format!("{isa} x {n}"))), "{tested:?}");
    }
}

#[test]
fn xnor_and_ternary_gemm() {
    for (b, i, o) in shapes() {
        let (x, t, w) = (random_bits(1, 0, b, i), ternary(2, b, i), random_bits(3, 0, o, i));
        let expected = reference::gemm(&signs(&x), &signs(&w), (b, i, o));
        let expected_ternary = reference::gemm(&values(&t), &signs(&w), (b, i, o));
        for engine in engines() {
            let mut y = vec![i32::MIN; b * o];
            xnor_gemm(&engine, x.view(), w.view(), &mut y).unwrap();
            assert_eq!(y, expected, "xnor ({b}, {i}, {o}) on {}", name(&engine));
            ternary_gemm(&engine, &t, w.view(), &mut y).unwrap();
            assert_eq!(y, expected_ternary, "ternary ({b}, {i}, {o}) on {}", name(&engine));
            ternary_gemm(&engine, &Ternary::from_bits(x.clone()), w.view(), &mut y).unwrap();
            assert_eq!(y, expected, "ternary without zeros ({b}, {i}, {o}) on {}", name(&engine));
            let (rows, turned) = (Panels::of_rows(&engine, w.view()), w.transpose());
            for panels in [rows, Panels::of_columns(&engine, turned.view())] {
                let what = format!("({b}, {i}, {o}) on {}", name(&engine));
                y.fill(i32::MIN);
                xnor_gemm_packed(&engine, x.view(), &panels, &mut y).unwrap();
                assert_eq!(y, expected, "xnor packed {what}");
                y.fill(i32::MIN);
                ternary_gemm_packed(&engine, &t, &panels, &mut y).unwrap();
                assert_eq!(y, expected_ternary, "ternary packed {what}");
            }
        }
    }
}

/// Sums that fit a byte, however many rows and columns there are.
#[test]
fn ternary_gemm_in_bytes() {
    let short = [0, 1, 7, 8, 9, 63, 64, 65, 100, 120, 121, 127].map(|i| (5, i, 67));
    let large = large((133, 100, 1100)).into_iter().chain(large((300, 127, 60)));
    let more = short.into_iter().filter(|_| !cfg!(miri)).chain(large);
    for (b, i, o) in shapes().into_iter().chain(more) {
        let (x, w) = (ternary(2, b, i), random_bits(3, 0, o, i));
        let dense = Ternary::from_bits(random_bits(1, 0, b, i));
        for engine in engines() {
            let turned = w.transpose();
            let panels = Panels::of_columns_for_votes(&engine, turned.view());
            for x in [&x, &dense] {
                let what = format!("({b}, {i}, {o}) on {}", name(&engine));
                let mut y = vec![i8::MIN; b * o];
                let done = ternary_gemm_bytes(&engine, x, &panels, &mut y);
                if i > 127 {
                    assert_eq!(done, Err(Error::TooLarge { op: "ternary_gemm_bytes", rows: b, cols: i }));
                    continue;
                }
                assert_eq!(done, Ok(()));
                let expected = reference::gemm(&values(x), &signs(&w), (b, i, o));
                assert!(y.iter().map(|&y| i32::from(y)).eq(expected), "{what}");
            }
        }
    }
}

/// As far from zero as a byte goes: all differ, or none does.
#[test]
fn unanimous_votes_fit_a_byte() {
    for engine in engines() {
        let w = BitTensor::from_fn(127, 2, |_, o| o == 0);
        let x = Ternary::from_bits(BitTensor::from_fn(1, 127, |_, _| true));
        let mut y = [0; 2];
        ternary_gemm_bytes(&engine, &x, &Panels::of_columns_for_votes(&engine, w.view()), &mut y).unwrap();
        assert_eq!(y, [127, -127], "{}", name(&engine));
    }
}

#[test]
fn sums_that_are_never_stored() {
    // the last is longer than sums of 16 bits
    for (b, i, o) in shapes().into_iter().chain(large((9, 65 * 1024 + 1, 33))) {
        let (x, w) = (random_bits(1, 0, b, i), random_bits(3, 0, o, i));
        let sums = match i {
            0..1000 => reference::gemm(&signs(&x), &signs(&w), (b, i, o)),
            _ => reference::gemm_of_bits(x.words(), w.words(), (b, i, o)),
        };
        let thresholds: Vec<i32> = integers(4, o).iter().map(|t| t * (i as i32).isqrt() / 20).collect();
        let descending = random_bits(5, 0, 1, o);
        let scale = reals(6, o);
        for engine in engines() {
            let what = format!("({b}, {i}, {o}) on {}", name(&engine));
            let panels = Panels::of_rows(&engine, w.view());
            let mut y = vec![i32::MIN; b * o];
            xnor_gemm_packed(&engine, x.view(), &panels, &mut y).unwrap();
            assert_eq!(y, sums, "sums {what}");
            let mut bits = random_bits(7, 0, b, o);
            xnor_threshold(&engine, x.view(), &panels, &thresholds, descending.view(), &mut bits).unwrap();
            let expected = BitTensor::from_fn(b, o, |r, c| {
                let (s, t) = (sums[r * o + c], thresholds[c]);
                if descending.get(0, c) { s <= t } else { s >= t }
            });
            assert_eq!(bits, expected, "thresholds {what}");
            let mut scores = vec![1.5; b * o];
            xnor_scores(&engine, x.view(), &panels, &scale, &mut scores).unwrap();
            for (at, score) in scores.iter().enumerate() {
                assert_eq!(*score, 1.5 + scale[at % o] * sums[at] as f32, "scores {what}");
            }
        }
    }
}

#[test]
fn real_products() {
    for (m, k, n) in shapes() {
        let (a, b) = (reals(1, m * k), reals(2, k * n));
        let (w, x) = (random_bits(3, 0, k, n), ternary(4, k, n));
        let shape = (m, k, n);
        let by_bits = real_gemm_by_fours(&a, &signs(&w.transpose()), shape);
        let by_ternary = reference::real_gemm(&a, &floats(&values(&x)), shape);
        let by_reals = reference::real_gemm(&a, &b, shape);
        for engine in engines() {
            let check = |what: &str, out: &[f32], expected: &[f32]| {
                let equal = out.iter().zip(expected).all(|(x, y)| x.to_bits() == y.to_bits());
                assert!(equal && out.len() == expected.len(), "{what} {shape:?} on {}", name(&engine));
            };
            let mut out = vec![f32::NAN; m * n];
            real_bits(&engine, &a, w.view(), &mut out).unwrap();
            check("real_bits", &out, &by_bits);
            out.fill(f32::NAN);
            real_bits_t(&engine, &a, w.transpose().view(), &mut out).unwrap();
            check("real_bits_t", &out, &by_bits);
            out.fill(f32::NAN);
            real_ternary(&engine, &a, &x, &mut out).unwrap();
            check("real_ternary", &out, &by_ternary);
            out.fill(f32::NAN);
            real_real(&engine, shape, &a, &b, &mut out).unwrap();
            check("real_real", &out, &by_reals);
        }
    }
}

#[test]
fn votes_and_their_correction() {
    for (m, k, n) in shapes() {
        let (own, signal) = (random_bits(1, 0, m, n), ternary(2, m, k));
        let (operand, changed) = (random_bits(3, 0, k, n), random_bits(4, 0, k, n));
        let count = |changed: Option<&[bool]>| {
            reference::votes(&signs(&own), &values(&signal), &signs(&operand), changed, (m, k, n))
        };
        let (expected, corrected) = (count(None), count(Some(&bools(&changed))));
        for engine in engines() {
            let asked = votes(&engine, own.view(), &signal, operand.view(), None).unwrap();
            assert_eq!(asked, expected, "votes ({m}, {k}, {n}) on {}", name(&engine));
            let asked = votes(&engine, own.view(), &signal, operand.view(), Some(changed.view())).unwrap();
            assert_eq!(asked, corrected, "corrected ({m}, {k}, {n}) on {}", name(&engine));
        }
    }
}

/// What the correction is for: it is the request that `h_old ^ h_new` toggles, and it counts nothing twice.
#[test]
fn correction_is_the_change_of_the_gates() {
    let (m, k, n) = (7, 130, 66);
    let (own, signal) = (random_bits(1, 0, m, n), ternary(2, m, k));
    let (old, new) = (random_bits(3, 0, k, n), random_bits(4, 0, k, n));
    let changed = old.xor(new.view()).unwrap();
    let corrected = votes(&Engine::single(), own.view(), &signal, old.view(), Some(changed.view())).unwrap();
    for r in 0..m {
        for c in 0..n {
            let count = (0..k).filter(|&k| {
                let h = |operand: &BitTensor| own.get(r, c) == operand.get(k, c);
                let asked = signal.get(r, k) != 0 && (signal.get(r, k) > 0) == h(&old);
                asked ^ (h(&old) ^ h(&new))
            });
            assert_eq!(corrected[r * n + c] as usize, count.count(), "({r}, {c})");
        }
    }
}

#[test]
fn votes_become_flips() {
    for (rows, cols) in [(0, 5), (5, 0), (1, 1), (3, 63), (4, 64), (5, 65), (2, 513)] {
        let votes: Vec<u32> = integers(1, rows * cols).iter().map(|&v| (v + 20) as u32).collect();
        // 40 voters: p_min 1/2 falls on a vote, 0.3 below the mean, 1 above all
        for p_min in [0.0, 0.1, 0.3, 0.5, 0.51, 1.0] {
            let flips = votes_to_flips(rows, cols, &votes, 40, p_min).unwrap();
            assert_eq!(
                bools(&flips),
                reference::votes_to_flips(&votes, 40, p_min),
                "({rows}, {cols}) {p_min}"
            );
            assert_padding(&flips, "votes_to_flips");
        }
    }
    // all alike: nobody is above the mean, even if all ask
    assert_eq!(votes_to_flips(1, 3, &[9; 3], 9, 0.0).unwrap().count_ones(), 0);
    assert_eq!(votes_to_flips(1, 3, &[u32::MAX, u32::MAX, 0], u32::MAX, 0.0).unwrap().count_ones(), 2);
}

#[test]
fn packing() {
    let awkward = SIZES.iter().flat_map(|&n| [(3, n, 3), (n, 5, 1), (2, 67, n)]);
    // the last is large enough that two workers share it
    for (rows, cols, depth) in awkward.chain(large((130, 2049, 1))) {
        let x = reals(1, rows * cols);
        let thresholds = reals(2, depth);
        let sums = integers(3, rows * cols);
        let integer_thresholds = integers(4, depth * cols);
        let real_thresholds: Vec<f32> = integer_thresholds.iter().map(|&t| t as f32).collect();
        let real_sums: Vec<f32> = sums.iter().map(|&s| s as f32).collect();
        let bytes: Vec<u8> = integers(6, rows * cols).iter().map(|&n| (n * 37) as u8).collect();
        let byte_thresholds: Vec<i16> =
            integers(7, depth * cols).iter().map(|&n| (n * 53).rem_euclid(257) as i16 - 1).collect();
        let descending = random_bits(5, 0, 1, cols);
        // depth-major columns
        let deep = |bit: &dyn Fn(usize, usize, usize) -> bool| {
            let one = |r, column| bit(r, column / cols, column % cols);
            (0..rows).flat_map(|r| (0..depth * cols).map(move |column| one(r, column))).collect::<Vec<_>>()
        };
        let at = |r: usize, k: usize, c: usize| {
            let (s, t) = (sums[r * cols + c], integer_thresholds[k * cols + c]);
            if descending.get(0, c) { s <= t } else { s >= t }
        };
        for engine in engines() {
            let what = format!("({rows}, {cols}, {depth}) on {}", name(&engine));
            let bits = pack_signs(&engine, rows, cols, &x).unwrap();
            assert_eq!(bools(&bits), x.iter().map(|&x| x >= 0.0).collect::<Vec<_>>(), "signs {what}");
            assert_padding(&bits, &what);
            let bits_of_sums = pack_signs(&engine, rows, cols, &sums).unwrap();
            assert_eq!(bools(&bits_of_sums), sums.iter().map(|&s| s >= 0).collect::<Vec<_>>(), "i32 {what}");
            assert_eq!(unpack_signs(bits.view()), floats(&signs(&bits)), "unpack {what}");

            let bits = pack_thresholds(&engine, rows, cols, &x, &thresholds).unwrap();
            let expected = deep(&|r, k, c| x[r * cols + c] > thresholds[k]);
            assert_eq!(bits.shape(), (rows, depth * cols));
            assert_eq!(bools(&bits), expected, "thresholds {what}");
            let limits = [-3, 0, 2];
            let of_sums = pack_thresholds(&engine, rows, cols, &sums, &limits).unwrap();
            let above = |r: usize, column: usize| sums[r * cols + column % cols] > limits[column / cols];
            let above = (0..rows)
                .flat_map(|r| (0..3 * cols).map(move |column| (r, column)))
                .map(|(r, c)| above(r, c));
            assert_eq!(bools(&of_sums), above.collect::<Vec<_>>(), "thresholds i32 {what}");
            assert_padding(&bits, &what);

            let mut bits = pack_above(&engine, rows, cols, &x, &real_thresholds).unwrap();
            let expected = deep(&|r, k, c| x[r * cols + c] > real_thresholds[k * cols + c]);
            assert_eq!(bits.shape(), (rows, depth * cols));
            assert_eq!(bools(&bits), expected, "above f32 {what}");
            assert_padding(&bits, &what);
            // over what was there
            pack_above_into(&engine, cols, &bytes, &byte_thresholds, &mut bits).unwrap();
            let expected = deep(&|r, k, c| i16::from(bytes[r * cols + c]) > byte_thresholds[k * cols + c]);
            assert_eq!(bools(&bits), expected, "above u8 {what}");
            assert_padding(&bits, &what);

            let bits =
                pack_at_least(&engine, rows, cols, &sums, &integer_thresholds, descending.view()).unwrap();
            // without columns there are no thresholds to tell the depth from
            assert_eq!(bits.shape(), (rows, depth * cols));
            assert_eq!(bools(&bits), deep(&at), "at_least i32 {what}");
            assert_padding(&bits, &what);
            let real =
                pack_at_least(&engine, rows, cols, &real_sums, &real_thresholds, descending.view()).unwrap();
            assert_eq!(real, bits, "at_least f32 {what}");
        }
    }
}

/// The values at which a comparison is easily wrong.
#[test]
fn zeros_ties_and_nan() {
    for engine in engines() {
        let x =
            [0.0, -0.0, f32::NAN, f32::MIN_POSITIVE, -f32::MIN_POSITIVE, f32::INFINITY, f32::NEG_INFINITY];
        let bits = pack_signs(&engine, 1, 7, &x).unwrap();
        assert_eq!(bools(&bits), [true, true, false, true, false, true, false]);
        // strict: a value at the threshold is not above it
        let bits = pack_thresholds(&engine, 1, 3, &[1.0, 2.0, f32::NAN], &[1.0]).unwrap();
        assert_eq!(bools(&bits), [false, true, false]);
        let bits = pack_above(&engine, 1, 3, &[1.0, 2.0, f32::NAN], &[1.0; 3]).unwrap();
        assert_eq!(bools(&bits), [false, true, false]);
        let bits = pack_above(&engine, 1, 2, &[0u8, 255], &[-1, 254, 0, 255]).unwrap();
        assert_eq!(bools(&bits), [true, true, false, false]);
        // not strict: a sum at the threshold is a one in either direction
        let descending = BitTensor::from_fn(1, 4, |_, c| c >= 2);
        let bits = pack_at_least(&engine, 1, 4, &[5, 4, 5, 6], &[5; 4], descending.view()).unwrap();
        assert_eq!(bools(&bits), [true, false, true, false]);
        let nan = pack_at_least(&engine, 1, 4, &[f32::NAN; 4], &[5.0; 4], descending.view()).unwrap();
        assert_eq!(nan.count_ones(), 0);
    }
    let x = Ternary::from_f32(1, 4, &[0.0, -0.0, f32::NAN, -1e-45]).unwrap();
    assert_eq!(values(&x), [0, 0, 0, -1]);
}

#[test]
fn transposing_reals() {
    for (rows, cols) in SIZES.iter().flat_map(|&n| [(n, 17), (3, n)]) {
        let x = reals(1, rows * cols);
        let turned = transpose(rows, cols, &x).unwrap();
        for r in 0..rows {
            for c in 0..cols {
                assert_eq!(turned[c * rows + r], x[r * cols + c], "({rows}, {cols}) at ({r}, {c})");
            }
        }
    }
}
