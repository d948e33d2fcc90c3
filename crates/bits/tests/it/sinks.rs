//! Every sink of sums takes those of every left operand, as they are when they are stored.

use onebit_bits::{BitTensor, BitView, Engine, Left, Panels, Scores, Threshold, product, random_bits};

use crate::{
    common::{engines, integers, name, reals, ternary},
    kernels::shapes,
};

/// Stores the sums of a product, and compares all other sinks with them.
fn check<L>(engine: &Engine, left: L, right: &Panels, m: usize, what: &str)
where
    L: Copy + for<'a> Left<&'a Panels, &'a mut [i32]>,
    L: for<'a> Left<&'a Panels, &'a mut [f32]>,
    L: for<'a> Left<&'a Panels, Threshold<'a>> + for<'a> Left<&'a Panels, Scores<'a>>,
{
    let (n, k) = (right.n(), right.k());
    let mut sums = vec![i32::MIN; m * n];
    product(engine, left, right, &mut sums[..]).unwrap();
    let mut real = vec![f32::NAN; m * n];
    product(engine, left, right, &mut real[..]).unwrap();
    assert!(real.iter().zip(&sums).all(|(real, sum)| *real == *sum as f32), "f32 {what}");
    let thresholds: Vec<i32> = integers(4, n).iter().map(|t| t * (k as i32).isqrt() / 20).collect();
    let descending = random_bits(5, 0, 1, n);
    let mut bits = random_bits(7, 0, m, n);
    let sink = Threshold { thresholds: &thresholds, descending: descending.view(), bits: &mut bits };
    product(engine, left, right, sink).unwrap();
    let expected = BitTensor::from_fn(m, n, |r, c| {
        let (sum, t) = (sums[r * n + c], thresholds[c]);
        if descending.get(0, c) { sum <= t } else { sum >= t }
    });
    assert_eq!(bits, expected, "thresholds {what}");
    let (scale, mut scores) = (reals(6, n), vec![1.5; m * n]);
    product(engine, left, right, Scores { scale: &scale, scores: &mut scores }).unwrap();
    for (at, score) in scores.iter().enumerate() {
        assert_eq!(*score, 1.5 + scale[at % n] * sums[at] as f32, "scores {what}");
    }
}

#[test]
fn every_sink_takes_the_sums_of_every_left_operand() {
    // the last is wider than a job of bytes
    for (m, k, n) in shapes().into_iter().chain([(3, 40, 4200)]) {
        let (w, bits, signal) = (random_bits(3, 0, n, k), random_bits(1, 0, m, k), ternary(2, m, k));
        let bytes: Vec<u8> = integers(8, m * k).iter().map(|x| (x * 6 + 120) as u8).collect();
        for engine in engines() {
            let what = format!("({m}, {k}, {n}) on {}", name(&engine));
            let panels = Panels::of_rows(&engine, w.view());
            let view: BitView = bits.view();
            check(&engine, view, &panels, m, &format!("bits {what}"));
            check(&engine, &signal, &panels, m, &format!("ternaries {what}"));
            let panels = Panels::of_rows_for_reals(&engine, w.view());
            check(&engine, &bytes[..], &panels, m, &format!("bytes {what}"));
        }
    }
}
