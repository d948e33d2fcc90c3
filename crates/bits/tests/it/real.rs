//! Reals x packed bits on every instruction set, with 1 and 2 workers, against plain loops in the promised
//! order of sums; results are compared bit for bit.

use onebit_bits::*;
use onebit_reference::number::{bf16_gemm_by_fours, real_gemm_by_fours};

use crate::common::{engines, exact, magnitudes, name, signs};

/// Where kernels go wrong: around words, vectors, chunks of 256 values, and tiles of 4 rows.
const SIZES: [usize; 13] = [0, 1, 3, 63, 64, 65, 127, 128, 129, 255, 256, 257, 513];

fn shapes() -> Vec<(usize, usize, usize)> {
    if cfg!(miri) {
        return vec![(3, 70, 17)]; // more than one word, and more than one vector
    }
    let mut shapes: Vec<_> =
        SIZES.iter().flat_map(|&n| [(n, 67, 5), (5, n, 67), (3, 70, n), (7, n, n)]).collect();
    // every number of bytes of a chunk
    shapes.extend((1..=32).map(|bytes| (2, 8 * bytes - 2, 5)));
    // large enough that two workers share the work: by columns, by rows; longer than a run
    shapes.extend([(70, 1500, 130), (300, 256, 70), (2, 600, 5000)]);
    shapes
}

#[test]
fn products_in_the_promised_order() {
    for (m, k, n) in shapes() {
        let (a, b) = (magnitudes(1, m * k), random_bits(2, 0, n, k));
        let expected = exact(&real_gemm_by_fours(&a, &signs(&b), (m, k, n)));
        let in_bf16 = exact(&bf16_gemm_by_fours(&a, &signs(&b), (m, k, n)));
        for engine in engines() {
            let what = format!("({m}, {k}, {n}) on {}", name(&engine));
            let turned = b.transpose();
            for panels in [
                Panels::of_rows_for_reals(&engine, b.view()),
                Panels::of_columns_for_reals(&engine, turned.view()),
            ] {
                let mut out = vec![f32::NAN; m * n];
                product(&engine, &a[..], &panels, &mut out[..]).unwrap();
                assert!(exact(&out) == expected, "{what}");
                product(&engine, Bf16(&a), &panels, &mut out[..]).unwrap();
                assert!(exact(&out) == in_bf16, "bf16 {what}");
            }
            let mut out = vec![f32::NAN; m * n];
            product(&engine, &a[..], Columns(turned.view()), &mut out[..]).unwrap();
            assert!(exact(&out) == expected, "unpacked {what}");
        }
    }
}

#[test]
fn infinities_and_nan_come_through() {
    let a = [f32::INFINITY, 1.0, 2.0, 3.0, 4.0, f32::NAN, 1.0, 1.0, f32::INFINITY, f32::NEG_INFINITY];
    let w = BitTensor::from_fn(5, 1, |_, _| true);
    for engine in engines() {
        let mut out = [0.0; 2];
        product(&engine, &a[..], Columns(w.view()), &mut out[..]).unwrap();
        assert!(out[0] == f32::INFINITY && out[1].is_nan(), "{out:?}");
        product(&engine, &a[..], Columns(w.not().view()), &mut out[..]).unwrap();
        assert!(out[0] == f32::NEG_INFINITY && out[1].is_nan(), "{out:?}");
    }
}

/// Adds the gradient to the state, and turns every bit of the weights.
struct Turn;

impl Update<&mut [f32]> for Turn {
    #[inline(always)]
    fn run(&self, first: usize, gradient: &[f32], sum: &mut [f32], weights: &mut [u64]) {
        assert!(gradient.len() == sum.len() && weights.len() == gradient.len().div_ceil(64));
        for (at, (sum, gradient)) in sum.iter_mut().zip(gradient).enumerate() {
            *sum += gradient + (first + at) as f32;
        }
        weights.iter_mut().for_each(|word| *word = !*word);
    }
}

#[test]
fn every_run_comes_once_with_its_states() {
    for (m, k, n) in shapes() {
        let (a, b, before) = (magnitudes(1, m * k), random_bits(2, 0, n, k), random_bits(3, 0, m, n));
        let gradient = real_gemm_by_fours(&a, &signs(&b), (m, k, n));
        let in_bf16 = bf16_gemm_by_fours(&a, &signs(&b), (m, k, n));
        for engine in engines() {
            let what = format!("({m}, {k}, {n}) on {}", name(&engine));
            let (mut sum, mut weights) = (vec![1.0; m * n], before.clone());
            let panels = Panels::of_rows_for_reals(&engine, b.view());
            product(
                &engine,
                &a[..],
                &panels,
                Updating { states: &mut sum[..], weights: &mut weights, update: &Turn },
            )
            .unwrap();
            let after = |gradient: &[f32]| {
                exact(&gradient.iter().enumerate().map(|(at, g)| 1.0 + (g + at as f32)).collect::<Vec<_>>())
            };
            assert!(exact(&sum) == after(&gradient), "{what}");
            assert_eq!(weights, before.not(), "{what}");
            sum.fill(1.0);
            product(
                &engine,
                Bf16(&a),
                &panels,
                Updating { states: &mut sum[..], weights: &mut weights, update: &Turn },
            )
            .unwrap();
            assert!(exact(&sum) == after(&in_bf16), "bf16 {what}");
            assert_eq!(weights, before, "{what}");
        }
    }
}

#[test]
fn operands_that_do_not_fit() {
    let engine = Engine::single();
    let b = random_bits(1, 0, 4, 3);
    let panels = Panels::of_rows_for_reals(&engine, b.view());
    let is_length = |result| assert!(matches!(result, Err(Error::Length { .. })), "{result:?}");
    is_length(product(&engine, &[0.0; 7][..], &panels, &mut [0.0; 8][..]));
    is_length(product(&engine, &[0.0; 6][..], &panels, &mut [0.0; 7][..]));
    let with = |len: usize, rows, cols| {
        let (mut states, mut weights) = (vec![0.0; len], BitTensor::zeros(rows, cols));
        product(
            &engine,
            &[0.0; 6][..],
            &panels,
            Updating { states: &mut states[..], weights: &mut weights, update: &Turn },
        )
    };
    assert_eq!(with(8, 2, 4), Ok(()));
    is_length(with(7, 2, 4));
    is_length(with(12, 3, 4));
    assert!(matches!(with(8, 2, 5), Err(Error::Shape { .. })));
    // portable counts ones, so its panels for bits are other ones
    let portable = Engine::single().with_isa(Isa::PORTABLE);
    let bits = Panels::of_rows(&portable, b.view());
    let refused = product(&portable, &[0.0; 6][..], &bits, &mut [0.0; 8][..]);
    assert!(matches!(refused, Err(Error::Packed { .. })));
}

/// What is known: beside many any numbers, those at, below and above half of the last digit, and the
/// extremes.
#[test]
fn sums_of_four_in_bf16_are_the_nearest() {
    let special = [0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN_POSITIVE, 1e-45, -1e-40];
    let around = [7.888609e-31, 7.88861e-31, 7.9e-31, -7.88e-31]; // 2^-100
    let words = random_bits(1, 0, 1, 64 * 20_000);
    let any = words.words().iter().map(|word| f32::from_bits(*word as u32)).filter(|x| !x.is_nan());
    let ties = (0..0x3fc0u32).flat_map(|n| [0x7fff, 0x8000, 0x8001].map(|low| f32::from_bits(n << 17 | low)));
    // one number of four, so that the sum is the number
    let x: Vec<f32> = special.into_iter().chain(around).chain(any).chain(ties).collect();
    let a: Vec<f32> = x.iter().flat_map(|&x| [x, 0.0, 0.0, 0.0]).collect();
    let b = BitTensor::from_fn(2, 4, |n, _| n == 1);
    let expected = exact(&bf16_gemm_by_fours(&a, &signs(&b), (x.len(), 4, 2)));
    for engine in engines() {
        let mut out = vec![0.0; 2 * x.len()];
        product(&engine, Bf16(&a), &Panels::of_rows_for_reals(&engine, b.view()), &mut out[..]).unwrap();
        assert!(exact(&out) == expected, "{}", name(&engine));
        let nan = [f32::NAN, 1.0, f32::from_bits(0x7f80_0001), 1.0];
        product(&engine, Bf16(&nan), &Panels::of_rows_for_reals(&engine, b.view()), &mut out[..2]).unwrap();
        assert!(out[..2].iter().all(|x| x.is_nan()));
    }
}
