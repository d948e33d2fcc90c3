//! Convolution and pooling of bits on every instruction set this machine has, with 1 and 2 workers, against the
//! nested loops of `onebit-reference`, and their laws.

use onebit_bits::{
    BitTensor, Conv, ConvWeights, Engine, Error, Images, Isa, Pad, Padding, conv_sums, conv_threshold,
    random_bits, xnor_gemm,
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
fn conv_of(shape: &Shape, pad: Pad) -> (Conv, Images) {
    let ((b, h, w), [top, left, bottom, right]) = (shape.image, shape.padding);
    let conv = Conv {
        stride: shape.stride,
        padding: Padding { top, left, bottom, right },
        pad,
        groups: shape.groups,
        ..Conv::new(shape.channels.0, shape.channels.1, shape.kernel)
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

fn sums(engine: &Engine, x: &BitTensor, images: Images, conv: Conv, weights: &BitTensor) -> Vec<i32> {
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

/// A kernel of one pixel is a matrix product.
#[test]
fn one_pixel_is_a_matrix_product() {
    for (c_in, c_out) in [(1, 1), (64, 33), (65, 31), (128, 128), (200, 70)] {
        let images = Images { b: 3, h: 5, w: 7 };
        let (x, weights) = (random_bits(1, 0, 3 * 5 * 7, c_in), random_bits(2, 0, c_out, c_in));
        for engine in engines() {
            let mut expected = vec![0; 3 * 5 * 7 * c_out];
            xnor_gemm(&engine, x.view(), weights.view(), &mut expected).unwrap();
            let y = sums(&engine, &x, images, Conv::new(c_in, c_out, (1, 1)), &weights);
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
    let conv = Conv { padding: Padding::around(1), pad: Pad::Plus, ..Conv::new(c_in, c_out, (3, 3)) };
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
            let conv = Conv { padding: Padding::around(1), pad, ..Conv::new(c_in, c_out, (3, 3)) };
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
            assert_eq!(sums(&engine, &framed, images, Conv::new(c_in, c_out, (3, 3)), &weights), pad);
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

#[test]
fn what_cannot_be_is_refused() {
    let engine = Engine::single();
    let conv = Conv::new(8, 4, (3, 3));
    let one = |h, w| Images { b: 1, h, w };
    let refused = |conv: Conv, images: Images| conv.output(images).unwrap_err().to_string();
    assert_eq!(refused(conv, one(2, 3)), "conv: a kernel of 3 x 3 does not fit into an image of 2 x 3");
    assert_eq!(
        refused(Conv { kernel: (0, 3), ..conv }, one(2, 3)),
        "conv: kernel must be at least 1 x 1, got 0 x 3"
    );
    assert_eq!(
        refused(Conv { stride: (1, 0), ..conv }, one(3, 3)),
        "conv: stride must be at least 1 x 1, got 1 x 0"
    );
    for groups in [0, 3, 8, usize::MAX] {
        let expected =
            format!("conv: groups must divide the 8 channels of the input and 4 of the output, got {groups}");
        assert_eq!(refused(Conv { groups, ..conv }, one(3, 3)), expected);
    }
    assert!(matches!(Conv { groups: 9, c_in: 0, c_out: 0, ..conv }.patch(), Err(Error::Groups { .. })));
    let too_large = |conv: Conv, images| assert!(matches!(conv.output(images), Err(Error::TooLarge { .. })));
    too_large(Conv { padding: Padding::around(usize::MAX), ..conv }, one(3, 3));
    too_large(Conv { padding: Padding::around(usize::MAX / 4), ..conv }, one(3, 3));
    too_large(Conv { kernel: (1 << 40, 1 << 40), ..conv }, one(3, 3));
    too_large(Conv { kernel: (1 << 20, 1 << 20), ..conv }, one(3, 3));
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
    if Isa::best() != Isa::PORTABLE {
        let portable = Engine::single().with_isa(Isa::PORTABLE);
        let wrong = conv_sums(&portable, x.view(), one(3, 3), &packed, y);
        assert!(matches!(wrong, Err(Error::Packed { .. })), "{wrong:?}");
    }
}
