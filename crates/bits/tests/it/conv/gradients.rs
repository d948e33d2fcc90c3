//! The gradients of a convolution of bits, against nested loops.

use onebit_bits::*;
use onebit_reference::conv::{self as reference, Shape};

use super::shapes::*;
use crate::common::*;

/// Whole numbers in -20..=20, of which the first in each row is 127: as bytes they are exact.
fn gradient(seed: u64, rows: usize, cols: usize) -> Vec<f32> {
    let words = random_bits(seed, 0, 1, rows * cols * 64);
    let value = |(at, word): (usize, &u64)| if at % cols == 0 { 127.0 } else { (word % 41) as f32 - 20.0 };
    words.words().iter().enumerate().map(value).collect()
}

/// Rounds to bytes what are bytes, with a power of two as scale.
fn bytes(engine: &Engine, rows: usize, cols: usize, values: &[f32]) -> (Int8, Vec<f32>) {
    let scaled: Vec<f32> =
        values.iter().enumerate().map(|(at, x)| x * [0.5, 1.0, 4.0][at / cols.max(1) % 3]).collect();
    let mut rounded = Int8::new();
    rounded.round(engine, rows, cols, &scaled, Noise { seed: 1, step: 2 }).unwrap();
    (rounded, scaled)
}

#[test]
fn gradients() {
    let engines = engines();
    // the oracle's patience is limited
    let products = |shape: &Shape| shape.outputs() * shape.weights() / shape.channels.1.max(1);
    for shape in shapes().into_iter().filter(|shape| products(shape) < 1 << 24) {
        let (x, weights) = operands(&shape);
        let (x_signs, weight_signs) = (signs(&x), signs(&weights));
        for (pad, value) in PADS {
            let (conv, images) = conv_of(&shape, pad);
            let (outputs, pixels) = (conv.c_out, images.b * shape.output().0 * shape.output().1);
            let (dy, dy_t) = (gradient(6, pixels, outputs), gradient(7, outputs, pixels));
            let turned = |dy_t: &[f32]| transpose(outputs, pixels, dy_t).unwrap();
            let wide = |values: &[f32]| values.iter().copied().map(f64::from).collect::<Vec<_>>();
            let narrow = |values: Vec<f64>| values.into_iter().map(|x| x as f32).collect::<Vec<_>>();
            let dx_of = |dy: &[f32]| narrow(reference::conv_dx(&shape, &wide(dy), &weight_signs));
            let dw_of =
                |dy_t: &[f32]| narrow(reference::conv_dw(&shape, value, &wide(&turned(dy_t)), &x_signs));
            let (dy_bytes, dy_scaled) = bytes(&engines[0], pixels, outputs, &dy);
            let (dy_t_bytes, dy_t_scaled) = bytes(&engines[0], outputs, pixels, &dy_t);
            let expected = (dx_of(&dy), dx_of(&dy_scaled), dw_of(&dy_t), dw_of(&dy_t_scaled));
            for engine in &engines {
                let what = format!("{shape:?} {pad:?} on {}", name(engine));
                let packed = ConvTransposed::pack(engine, conv, weights.view()).unwrap();
                let mut dx = vec![f32::NAN; shape.inputs()];
                convolve(engine, &dy[..], images, &packed, &mut dx[..]).unwrap();
                assert_eq!(dx, expected.0, "dx f32 {what}");
                convolve(engine, &dy_bytes, images, &packed, &mut dx[..]).unwrap();
                assert_eq!(dx, expected.1, "dx int8 {what}");
                let mut dw = vec![f32::NAN; shape.weights()];
                product(engine, &dy_t[..], Patches { geometry: conv, images, x: x.view() }, &mut dw[..])
                    .unwrap();
                assert_eq!(dw, expected.2, "dw f32 {what}");
                dw.fill(f32::NAN);
                product(engine, &dy_t_bytes, Patches { geometry: conv, images, x: x.view() }, &mut dw[..])
                    .unwrap();
                assert_eq!(dw, expected.3, "dw int8 {what}");
                let mut ones = BitTensor::zeros(outputs, weights.cols());
                let walk = (conv, images);
                dw.fill(f32::NAN);
                product(
                    engine,
                    &dy_t[..],
                    Patches { geometry: conv, images: walk.1, x: x.view() },
                    Updating { states: &mut dw[..], weights: &mut ones, update: &Keep },
                )
                .unwrap();
                assert_eq!(dw, expected.2, "dw f32 with {what}");
                dw.fill(f32::NAN);
                product(
                    engine,
                    &dy_t_bytes,
                    Patches { geometry: conv, images: walk.1, x: x.view() },
                    Updating { states: &mut dw[..], weights: &mut ones, update: &Keep },
                )
                .unwrap();
                assert_eq!(dw, expected.3, "dw int8 with {what}");
                assert_eq!(ones.count_ones() as usize, dw.len(), "every weight is written once {what}");
            }
        }
    }
}

/// Keeps the gradient as its state, and sets every bit.
struct Keep;

impl Update<&mut [f32]> for Keep {
    #[inline(always)]
    fn run(&self, _first: usize, gradient: &[f32], kept: &mut [f32], weights: &mut [u64]) {
        kept.copy_from_slice(gradient);
        weights.fill(u64::MAX);
    }
}

/// Of reals that are rounded, in one order everywhere.
#[test]
fn gradients_do_not_depend_on_the_engine() {
    let channels = (72, 36);
    let shape =
        Shape { image: (3, 6, 5), channels, kernel: (3, 3), padding: [1; 4], groups: 2, ..Shape::PLAIN };
    let (conv, images) = conv_of(&shape, Pad::Zero);
    let (x, weights) = operands(&shape);
    let dy: Vec<f32> = gradient(8, 90, 36).iter().enumerate().map(|(at, x)| x / (at as f32 + 0.7)).collect();
    let mut first = None;
    for engine in engines() {
        let packed = ConvTransposed::pack(&engine, conv, weights.view()).unwrap();
        let (mut dx, mut dw) = (vec![0.0; shape.inputs()], vec![0.0; shape.weights()]);
        convolve(&engine, &dy[..], images, &packed, &mut dx[..]).unwrap();
        product(&engine, &dy[..], Patches { geometry: conv, images, x: x.view() }, &mut dw[..]).unwrap();
        let both: Vec<u32> = dx.iter().chain(&dw).map(|x| x.to_bits()).collect();
        assert_eq!(&both, first.get_or_insert_with(|| both.clone()), "on {}", name(&engine));
    }
}
