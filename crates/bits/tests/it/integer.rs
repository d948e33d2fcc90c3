//! Bytes x bits on every instruction set, with 1 and 2 workers, against plain loops; and what rounding
//! promises.

use onebit_bits::*;
use onebit_reference::number::integer_gemm;

use crate::common::{engines, name, reals, signs};

/// Where kernels go wrong: around words, vectors, chunks of 256 values, and tiles of 4 rows.
pub(crate) const SIZES: [usize; 13] = [0, 1, 3, 63, 64, 65, 127, 128, 129, 255, 256, 257, 513];

fn shapes() -> Vec<(usize, usize, usize)> {
    let mut shapes: Vec<_> =
        SIZES.iter().flat_map(|&n| [(n, 67, 5), (5, n, 67), (3, 70, n), (7, n, n)]).collect();
    // large enough that two workers share the work: by columns, by rows; longer than a run
    shapes.extend([(70, 1500, 130), (300, 256, 70), (2, 600, 5000)]);
    shapes
}

pub(crate) fn rounded(engine: &Engine, rows: usize, cols: usize, a: &[f32]) -> Int8 {
    let mut int8 = Int8::new();
    int8.round(engine, rows, cols, a, Noise { seed: 7, step: 1 }).unwrap();
    int8
}

fn integers(int8: &Int8) -> Vec<i32> {
    int8.values().iter().map(|&v| v.into()).collect()
}

#[test]
fn rounded_gradients() {
    for (m, k, n) in shapes() {
        let (a, b) = (reals(1, m * k), random_bits(2, 0, n, k));
        let plain = rounded(&Engine::single().with_isa(Isa::PORTABLE), m, k, &a);
        let sums = integer_gemm(&integers(&plain), &signs(&b), (m, k, n));
        for engine in engines() {
            let what = format!("({m}, {k}, {n}) on {}", name(&engine));
            let int8 = rounded(&engine, m, k, &a);
            assert_eq!((int8.values(), int8.scales()), (plain.values(), plain.scales()), "{what}");
            let turned = b.transpose();
            for panels in [
                Panels::of_rows_for_reals(&engine, b.view()),
                Panels::of_columns_for_reals(&engine, turned.view()),
            ] {
                let mut out = vec![i32::MIN; m * n];
                product(&engine, &int8, &panels, &mut out[..]).unwrap();
                assert!(out.iter().zip(&sums).all(|(x, y)| i64::from(*x) == *y), "sums {what}");
                let mut out = vec![f32::NAN; m * n];
                product(&engine, &int8, &panels, &mut out[..]).unwrap();
                for (at, out) in out.iter().enumerate() {
                    assert_eq!(*out, int8.scales()[at / n] * sums[at] as f32, "scaled {what}");
                }
            }
        }
    }
}

#[test]
fn extreme_bytes() {
    // all alike, so that every table and every sum is as far out as it can be
    for k in [256, 257, 40_000] {
        for (seed, ones) in [(1, BitTensor::from_fn(3, k, |_, _| true)), (2, random_bits(2, 0, 3, k))] {
            for engine in engines() {
                let panels = Panels::of_rows_for_reals(&engine, ones.view());
                for sign in [1.0, -1.0] {
                    let int8 = rounded(&engine, 1, k, &vec![sign; k]);
                    assert!(int8.values().iter().all(|v| *v == 127 * sign as i8));
                    let mut out = [0; 3];
                    product(&engine, &int8, &panels, &mut out[..]).unwrap();
                    let sums = integer_gemm(&integers(&int8), &signs(&ones), (1, k, 3));
                    assert_eq!(out.map(i64::from).as_slice(), sums, "{k} {seed} on {}", name(&engine));
                }
                let mut out = [0; 3];
                product(&engine, &vec![255; k][..], &panels, &mut out[..]).unwrap();
                let sums = integer_gemm(&vec![255; k], &signs(&ones), (1, k, 3));
                assert_eq!(out.map(i64::from).as_slice(), sums, "{k} {seed} on {}", name(&engine));
            }
        }
    }
}

#[test]
fn pixels() {
    for (m, k, n) in shapes() {
        let words = random_bits(1, 0, 1, m * k * 64);
        let x: Vec<u8> = words.words().iter().map(|word| *word as u8).collect();
        let w = random_bits(2, 0, n, k);
        let expected = integer_gemm(&x.iter().map(|&x| x.into()).collect::<Vec<_>>(), &signs(&w), (m, k, n));
        for engine in engines() {
            let mut y = vec![i32::MIN; m * n];
            product(&engine, &x[..], &Panels::of_rows_for_reals(&engine, w.view()), &mut y[..]).unwrap();
            let equal = y.iter().zip(&expected).all(|(x, y)| i64::from(*x) == *y);
            assert!(equal, "({m}, {k}, {n}) on {}", name(&engine));
        }
    }
}

/// Adds the gradient to one state, counts in another, and turns every bit of the weights.
struct Turn;

impl Update<(&mut [f32], &mut [u8])> for Turn {
    #[inline(always)]
    fn run(
        &self,
        first: usize,
        gradient: &[f32],
        (sum, count): (&mut [f32], &mut [u8]),
        weights: &mut [u64],
    ) {
        assert!(gradient.len() == sum.len() && gradient.len() == count.len());
        assert_eq!(weights.len(), gradient.len().div_ceil(64));
        for (at, (sum, gradient)) in sum.iter_mut().zip(gradient).enumerate() {
            *sum += gradient + (first + at) as f32;
        }
        count.iter_mut().for_each(|count| *count += 1);
        weights.iter_mut().for_each(|word| *word = !*word);
    }
}

#[test]
fn every_run_comes_once_with_its_states() {
    for (m, k, n) in shapes() {
        let (a, b, before) = (reals(1, m * k), random_bits(2, 0, n, k), random_bits(3, 0, m, n));
        for engine in engines() {
            let what = format!("({m}, {k}, {n}) on {}", name(&engine));
            let (int8, panels) = (rounded(&engine, m, k, &a), Panels::of_rows_for_reals(&engine, b.view()));
            let mut gradient = vec![0.0; m * n];
            product(&engine, &int8, &panels, &mut gradient[..]).unwrap();
            let (mut sum, mut count, mut weights) = (vec![1.0; m * n], vec![0u8; m * n], before.clone());
            product(
                &engine,
                &int8,
                &panels,
                Updating { states: (&mut sum[..], &mut count[..]), weights: &mut weights, update: &Turn },
            )
            .unwrap();
            assert!(count.iter().all(|&count| count == 1), "{what}");
            for (at, sum) in sum.iter().enumerate() {
                assert_eq!(*sum, 1.0 + (gradient[at] + at as f32), "{what}");
            }
            assert_eq!(weights, before.not(), "{what}");
        }
    }
}

#[test]
fn dropped_inputs() {
    for (m, k, n) in shapes() {
        let (a, nonzero) = (reals(1, m * k), random_bits(2, 0, n, k));
        let sign = random_bits(3, 0, n, k).and(nonzero.view()).unwrap();
        let x = Ternary::new(sign, nonzero).unwrap();
        let values: Vec<i8> = (0..n * k).map(|at| x.get(at / k, at % k)).collect();
        let other = Ternary::from_bits(random_bits(4, 0, n, k));
        for engine in engines() {
            let what = format!("({m}, {k}, {n}) on {}", name(&engine));
            let int8 = rounded(&engine, m, k, &a);
            let sums = integer_gemm(&integers(&int8), &values, (m, k, n));
            let mut repacked = TernaryPanels::of_rows_for_reals(&engine, &other);
            repacked.repack(&engine, &x);
            for panels in [repacked, TernaryPanels::of_columns_for_reals(&engine, &x.transpose())] {
                assert_eq!((panels.n(), panels.k()), (n, k));
                let mut out = vec![f32::NAN; m * n];
                product(&engine, &int8, &panels, &mut out[..]).unwrap();
                let (mut sum, mut count) = (vec![1.0; m * n], vec![0u8; m * n]);
                let states = (&mut sum[..], &mut count[..]);
                let mut weights = BitTensor::zeros(m, n);
                product(&engine, &int8, &panels, Updating { states, weights: &mut weights, update: &Turn })
                    .unwrap();
                for (at, out) in out.iter().enumerate() {
                    assert_eq!(*out, int8.scales()[at / n] * sums[at] as f32, "{what}");
                    assert_eq!(sum[at], 1.0 + (out + at as f32), "{what}");
                }
                assert!(count.iter().all(|&count| count == 1), "{what}");
                assert_eq!(weights, BitTensor::zeros(m, n).not(), "{what}");
            }
        }
    }
}

/// Rounded to the limit 1, bytes and bit planes are the same numbers.
#[test]
fn planes_are_bytes_of_the_limit_one() {
    for (m, k, n) in shapes() {
        let (mut a, b, noise) = (reals(1, m * k), random_bits(2, 0, n, k), Noise { seed: 5, step: 6 });
        for (at, odd) in [(0, f32::INFINITY), (1, f32::NAN), (2, f32::MIN_POSITIVE / 8.0)] {
            if let Some(row) = a.chunks_mut(k.max(1)).nth(4 * at + 1) {
                row[0] = odd; // these rows have no scale
                row[1..].fill(0.0);
            }
        }
        for engine in engines() {
            let what = format!("({m}, {k}, {n}) on {}", name(&engine));
            let (mut bytes, mut planes) = (Int8::new(), ScaledTernary::new());
            bytes.set_limit(1);
            let same = |bytes: &Int8, planes: &ScaledTernary| {
                assert_eq!(planes.values().shape(), bytes.shape(), "{what}");
                let bits = |scales: &[f32]| scales.iter().map(|scale| scale.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(planes.scales()), bits(bytes.scales()), "{what}");
                let cols = bytes.shape().1;
                for (at, value) in bytes.values().iter().enumerate() {
                    assert_eq!(planes.values().get(at / cols, at % cols), *value, "{what}, {at}");
                }
            };
            bytes.round_transposed(&engine, m, k, &a, noise).unwrap();
            planes.round_transposed(&engine, m, k, &a, noise).unwrap();
            same(&bytes, &planes);
            bytes.round(&engine, m, k, &a, noise).unwrap();
            planes.round(&engine, m, k, &a, noise).unwrap();
            same(&bytes, &planes);
            let panels = Panels::of_rows(&engine, b.view());
            let (mut expected, mut out) = (vec![0.0; m * n], vec![f32::NAN; m * n]);
            let for_bytes = Panels::of_rows_for_reals(&engine, b.view());
            product(&engine, &bytes, &for_bytes, &mut expected[..]).unwrap();
            product(&engine, &planes, &panels, &mut out[..]).unwrap();
            let bits = |out: &[f32]| out.iter().map(|out| out.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&out), bits(&expected), "{what}");
            let (mut sum, mut count) = (vec![1.0; m * n], vec![0u8; m * n]);
            let (states, mut weights) = ((&mut sum[..], &mut count[..]), BitTensor::zeros(m, n));
            product(&engine, &planes, &panels, Updating { states, weights: &mut weights, update: &Turn })
                .unwrap();
            let turned: Vec<f32> = out.iter().enumerate().map(|(at, out)| 1.0 + (out + at as f32)).collect();
            assert_eq!(bits(&sum), bits(&turned), "{what}");
            assert!(count.iter().all(|&count| count == 1), "{what}");
            assert_eq!(weights, BitTensor::zeros(m, n).not(), "{what}");
        }
    }
}

#[test]
fn operands_that_do_not_fit() {
    let engine = Engine::single();
    let is_length = |result| assert!(matches!(result, Err(Error::Length { .. })), "{result:?}");
    let mut int8 = Int8::new();
    is_length(int8.round(&engine, 2, 3, &[0.0; 5], Noise { seed: 1, step: 1 }));
    is_length(int8.round_transposed(&engine, 2, 3, &[0.0; 7], Noise { seed: 1, step: 1 }));
    int8.round(&engine, 2, 3, &[0.0; 6], Noise { seed: 1, step: 1 }).unwrap();
    let panels = |k| Panels::of_rows_for_reals(&engine, random_bits(1, 0, 4, k).view());
    is_length(product(&engine, &int8, &panels(3), &mut [0.0; 7][..]));
    is_length(product(&engine, &int8, &panels(3), &mut [0; 9][..]));
    let is_shape = |result| assert!(matches!(result, Err(Error::Shape { .. })), "{result:?}");
    is_shape(product(&engine, &int8, &panels(4), &mut [0.0; 8][..]));
    is_length(product(&engine, &[0; 5][..], &panels(3), &mut [0; 8][..]));
    is_length(product(&engine, &[0; 6][..], &panels(3), &mut [0; 9][..]));
    let (mut planes, noise) = (ScaledTernary::new(), Noise { seed: 1, step: 1 });
    is_length(planes.round(&engine, 2, 3, &[0.0; 5], noise));
    is_length(planes.round_transposed(&engine, 2, 3, &[0.0; 7], noise));
    planes.round(&engine, 2, 3, &[0.0; 6], noise).unwrap();
    let for_bits = |k| Panels::of_rows(&engine, random_bits(1, 0, 4, k).view());
    is_length(product(&engine, &planes, &for_bits(3), &mut [0.0; 7][..]));
    is_shape(product(&engine, &planes, &for_bits(4), &mut [0.0; 8][..]));
    let with = |len: usize, rows, cols| {
        let (mut sum, mut count, mut weights) = (vec![0.0; len], vec![0; len], BitTensor::zeros(rows, cols));
        product(
            &engine,
            &int8,
            &panels(3),
            Updating { states: (&mut sum[..], &mut count[..]), weights: &mut weights, update: &Turn },
        )
    };
    assert_eq!(with(8, 2, 4), Ok(()));
    is_length(with(9, 2, 4));
    is_shape(with(8, 4, 2));
    // portable counts ones, so its panels for bits are other ones
    let portable = Engine::single().with_isa(Isa::PORTABLE);
    let bits = Panels::of_rows(&portable, random_bits(1, 0, 4, 3).view());
    let refused = product(&portable, &int8, &bits, &mut [0.0; 8][..]);
    assert!(matches!(refused, Err(Error::Packed { .. })), "{refused:?}");
}
