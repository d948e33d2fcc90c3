//! Sums and thresholds of a convolution of bits, against nested loops, and their laws.

use onebit_bits::*;
use onebit_reference::conv::{self as reference, Shape};

use super::shapes::*;
use crate::common::*;

#[test]
fn sums_and_thresholds() {
    let engines = engines();
    for shape in shapes() {
        let (x, weights) = operands(&shape);
        for (pad, value) in PADS {
            let (conv, images) = conv_of(&shape, pad);
            let out = conv.output(images).unwrap();
            assert_eq!((out.h, out.w), shape.output());
            let expected = reference::conv(&shape, value, &signs(&x), &signs(&weights));
            let (pixels, outputs) = (out.b * out.h * out.w, conv.c_out);
            let spread = (conv.patch().unwrap() as i32).isqrt() + 1;
            let thresholds: Vec<i32> = random_bits(3, 0, 1, outputs * 64)
                .words()
                .iter()
                .map(|&t| (t % 64) as i32 * spread / 16 - spread * 2)
                .collect();
            let descending = random_bits(4, 0, 1, outputs);
            let bits = BitTensor::from_fn(pixels, outputs, |pixel, o| {
                let (sum, t) = (expected[pixel * outputs + o], thresholds[o]);
                if descending.get(0, o) { sum <= t } else { sum >= t }
            });
            for engine in &engines {
                let what = format!("{shape:?} {pad:?} on {}", name(engine));
                assert_eq!(sums(engine, &x, images, conv, &weights), expected, "{what}");
                let packed = ConvWeights::pack(engine, conv, weights.view()).unwrap();
                let mut y = random_bits(5, 0, pixels, outputs);
                convolve(
                    engine,
                    x.view(),
                    images,
                    &packed,
                    Threshold { thresholds: &thresholds, descending: descending.view(), bits: &mut y },
                )
                .unwrap();
                assert_eq!(y, bits, "{what}");
            }
        }
    }
}

/// Sums are small whole numbers, which f32 has.
#[test]
fn sums_as_reals() {
    for shape in shapes() {
        let (x, weights) = operands(&shape);
        for (pad, _) in PADS {
            let (conv, images) = conv_of(&shape, pad);
            for engine in engines() {
                let expected = sums(&engine, &x, images, conv, &weights);
                let packed = ConvWeights::pack(&engine, conv, weights.view()).unwrap();
                let mut y = vec![f32::NAN; expected.len()];
                convolve(&engine, x.view(), images, &packed, &mut y[..]).unwrap();
                let what = format!("{shape:?} {pad:?} on {}", name(&engine));
                assert!(y.iter().zip(&expected).all(|(y, sum)| *y == *sum as f32), "{what}");
                if !y.is_empty() {
                    let short = convolve(&engine, x.view(), images, &packed, &mut y[1..]);
                    assert!(matches!(short, Err(Error::Length { .. })), "{what}: {short:?}");
                }
            }
        }
    }
}

/// A kernel of one pixel is a matrix product.
#[test]
fn one_pixel_is_a_matrix_product() {
    for (c_in, c_out) in [(1, 1), (64, 33), (65, 31), (128, 128), (200, 70)] {
        let images = Images { b: 3, h: 5, w: 7 };
        let (x, weights) = (random_bits(1, 0, 3 * 5 * 7, c_in), random_bits(2, 0, c_out, c_in));
        for engine in engines() {
            let mut expected = vec![0; 3 * 5 * 7 * c_out];
            product(&engine, x.view(), weights.view(), &mut expected[..]).unwrap();
            let y = sums(&engine, &x, images, Geometry::new(c_in, c_out, (1, 1)), &weights);
            assert_eq!(y, expected, "{c_in} -> {c_out} on {}", name(&engine));
        }
    }
}

/// What moves in the image moves in the sums.
#[test]
fn translation() {
    let (c_in, c_out, h, w) = (64, 40, 9, 8);
    let wide = random_bits(1, 0, h * (w + 2), c_in);
    let weights = random_bits(2, 0, c_out, 9 * c_in);
    let crop = |left: usize| {
        let rows: Vec<usize> = (0..h).flat_map(|y| (0..w).map(move |x| y * (w + 2) + left + x)).collect();
        wide.select_rows(&rows).unwrap()
    };
    let conv = Geometry { padding: Padding::around(1), pad: Pad::Plus, ..Geometry::new(c_in, c_out, (3, 3)) };
    for engine in engines() {
        let of = |left| sums(&engine, &crop(left), Images { b: 1, h, w }, conv, &weights);
        let (a, b) = (of(0), of(2));
        for y in 0..h {
            for x in 1..w - 3 {
                let at = |x: usize| (y * w + x) * c_out..(y * w + x + 1) * c_out;
                assert_eq!(a[at(x + 2)], b[at(x)], "({y}, {x}) on {}", name(&engine));
            }
        }
    }
}

/// Not to count is half of counting +1 and -1; and padding that counts is as good as pixels that are there.
#[test]
fn pads() {
    let (c_in, c_out, h, w) = (72, 33, 4, 5);
    let images = Images { b: 2, h, w };
    let (x, weights) = (random_bits(1, 0, 2 * h * w, c_in), random_bits(2, 0, c_out, 9 * c_in));
    for engine in engines() {
        let of = |pad| {
            let conv = Geometry { padding: Padding::around(1), pad, ..Geometry::new(c_in, c_out, (3, 3)) };
            sums(&engine, &x, images, conv, &weights)
        };
        let (plus, minus, zero) = (of(Pad::Plus), of(Pad::Minus), of(Pad::Zero));
        for ((plus, minus), zero) in plus.iter().zip(&minus).zip(zero) {
            assert_eq!(plus + minus, 2 * zero, "on {}", name(&engine));
        }
        for (pad, outside) in [(plus, true), (minus, false)] {
            let framed = BitTensor::from_fn(2 * (h + 2) * (w + 2), c_in, |pixel, c| {
                let (b, y, col) = (pixel / ((h + 2) * (w + 2)), pixel / (w + 2) % (h + 2), pixel % (w + 2));
                let inside = (1..=h).contains(&y) && (1..=w).contains(&col);
                if inside { x.get((b * h + y - 1) * w + col - 1, c) } else { outside }
            });
            let images = Images { b: 2, h: h + 2, w: w + 2 };
            assert_eq!(sums(&engine, &framed, images, Geometry::new(c_in, c_out, (3, 3)), &weights), pad);
        }
    }
}

#[test]
fn weights_are_packed_again() {
    let shape = Shape { image: (1, 4, 4), channels: (70, 34), kernel: (3, 3), groups: 2, ..Shape::PLAIN };
    let (conv, images) = conv_of(&shape, Pad::Zero);
    let (x, weights) = operands(&shape);
    let expected = reference::conv(&shape, 0, &signs(&x), &signs(&weights.not()));
    for engine in engines() {
        let mut packed = ConvWeights::pack(&engine, conv, weights.view()).unwrap();
        packed.repack(&engine, weights.not().view()).unwrap();
        let mut y = vec![0; expected.len()];
        convolve(&engine, x.view(), images, &packed, &mut y[..]).unwrap();
        assert_eq!(y, expected, "on {}", name(&engine));
        assert!(packed.repack(&engine, x.view()).is_err());
    }
}
