//! Every kernel on every instruction set this machine has, with 1 and 2 workers, against the plain loops of
//! `onebit-reference`. Results are compared for equality, those in f32 too.

use onebit_bits::*;
use onebit_reference::{gemm as reference, number::real_gemm_by_fours};

use crate::common::*;

/// Sizes where kernels go wrong.
pub(crate) const SIZES: &[usize] = if cfg!(miri) {
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

/// Each awkward size in turn for each dimension, the others small and odd.
pub(crate) fn shapes() -> Vec<(usize, usize, usize)> {
    if cfg!(miri) {
        return vec![(3, 70, 17)]; // more than one word, and more than one vector
    }
    let mut shapes: Vec<_> =
        SIZES.iter().flat_map(|&n| [(n, 67, 5), (5, n, 67), (3, 70, n), (9, n, n)]).collect();
    // large enough that two workers share the work: by columns, by rows
    shapes.extend([large((70, 2048, 130)), large((300, 1024, 60))].into_iter().flatten());
    shapes
}

/// The features of the CPU (without `std`: of the build), read here independently of the crate, against the
/// instruction sets that run below.
#[test]
fn every_instruction_set_of_this_machine_runs() {
    use std::io::Write;
    let ran: Vec<_> = Isa::available().iter().map(|isa| isa.name()).collect();
    // to the stream itself: the test harness shows it also when nothing fails; at once: no other test cuts
    // the line
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
            product(&engine, x.view(), w.view(), &mut y[..]).unwrap();
            assert_eq!(y, expected, "xnor ({b}, {i}, {o}) on {}", name(&engine));
            product(&engine, &t, w.view(), &mut y[..]).unwrap();
            assert_eq!(y, expected_ternary, "ternary ({b}, {i}, {o}) on {}", name(&engine));
            product(&engine, &Ternary::from_bits(x.clone()), w.view(), &mut y[..]).unwrap();
            assert_eq!(y, expected, "ternary without zeros ({b}, {i}, {o}) on {}", name(&engine));
            let (rows, turned) = (Panels::of_rows(&engine, w.view()), w.transpose());
            for panels in [rows, Panels::of_columns(&engine, turned.view())] {
                let what = format!("({b}, {i}, {o}) on {}", name(&engine));
                y.fill(i32::MIN);
                product(&engine, x.view(), &panels, &mut y[..]).unwrap();
                assert_eq!(y, expected, "xnor packed {what}");
                y.fill(i32::MIN);
                product(&engine, &t, &panels, &mut y[..]).unwrap();
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
                let done = product(&engine, x, &panels, &mut y[..]);
                if i > 127 {
                    assert_eq!(done, Err(Error::TooLarge { op: "product", rows: b, cols: i }));
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
        let mut y = [0i8; 2];
        product(&engine, &x, &Panels::of_columns_for_votes(&engine, w.view()), &mut y[..]).unwrap();
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
        let scale = magnitudes(6, o);
        for engine in engines() {
            let what = format!("({b}, {i}, {o}) on {}", name(&engine));
            let panels = Panels::of_rows(&engine, w.view());
            let mut y = vec![i32::MIN; b * o];
            product(&engine, x.view(), &panels, &mut y[..]).unwrap();
            assert_eq!(y, sums, "sums {what}");
            let mut bits = random_bits(7, 0, b, o);
            product(
                &engine,
                x.view(),
                &panels,
                Threshold { thresholds: &thresholds, descending: descending.view(), bits: &mut bits },
            )
            .unwrap();
            let expected = BitTensor::from_fn(b, o, |r, c| {
                let (s, t) = (sums[r * o + c], thresholds[c]);
                if descending.get(0, c) { s <= t } else { s >= t }
            });
            assert_eq!(bits, expected, "thresholds {what}");
            let mut scores = vec![1.5; b * o];
            product(&engine, x.view(), &panels, Scores { scale: &scale, scores: &mut scores }).unwrap();
            for (at, score) in scores.iter().enumerate() {
                assert_eq!(*score, 1.5 + scale[at % o] * sums[at] as f32, "scores {what}");
            }
        }
    }
}

#[test]
fn real_products() {
    for (m, k, n) in shapes() {
        let (a, b) = (magnitudes(1, m * k), magnitudes(2, k * n));
        let (w, x) = (random_bits(3, 0, k, n), ternary(4, k, n));
        let shape = (m, k, n);
        let by_bits = real_gemm_by_fours(&a, &signs(&w.transpose()), shape);
        let by_ternary = reference::real_gemm(&a, &crate::packing::floats(&values(&x)), shape);
        let by_reals = reference::real_gemm(&a, &b, shape);
        for engine in engines() {
            let check = |what: &str, out: &[f32], expected: &[f32]| {
                let equal = out.iter().zip(expected).all(|(x, y)| x.to_bits() == y.to_bits());
                assert!(equal && out.len() == expected.len(), "{what} {shape:?} on {}", name(&engine));
            };
            let mut out = vec![f32::NAN; m * n];
            product(&engine, &a[..], Columns(w.view()), &mut out[..]).unwrap();
            check("real_bits", &out, &by_bits);
            out.fill(f32::NAN);
            product(&engine, &a[..], w.transpose().view(), &mut out[..]).unwrap();
            check("real_bits_t", &out, &by_bits);
            out.fill(f32::NAN);
            product(&engine, &a[..], Columns(&x), &mut out[..]).unwrap();
            check("real_ternary", &out, &by_ternary);
            out.fill(f32::NAN);
            product(
                &engine,
                &a[..],
                Columns(RealView { rows: shape.1, cols: shape.2, values: &b[..] }),
                &mut out[..],
            )
            .unwrap();
            check("real_real", &out, &by_reals);
        }
    }
}
