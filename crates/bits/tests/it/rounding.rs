//! What stochastic rounding promises.

use onebit_bits::*;

use crate::{
    common::*,
    integer::{SIZES, rounded},
};

#[test]
fn transposed_rows_are_the_columns() {
    for (rows, cols) in SIZES.iter().flat_map(|&n| [(n, 130), (70, n)]) {
        let a = reals(1, rows * cols);
        let noise = Noise { seed: 3, step: 4 };
        // scales of whole columns, randomness of the place: rounding column by column says the same
        for engine in engines() {
            let mut int8 = Int8::new();
            int8.round_transposed(&engine, rows, cols, &a, noise).unwrap();
            assert_eq!(int8.shape(), (cols, rows));
            let turned = transpose(rows, cols, &a).unwrap();
            let mut by_rows = Int8::new();
            by_rows.round(&engine, cols, rows, &turned, noise).unwrap();
            assert_eq!(int8.scales(), by_rows.scales(), "({rows}, {cols}) on {}", name(&engine));
            for (at, (value, a)) in int8.values().iter().zip(&turned).enumerate() {
                let scale = int8.scales()[at / rows];
                let near = (f32::from(*value) * scale - a).abs() <= scale * 1.001;
                assert!(near, "({rows}, {cols}) on {}: {value} for {a} by {scale}", name(&engine));
            }
        }
    }
}

/// What a limit leaves of the digits, it leaves in the mean: the largest of a row exactly.
#[test]
fn limits_are_kept() {
    let a = reals(1, 3 * 130);
    for (limit, kept) in [(127, 127), (7, 7), (1, 1), (0, 1), (255, 127)] {
        for engine in engines() {
            let (mut int8, mut sums) = (Int8::new(), vec![0.0; a.len()]);
            int8.set_limit(limit);
            let rounds = 300;
            for step in 0..rounds {
                int8.round(&engine, 3, 130, &a, Noise { seed: 2, step }).unwrap();
                for (row, values) in int8.values().chunks(130).enumerate() {
                    let greatest = values.iter().map(|value| value.abs()).max();
                    assert_eq!(greatest, Some(kept), "limit {limit}, row {row} on {}", name(&engine));
                }
                let scaled =
                    int8.values().iter().zip(0..).map(|(v, at)| f32::from(*v) * int8.scales()[at / 130]);
                sums.iter_mut().zip(scaled).for_each(|(sum, value)| *sum += value);
            }
            let worst = sums.iter().zip(&a).zip(0..).map(|((sum, a), at): ((&f32, &f32), usize)| {
                (sum / rounds as f32 - a).abs() / int8.scales()[at / 130]
            });
            let worst = worst.fold(0.0, f32::max);
            // five deviations of the mean of so many roundings
            assert!(
                worst < 5.0 * 0.5 / (rounds as f32).sqrt(),
                "limit {limit} on {}: {worst}",
                name(&engine)
            );
        }
    }
}

#[test]
fn rounding_is_right_on_average() {
    // one row that fixes the scale at 1 and sweeps the fractions
    let a: Vec<f32> = (0..256).map(|n| if n == 0 { 127.0 } else { n as f32 / 2.0 - 64.3 }).collect();
    let (mut sums, rounds) = (vec![0i64; a.len()], 4000);
    let mut int8 = Int8::new();
    for step in 0..rounds {
        int8.round(&Engine::single(), 1, a.len(), &a, Noise { seed: 1, step }).unwrap();
        assert_eq!(int8.scales(), [1.0]);
        sums.iter_mut().zip(int8.values()).for_each(|(sum, value)| *sum += i64::from(*value));
    }
    let mut squares = 0.0;
    for (sum, a) in sums.iter().zip(&a) {
        let (a, rounds) = (f64::from(*a), rounds as f64);
        let p = a - a.floor();
        // five standard deviations
        let tolerance = 5.0 * (p * (1.0 - p) / rounds).sqrt() + 1e-4;
        let error = *sum as f64 / rounds - a;
        assert!(error.abs() < tolerance, "{a} rounds to {} on average", *sum as f64 / rounds);
        if p > 0.0 {
            squares += error * error * rounds / (p * (1.0 - p));
        }
    }
    // the errors of 255 places are as independent as they should be: chi-square within five deviations
    assert!((squares - 255.0).abs() < 5.0 * (2.0f64 * 255.0).sqrt(), "{squares}");
}

#[test]
fn noise_is_of_the_seed_the_step_and_the_place() {
    let round = |seed, step| {
        let mut int8 = Int8::new();
        let a: Vec<f32> = (0..2000).map(|n| if n % 1000 == 0 { 127.0 } else { 0.5 }).collect();
        int8.round(&Engine::single(), 2, 1000, &a, Noise { seed, step }).unwrap();
        int8.values().to_vec()
    };
    let first = round(1, 1);
    assert_eq!(first, round(1, 1));
    let differ = |a: &[i8], b: &[i8]| a.iter().zip(b).filter(|(a, b)| a != b).count();
    for other in [round(2, 1), round(1, 2)] {
        assert!((850..1150).contains(&differ(&first, &other)));
    }
    assert!((400..600).contains(&differ(&first[..1000], &first[1000..])));
}

#[test]
fn rows_without_a_scale() {
    let rows =
        [[0.0, -0.0], [1e-45, -1e-40], [f32::NAN, 1.0], [1.0, f32::NEG_INFINITY], [f32::MAX, -f32::MAX]];
    let (a, turned) = (rows.as_flattened(), transpose(5, 2, rows.as_flattened()).unwrap());
    for engine in engines() {
        let (by_rows, mut by_columns) = (rounded(&engine, 5, 2, a), Int8::new());
        by_columns.round_transposed(&engine, 2, 5, &turned, Noise { seed: 7, step: 1 }).unwrap();
        for int8 in [by_rows, by_columns] {
            assert_eq!(int8.values(), [0, 0, 0, 0, 0, 0, 0, 0, 127, -127]);
            assert_eq!(int8.scales()[..2], [0.0, 0.0]);
            assert!(int8.scales()[2].is_nan() && int8.scales()[3].is_nan());
            assert_eq!(int8.scales()[4], f32::MAX / 127.0);
        }
    }
}
