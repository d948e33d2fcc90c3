//! Gradients that go to an update block by block are the stored ones, bit for bit.

use onebit_bits::*;

use crate::common::{engines, reals};

/// m, k, n: empty ones, several words a row, several blocks of rows for several workers.
const SHAPES: [(usize, usize, usize); 9] = [
    (0, 3, 5),
    (3, 0, 5),
    (3, 5, 0),
    (1, 1, 1),
    (7, 65, 63),
    (61, 9, 64),
    (130, 12, 200),
    (1000, 3, 130),
    (130, 3, 1200),
];

/// Adds the gradient to a state, counts in another, and turns every bit of the weights.
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

type States<'a> = (&'a mut [f32], &'a mut [u8]);

fn check(what: &str, gradient: &[f32], (m, n): (usize, usize), with: impl Fn(States, &mut BitTensor)) {
    let before = random_bits(9, 0, m, n);
    let (mut sum, mut count, mut weights) = (vec![1.0; m * n], vec![0; m * n], before.clone());
    with((&mut sum, &mut count), &mut weights);
    assert!(count.iter().all(|&count| count == 1), "{what}");
    assert!(sum.iter().enumerate().all(|(at, sum)| *sum == 1.0 + (gradient[at] + at as f32)), "{what}");
    assert_eq!(weights, before.not(), "{what}");
}

#[test]
fn every_element_comes_once_with_its_states() {
    for (m, k, n) in SHAPES {
        let (a, b) = (reals(1, m * k), reals(2, k * n));
        let x = Ternary::from_f32(
            k,
            n,
            &b.iter().map(|b| if b.abs() < 0.3 { 0.0 } else { *b }).collect::<Vec<_>>(),
        );
        let x = x.unwrap();
        for engine in engines() {
            let what = format!("({m}, {k}, {n}) on {} x {}", engine.isa().name(), engine.threads());
            let mut gradient = vec![0.0; m * n];
            product(
                &engine,
                &a[..],
                Columns(RealView { rows: k, cols: n, values: &b[..] }),
                &mut gradient[..],
            )
            .unwrap();
            check(&what, &gradient, (m, n), |states, weights| {
                product(
                    &engine,
                    &a[..],
                    Columns(RealView { rows: k, cols: n, values: &b[..] }),
                    Updating { states, weights, update: &Turn },
                )
                .unwrap();
            });
            check(&what, &gradient, (m, n), |states, weights| {
                update_with(&engine, &gradient, states, weights, &Turn).unwrap();
            });
            product(&engine, &a[..], Columns(&x), &mut gradient[..]).unwrap();
            check(&what, &gradient, (m, n), |states, weights| {
                product(&engine, &a[..], Columns(&x), Updating { states, weights, update: &Turn }).unwrap();
            });
        }
    }
}

#[test]
fn operands_must_fit() {
    let engine = Engine::single();
    let (mut weights, x) = (BitTensor::zeros(2, 5), Ternary::from_bits(BitTensor::zeros(3, 5)));
    let mut refused = |a: usize, states: usize, gradient: usize| {
        let (a, gradient) = (vec![0.0; a], vec![0.0; gradient]);
        let states = || (vec![0.0f32; states], vec![0u8; states]);
        let (mut s, mut c) = states();
        let real = product(
            &engine,
            &a[..],
            Columns(RealView { rows: 3, cols: 5, values: &[0.0; 15][..] }),
            Updating { states: (&mut s[..], &mut c[..]), weights: &mut weights, update: &Turn },
        );
        let (mut s, mut c) = states();
        let ternary = product(
            &engine,
            &a[..],
            Columns(&x),
            Updating { states: (&mut s[..], &mut c[..]), weights: &mut weights, update: &Turn },
        );
        let (mut s, mut c) = states();
        let stored = update_with(&engine, &gradient, (&mut s[..], &mut c[..]), &mut weights, &Turn);
        [real.is_err(), ternary.is_err(), stored.is_err()]
    };
    assert_eq!(refused(6, 10, 10), [false; 3]);
    assert_eq!(refused(6, 11, 10), [true; 3]);
    assert_eq!(refused(5, 10, 9), [true; 3]);
}
