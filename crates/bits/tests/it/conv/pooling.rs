//! Pooling of bits.

use onebit_bits::*;
use onebit_reference::conv::{self as reference, Shape};

use crate::common::*;

#[test]
fn pooling() {
    for (channels, kernel, stride, image) in [
        (64, (2, 2), (2, 2), (2, 4, 6)),
        (65, (2, 2), (2, 2), (1, 5, 7)),
        (1, (1, 1), (1, 1), (1, 1, 1)),
        (130, (3, 2), (1, 2), (3, 5, 6)),
        (31, (2, 3), (3, 1), (1, 9, 3)),
        (8, (2, 2), (2, 2), (0, 4, 4)),
        (0, (2, 2), (2, 2), (1, 4, 4)),
        (512, (2, 2), (2, 2), (8, 32, 32)), // large enough that two workers share it
    ] {
        let shape = Shape { image, channels: (channels, channels), kernel, stride, ..Shape::PLAIN };
        let images = Images { b: image.0, h: image.1, w: image.2 };
        let x = random_bits(1, 0, image.0 * image.1 * image.2, channels);
        let descending = random_bits(2, 0, 1, channels);
        let smallest: Vec<bool> = (0..channels).map(|c| descending.get(0, c)).collect();
        let expected = reference::pool(&shape, &signs(&x), &smallest);
        let pool = Pool { kernel, stride };
        let out = pool.output(images).unwrap();
        assert_eq!((out.h, out.w), shape.output());
        for engine in engines() {
            let mut y = random_bits(3, 0, out.b * out.h * out.w, channels);
            pool_or_and(&engine, x.view(), images, pool, descending.view(), &mut y).unwrap();
            assert_eq!(signs(&y), expected, "{shape:?} on {}", name(&engine));
            assert!(
                BitTensor::from_words(y.rows(), channels, y.words().to_vec()).is_ok(),
                "padding of {shape:?}"
            );
        }
    }
}

/// Bits may be pooled in the place of the sums that they are compared from.
#[test]
fn pooling_commutes_with_thresholds() {
    let (images, channels) = (Images { b: 1, h: 4, w: 4 }, 70);
    let sums: Vec<i32> =
        random_bits(1, 0, 1, 16 * channels * 64).words().iter().map(|w| (w % 21) as i32).collect();
    let descending = random_bits(2, 0, 1, channels);
    let is = |sum: i32, c: usize| if descending.get(0, c) { sum <= 13 } else { sum >= 13 };
    let x = BitTensor::from_fn(16, channels, |pixel, c| is(sums[pixel * channels + c], c));
    let mut y = BitTensor::zeros(4, channels);
    let pool = Pool { kernel: (2, 2), stride: (2, 2) };
    pool_or_and(&Engine::single(), x.view(), images, pool, descending.view(), &mut y).unwrap();
    let largest = |pixel: usize, c: usize| {
        let first = pixel / 2 * 8 + pixel % 2 * 2;
        [0, 1, 4, 5].into_iter().map(|at| sums[(first + at) * channels + c]).max().unwrap()
    };
    assert_eq!(y, BitTensor::from_fn(4, channels, |pixel, c| is(largest(pixel, c), c)));
}
