//! Convolution of real images, bit for bit.

use onebit_bits::*;
use onebit_reference::conv::{self as reference, Shape};

use super::shapes::*;
use crate::common::*;

/// Reals whose sums are rounded.
fn pixels(seed: u64, count: usize) -> Vec<f32> {
    let words = random_bits(seed, 0, 1, count * 64);
    words.words().iter().map(|word| (word % 2001) as f32 / 700.0 - 1.4).collect()
}

/// A gradient of the output, a row for each of its pixels, by columns.
fn by_pixels(dy: &[f32], (conv, images): (Geometry, Images)) -> Columns<RealView<'_>> {
    let Images { b, h, w } = conv.output(images).unwrap();
    Columns(RealView { rows: b * h * w, cols: conv.c_out, values: dy })
}

/// Real images, bit for bit, whatever the padding of bits is.
#[test]
fn real_images() {
    let engines = engines();
    let colours = Shape { channels: (3, 70), kernel: (3, 3), padding: [1; 4], ..Shape::PLAIN };
    let more = [
        Shape { image: (2, 33, 17), ..colours },
        Shape { image: (3, 20, 30), kernel: (5, 4), stride: (2, 1), padding: [0, 3, 2, 1], ..colours },
        // parts of more than 256 pixels
        Shape { image: (20, 30, 30), channels: (1, 4), ..colours },
    ];
    let products = |shape: &Shape| shape.outputs() * shape.weights() / shape.channels.1.max(1);
    for shape in shapes().into_iter().filter(|shape| products(shape) < 1 << 21).chain(more) {
        let (x, weights) = (pixels(1, shape.inputs()), operands(&shape).1);
        let dy = pixels(2, shape.outputs());
        let expected = exact(&reference::conv_by_fours(&shape, &x, &signs(&weights)));
        let of_part = (dy.len() / shape.channels.1.max(1)).div_ceil(64).max(256);
        let expected_dw = exact(&reference::conv_dw_in_parts(&shape, of_part, &dy, &x));
        for (engine, (pad, _)) in engines.iter().zip(PADS.into_iter().cycle()) {
            let (conv, images) = conv_of(&shape, pad);
            let what = format!("{shape:?} on {}", name(engine));
            let packed = ConvWeights::pack_for_reals(engine, conv, weights.view()).unwrap();
            let (mut y, mut dw) = (vec![f32::NAN; shape.outputs()], vec![f32::NAN; shape.weights()]);
            convolve(engine, &x[..], images, &packed, &mut y[..]).unwrap();
            assert_eq!(exact(&y), expected, "y {what}");
            product(
                engine,
                by_pixels(&dy, (conv, images)),
                Patches { geometry: conv, images, x: &x[..] },
                &mut dw[..],
            )
            .unwrap();
            assert_eq!(exact(&dw), expected_dw, "dw {what}");
        }
    }
}

#[test]
fn real_images_that_do_not_fit() {
    let (engine, conv, images) = (Engine::single(), Geometry::new(2, 3, (2, 2)), Images { b: 1, h: 3, w: 3 });
    let weights = BitTensor::zeros(3, 8);
    let packed = ConvWeights::pack_for_reals(&engine, conv, weights.view()).unwrap();
    let (x, mut y, mut dw) = ([1.0; 18], [0.0; 12], [0.0; 24]);
    let length = |result: Result<()>| assert!(matches!(result, Err(Error::Length { .. })), "{result:?}");
    assert_eq!(convolve(&engine, &x[..], images, &packed, &mut y[..]), Ok(()));
    length(convolve(&engine, &x[1..], images, &packed, &mut y[..]));
    length(convolve(&engine, &x[..], images, &packed, &mut y[1..]));
    let small = convolve(&engine, &x[..], Images { h: 1, ..images }, &packed, &mut y[..]);
    assert!(matches!(small, Err(Error::Kernel { .. })), "{small:?}");
    let for_bits = ConvWeights::pack(&engine, conv, weights.view()).unwrap();
    let wrong = convolve(&engine, &x[..], images, &for_bits, &mut y[..]);
    assert!(matches!(wrong, Err(Error::Packed { .. })), "{wrong:?}");
    let wrong = convolve(&engine, BitTensor::zeros(9, 2).view(), images, &packed, &mut [0; 12][..]);
    assert!(matches!(wrong, Err(Error::Packed { .. })), "{wrong:?}");
    assert_eq!(
        product(
            &engine,
            by_pixels(&y, (conv, images)),
            Patches { geometry: conv, images, x: &x[..] },
            &mut dw[..]
        ),
        Ok(())
    );
    length(product(
        &engine,
        by_pixels(&y[1..], (conv, images)),
        Patches { geometry: conv, images, x: &x[..] },
        &mut dw[..],
    ));
    length(product(
        &engine,
        by_pixels(&y, (conv, images)),
        Patches { geometry: conv, images, x: &x[1..] },
        &mut dw[..],
    ));
    length(product(
        &engine,
        by_pixels(&y, (conv, images)),
        Patches { geometry: conv, images, x: &x[..] },
        &mut dw[1..],
    ));
}
