//! Shapes where kernels go wrong, and operands of them.

use onebit_bits::*;
use onebit_reference::conv::Shape;

pub(super) const PADS: [(Pad, i8); 3] = [(Pad::Plus, 1), (Pad::Minus, -1), (Pad::Zero, 0)];

/// Shapes where kernels go wrong.
pub(super) fn shapes() -> Vec<Shape> {
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
pub(super) fn conv_of(shape: &Shape, pad: Pad) -> (Geometry, Images) {
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
pub(super) fn operands(shape: &Shape) -> (BitTensor, BitTensor) {
    let (b, h, w) = shape.image;
    let outputs = shape.channels.1;
    let patch = shape.kernel.0 * shape.kernel.1 * shape.channels.0 / shape.groups;
    (random_bits(1, 0, b * h * w, shape.channels.0), random_bits(2, 0, outputs, patch))
}

pub(super) fn sums(
    engine: &Engine,
    x: &BitTensor,
    images: Images,
    conv: Geometry,
    weights: &BitTensor,
) -> Vec<i32> {
    let out = conv.output(images).unwrap();
    let mut y = vec![i32::MIN; out.b * out.h * out.w * conv.c_out];
    let weights = ConvWeights::pack(engine, conv, weights.view()).unwrap();
    convolve(engine, x.view(), images, &weights, &mut y[..]).unwrap();
    y
}
