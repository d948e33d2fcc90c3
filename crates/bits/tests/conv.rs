//! Convolution and pooling of bits on every instruction set this machine has, with 1 and 2 workers, against the
//! nested loops of `onebit-reference`, and their laws.

use onebit_bits::{
    BitTensor, ConvTransposed, ConvWeights, Engine, Error, Geometry, Images, Int8, Isa, Noise, Pad, Padding,
    Pool, Update, conv_dw_f32, conv_dw_f32_with, conv_dw_int8, conv_dw_int8_with, conv_dw_reals, conv_dx_f32,
    conv_dx_int8, conv_reals, conv_sums, conv_sums_f32, conv_threshold, pool_or_and, random_bits, transpose,
    xnor_gemm,
};
use onebit_reference::conv::{self as reference, Shape};

/// Workers to try; without `std` there is one.
const THREADS: std::ops::RangeInclusive<usize> = 1..=if cfg!(feature = "std") { 2 } else { 1 };

/// Every instruction set with every number of workers.
fn engines() -> Vec<Engine> {
    let with = |threads| Engine::new(threads).unwrap_or_else(|e| panic!("{e}"));
    let of = |engine: Engine| Isa::available().into_iter().map(move |isa| engine.clone().with_isa(isa));
    THREADS.map(with).flat_map(of).collect()
}

fn name(engine: &Engine) -> String {
    format!("{} x {}", engine.isa().name(), engine.threads())
}

fn signs(bits: &BitTensor) -> Vec<i8> {
    let row = |r| (0..bits.cols()).map(move |c| if bits.get(r, c) { 1 } else { -1 });
    (0..bits.rows()).flat_map(row).collect()
}

const PADS: [(Pad, i8); 3] = [(Pad::Plus, 1), (Pad::Minus, -1), (Pad::Zero, 0)];

/// Shapes where kernels go wrong.
fn shapes() -> Vec<Shape> {
    let mut shapes = vec![
        // nothing, and as little as there is
        Shape { image: (0, 3, 3), channels: (8, 8), kernel: (2, 2), ..Shape::PLAIN },
        Shape { channels: (16, 0), ..Shape::PLAIN },
        Shape { channels: (0, 5), ..Shape::PLAIN },
        Shape::PLAIN,
        // the image is a pixel, and the kernel mostly padding
        Shape { image: (2, 1, 1), channels: (8, 33), kernel: (3, 3), padding: [1; 4], ..Shape::PLAIN },
        Shape { image: (3, 2, 3), channels: (65, 31), kernel: (5, 5), padding: [2; 4], ..Shape::PLAIN },
        Shape { image: (1, 2, 3), channels: (16, 9), kernel: (4, 3), padding: [4, 0, 1, 3], ..Shape::PLAIN },
        // strides: an image that they do not divide, one longer than the kernel, different ones
        Shape { image: (2, 7, 6), channels: (64, 33), kernel: (3, 3), stride: (2, 2), ..Shape::PLAIN },
        Shape { image: (1, 8, 8), channels: (24, 5), kernel: (1, 1), stride: (2, 2), ..Shape::PLAIN },
        Shape {
            image: (1, 9, 8),
            channels: (8, 40),
            kernel: (2, 3),
            stride: (1, 3),
            padding: [0, 1, 1, 2],
            ..Shape::PLAIN
        },
        Shape {
            image: (1, 9, 5),
            channels: (8, 7),
            kernel: (5, 1),
            stride: (3, 1),
            padding: [2; 4],
            ..Shape::PLAIN
        },
        // groups: of whole bytes, of words, of a few bits, depthwise
        Shape {
            image: (2, 4, 3),
            channels: (16, 64),
            kernel: (3, 3),
            padding: [1; 4],
            groups: 2,
            ..Shape::PLAIN
        },
        Shape {
            image: (3, 3, 4),
            channels: (128, 70),
            kernel: (3, 3),
            padding: [1; 4],
            groups: 2,
            ..Shape::PLAIN
        },
        Shape {
            image: (1, 3, 4),
            channels: (72, 69),
            kernel: (2, 2),
            padding: [1; 4],
            groups: 3,
            ..Shape::PLAIN
        },
        Shape {
            image: (1, 5, 4),
            channels: (10, 6),
            kernel: (3, 3),
            padding: [1; 4],
            groups: 2,
            ..Shape::PLAIN
        },
        Shape {
            image: (1, 5, 4),
            channels: (67, 67),
            kernel: (3, 3),
            padding: [1; 4],
            groups: 67,
            ..Shape::PLAIN
        },
        Shape {
            image: (1, 4, 4),
            channels: (3, 9),
            kernel: (3, 3),
            padding: [1; 4],
            groups: 3,
            ..Shape::PLAIN
        },
        // large enough that two workers share it: one image, two, three
        Shape { image: (1, 15, 14), channels: (128, 100), kernel: (3, 3), padding: [1; 4], ..Shape::PLAIN },
        Shape { image: (2, 14, 14), channels: (128, 64), kernel: (3, 3), padding: [1; 4], ..Shape::PLAIN },
        Shape { image: (3, 9, 9), channels: (72, 96), kernel: (3, 3), padding: [0; 4], ..Shape::PLAIN },
        // a table of its inputs is larger than a cache
        Shape { image: (1, 3, 3), channels: (8192, 3), kernel: (3, 3), padding: [1; 4], ..Shape::PLAIN },
    ];
    for inputs in [1, 3, 63, 64, 65, 128] {
        for outputs in [1, 31, 33, 64] {
            let (channels, kernel) = ((inputs, outputs), (3, 3));
            shapes.push(Shape { image: (1, 5, 5), channels, kernel, padding: [1; 4], ..Shape::PLAIN });
        }
    }
    shapes
}

/// The same, for what is tested.
fn conv_of(shape: &Shape, pad: Pad) -> (Geometry, Images) {
    let ((b, h, w), [top, left, bottom, right]) = (shape.image, shape.padding);
    let conv = Geometry {
        stride: shape.stride,
        padding: Padding { top, left, bottom, right },
        pad,
        groups: shape.groups,
        ..Geometry::new(shape.channels.0, shape.channels.1, shape.kernel)
    };
    (conv, Images { b, h, w })
}

/// x: (b * h * w, c_in), weights: (c_out, kh * kw * c_in / groups).
fn operands(shape: &Shape) -> (BitTensor, BitTensor) {
    let (b, h, w) = shape.image;
    let outputs = shape.channels.1;
    let patch = shape.kernel.0 * shape.kernel.1 * shape.channels.0 / shape.groups;
    (random_bits(1, 0, b * h * w, shape.channels.0), random_bits(2, 0, outputs, patch))
}

fn sums(engine: &Engine, x: &BitTensor, images: Images, conv: Geometry, weights: &BitTensor) -> Vec<i32> {
    let out = conv.output(images).unwrap();
    let mut y = vec![i32::MIN; out.b * out.h * out.w * conv.c_out];
    let weights = ConvWeights::pack(engine, conv, weights.view()).unwrap();
    conv_sums(engine, x.view(), images, &weights, &mut y).unwrap();
    y
}

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
                conv_threshold(engine, x.view(), images, &packed, &thresholds, descending.view(), &mut y)
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
                conv_sums_f32(&engine, x.view(), images, &packed, &mut y).unwrap();
                let what = format!("{shape:?} {pad:?} on {}", name(&engine));
                assert!(y.iter().zip(&expected).all(|(y, sum)| *y == *sum as f32), "{what}");
                if !y.is_empty() {
                    let short = conv_sums_f32(&engine, x.view(), images, &packed, &mut y[1..]);
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
            xnor_gemm(&engine, x.view(), weights.view(), &mut expected).unwrap();
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
        conv_sums(&engine, x.view(), images, &packed, &mut y).unwrap();
        assert_eq!(y, expected, "on {}", name(&engine));
        assert!(packed.repack(&engine, x.view()).is_err());
    }
}

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
                conv_dx_f32(engine, &dy, images, &packed, &mut dx).unwrap();
                assert_eq!(dx, expected.0, "dx f32 {what}");
                conv_dx_int8(engine, &dy_bytes, images, &packed, &mut dx).unwrap();
                assert_eq!(dx, expected.1, "dx int8 {what}");
                let mut dw = vec![f32::NAN; shape.weights()];
                conv_dw_f32(engine, conv, &dy_t, x.view(), images, &mut dw).unwrap();
                assert_eq!(dw, expected.2, "dw f32 {what}");
                dw.fill(f32::NAN);
                conv_dw_int8(engine, conv, &dy_t_bytes, x.view(), images, &mut dw).unwrap();
                assert_eq!(dw, expected.3, "dw int8 {what}");
                let mut ones = BitTensor::zeros(outputs, weights.cols());
                let walk = (conv, images);
                dw.fill(f32::NAN);
                conv_dw_f32_with(engine, walk, &dy_t, x.view(), &mut dw[..], &mut ones, &Keep).unwrap();
                assert_eq!(dw, expected.2, "dw f32 with {what}");
                dw.fill(f32::NAN);
                conv_dw_int8_with(engine, walk, &dy_t_bytes, x.view(), &mut dw[..], &mut ones, &Keep)
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
        conv_dx_f32(&engine, &dy, images, &packed, &mut dx).unwrap();
        conv_dw_f32(&engine, conv, &dy, x.view(), images, &mut dw).unwrap();
        let both: Vec<u32> = dx.iter().chain(&dw).map(|x| x.to_bits()).collect();
        assert_eq!(&both, first.get_or_insert_with(|| both.clone()), "on {}", name(&engine));
    }
}

/// Reals whose sums are rounded.
fn pixels(seed: u64, count: usize) -> Vec<f32> {
    let words = random_bits(seed, 0, 1, count * 64);
    words.words().iter().map(|word| (word % 2001) as f32 / 700.0 - 1.4).collect()
}

fn exact(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
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
            conv_reals(engine, &x, images, &packed, &mut y).unwrap();
            assert_eq!(exact(&y), expected, "y {what}");
            conv_dw_reals(engine, conv, &dy, &x, images, &mut dw).unwrap();
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
    let length =
        |result: Result<(), Error>| assert!(matches!(result, Err(Error::Length { .. })), "{result:?}");
    assert_eq!(conv_reals(&engine, &x, images, &packed, &mut y), Ok(()));
    length(conv_reals(&engine, &x[1..], images, &packed, &mut y));
    length(conv_reals(&engine, &x, images, &packed, &mut y[1..]));
    let small = conv_reals(&engine, &x, Images { h: 1, ..images }, &packed, &mut y);
    assert!(matches!(small, Err(Error::Kernel { .. })), "{small:?}");
    let for_bits = ConvWeights::pack(&engine, conv, weights.view()).unwrap();
    let wrong = conv_reals(&engine, &x, images, &for_bits, &mut y);
    assert!(matches!(wrong, Err(Error::Packed { .. })), "{wrong:?}");
    let wrong = conv_sums(&engine, BitTensor::zeros(9, 2).view(), images, &packed, &mut [0; 12]);
    assert!(matches!(wrong, Err(Error::Packed { .. })), "{wrong:?}");
    assert_eq!(conv_dw_reals(&engine, conv, &y, &x, images, &mut dw), Ok(()));
    length(conv_dw_reals(&engine, conv, &y[1..], &x, images, &mut dw));
    length(conv_dw_reals(&engine, conv, &y, &x[1..], images, &mut dw));
    length(conv_dw_reals(&engine, conv, &y, &x, images, &mut dw[1..]));
}

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

#[test]
fn what_cannot_be_is_refused() {
    let engine = Engine::single();
    let conv = Geometry::new(8, 4, (3, 3));
    let one = |h, w| Images { b: 1, h, w };
    let refused = |conv: Geometry, images: Images| conv.output(images).unwrap_err().to_string();
    assert_eq!(refused(conv, one(2, 3)), "conv: a kernel of 3 x 3 does not fit into an image of 2 x 3");
    assert_eq!(
        refused(Geometry { kernel: (0, 3), ..conv }, one(2, 3)),
        "conv: kernel must be at least 1 x 1, got 0 x 3"
    );
    assert_eq!(
        refused(Geometry { stride: (1, 0), ..conv }, one(3, 3)),
        "conv: stride must be at least 1 x 1, got 1 x 0"
    );
    for groups in [0, 3, 8, usize::MAX] {
        let expected =
            format!("conv: groups must divide the 8 channels of the input and 4 of the output, got {groups}");
        assert_eq!(refused(Geometry { groups, ..conv }, one(3, 3)), expected);
    }
    assert!(matches!(Geometry { groups: 9, c_in: 0, c_out: 0, ..conv }.patch(), Err(Error::Groups { .. })));
    let too_large =
        |conv: Geometry, images| assert!(matches!(conv.output(images), Err(Error::TooLarge { .. })));
    too_large(Geometry { padding: Padding::around(usize::MAX), ..conv }, one(3, 3));
    too_large(Geometry { padding: Padding::around(usize::MAX / 4), ..conv }, one(3, 3));
    too_large(Geometry { kernel: (usize::MAX, 2), ..conv }, one(3, 3));
    too_large(Geometry { kernel: (1 << 15, 1 << 15), ..conv }, one(3, 3));
    too_large(conv, Images { b: usize::MAX, h: 3, w: 3 });

    let (x, weights) = (BitTensor::zeros(9, 8), BitTensor::zeros(4, 72));
    let packed = ConvWeights::pack(&engine, conv, weights.view()).unwrap();
    assert_eq!(packed.conv(), &conv);
    let shape = |result: Result<(), Error>| assert!(matches!(result, Err(Error::Shape { .. })), "{result:?}");
    let length =
        |result: Result<(), Error>| assert!(matches!(result, Err(Error::Length { .. })), "{result:?}");
    let (y, mut bits, row) = (&mut [0; 4][..], BitTensor::zeros(1, 4), BitTensor::zeros(1, 4));
    shape(ConvWeights::pack(&engine, conv, BitTensor::zeros(4, 71).view()).map(drop));
    shape(conv_sums(&engine, x.view(), one(3, 4), &packed, y));
    shape(conv_sums(&engine, BitTensor::zeros(9, 7).view(), one(3, 3), &packed, y));
    length(conv_sums(&engine, x.view(), one(3, 3), &packed, &mut y[..3]));
    let threshold = |thresholds: &[i32], descending: &BitTensor, bits: &mut BitTensor| {
        conv_threshold(&engine, x.view(), one(3, 3), &packed, thresholds, descending.view(), bits)
    };
    assert_eq!(threshold(&[0; 4], &row, &mut bits), Ok(()));
    length(threshold(&[0; 3], &row, &mut bits));
    shape(threshold(&[0; 4], &BitTensor::zeros(1, 5), &mut bits));
    shape(threshold(&[0; 4], &row, &mut BitTensor::zeros(2, 4)));
    let back = ConvTransposed::pack(&engine, conv, weights.view()).unwrap();
    let (dy, dx, dw) = (&[0.0; 4][..], &mut [0.0; 72][..], &mut [0.0; 288][..]);
    let (mut round, mut bytes) = (Int8::new(), Int8::new());
    round.round(&engine, 1, 4, dy, Noise { seed: 0, step: 0 }).unwrap();
    bytes.round(&engine, 4, 1, dy, Noise { seed: 0, step: 0 }).unwrap();
    assert_eq!(conv_dx_f32(&engine, dy, one(3, 3), &back, dx), Ok(()));
    assert_eq!(conv_dx_int8(&engine, &round, one(3, 3), &back, dx), Ok(()));
    assert_eq!(conv_dw_f32(&engine, conv, dy, x.view(), one(3, 3), dw), Ok(()));
    assert_eq!(conv_dw_int8(&engine, conv, &bytes, x.view(), one(3, 3), dw), Ok(()));
    shape(ConvTransposed::pack(&engine, conv, x.view()).map(drop));
    length(conv_dx_f32(&engine, &dy[1..], one(3, 3), &back, dx));
    length(conv_dx_f32(&engine, dy, one(3, 3), &back, &mut dx[1..]));
    shape(conv_dx_int8(&engine, &bytes, one(3, 3), &back, dx));
    length(conv_dw_f32(&engine, conv, &dy[1..], x.view(), one(3, 3), dw));
    length(conv_dw_f32(&engine, conv, dy, x.view(), one(3, 3), &mut dw[1..]));
    shape(conv_dw_f32(&engine, conv, dy, weights.view(), one(3, 3), dw));
    shape(conv_dw_int8(&engine, conv, &round, x.view(), one(3, 3), dw));

    let pool = Pool { kernel: (2, 2), stride: (2, 2) };
    let refused = |pool: Pool, images: Images| pool.output(images).unwrap_err().to_string();
    assert_eq!(refused(pool, one(1, 3)), "pool: a kernel of 2 x 2 does not fit into an image of 1 x 3");
    assert_eq!(
        refused(Pool { kernel: (0, 1), ..pool }, one(3, 3)),
        "pool: window must be at least 1 x 1, got 0 x 1"
    );
    assert_eq!(
        refused(Pool { stride: (0, 1), ..pool }, one(3, 3)),
        "pool: stride must be at least 1 x 1, got 0 x 1"
    );
    assert!(matches!(pool.output(one(usize::MAX, 3)), Err(Error::TooLarge { .. })));
    let (row, mut smallest) = (BitTensor::zeros(1, 8), BitTensor::zeros(1, 8));
    let mut pooled = |x: &BitTensor, row: &BitTensor, images| {
        pool_or_and(&engine, x.view(), images, pool, row.view(), &mut smallest)
    };
    assert_eq!(pooled(&x, &row, one(3, 3)), Ok(()));
    shape(pooled(&x, &row, one(3, 2)));
    shape(pooled(&x, &BitTensor::zeros(1, 7), one(3, 3)));
    shape(pooled(&BitTensor::zeros(16, 8), &row, one(4, 4)));
    if Isa::best() != Isa::PORTABLE {
        let portable = Engine::single().with_isa(Isa::PORTABLE);
        let wrong = conv_sums(&portable, x.view(), one(3, 3), &packed, y);
        assert!(matches!(wrong, Err(Error::Packed { .. })), "{wrong:?}");
    }
}
