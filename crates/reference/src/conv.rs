//! Convolution as seven nested loops, its gradients, and pooling.
//!
//! ```
//! use onebit_reference::conv::{Shape, conv};
//! // one 1 x 2 image, a 1 x 2 kernel, one pixel of padding on the right that counts as -1
//! let shape = Shape { image: (1, 1, 2), kernel: (1, 2), padding: [0, 0, 0, 1], ..Shape::PLAIN };
//! assert_eq!(conv(&shape, -1, &[1, -1], &[1, -1]), [1 + 1, -1 + 1]);
//! ```

/// The sizes of a convolution.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Number of images, their height and their width.
    pub image: (usize, usize, usize),
    /// Number of input and output channels.
    pub channels: (usize, usize),
    /// Height and width of the kernel.
    pub kernel: (usize, usize),
    /// Strides of the kernel, down and to the right.
    pub stride: (usize, usize),
    /// Pixels of padding at the top, left, bottom and right.
    pub padding: [usize; 4],
    /// Number of groups of channels: an output sees the inputs of its own group only.
    pub groups: usize,
}

impl Shape {
    /// One image of one pixel and one channel, without padding, strides or groups.
    pub const PLAIN: Self = Self {
        image: (1, 1, 1),
        channels: (1, 1),
        kernel: (1, 1),
        stride: (1, 1),
        padding: [0; 4],
        groups: 1,
    };

    /// Height and width of an output image.
    #[must_use]
    pub fn output(&self) -> (usize, usize) {
        let [top, left, bottom, right] = self.padding;
        let (_, h, w) = self.image;
        let steps = |size: usize, kernel: usize, stride: usize| (size - kernel) / stride + 1;
        let rows = steps(h + top + bottom, self.kernel.0, self.stride.0);
        (rows, steps(w + left + right, self.kernel.1, self.stride.1))
    }

    /// Number of values of x: (b, h, w, i).
    #[must_use]
    pub fn inputs(&self) -> usize {
        let (b, h, w) = self.image;
        b * h * w * self.channels.0
    }

    /// Number of values of y: (b, h', w', o).
    #[must_use]
    pub fn outputs(&self) -> usize {
        let (h, w) = self.output();
        self.image.0 * h * w * self.channels.1
    }

    /// Number of weights: (o, kh, kw, i / groups).
    #[must_use]
    pub fn weights(&self) -> usize {
        self.channels.1 * self.kernel.0 * self.kernel.1 * (self.channels.0 / self.groups)
    }

    /// Calls `multiply(index in y, index in x, index in w)` for each product; the index in x is `None` in the
    /// padding.
    fn each_product(&self, mut multiply: impl FnMut(usize, Option<usize>, usize)) {
        let ((images, h, w), (height, width)) = (self.image, self.output());
        let (inputs, outputs) = (self.channels.0 / self.groups, self.channels.1 / self.groups);
        for b in 0..images {
            for y in 0..height {
                for x in 0..width {
                    for o in 0..self.channels.1 {
                        for ky in 0..self.kernel.0 {
                            for kx in 0..self.kernel.1 {
                                for i in 0..inputs {
                                    let at_y = ((b * height + y) * width + x) * self.channels.1 + o;
                                    let at_w = ((o * self.kernel.0 + ky) * self.kernel.1 + kx) * inputs + i;
                                    let row = (y * self.stride.0 + ky).checked_sub(self.padding[0]);
                                    let col = (x * self.stride.1 + kx).checked_sub(self.padding[1]);
                                    let at_x = match (row, col) {
                                        (Some(row), Some(col)) if row < h && col < w => {
                                            let channel = o / outputs * inputs + i;
                                            Some(((b * h + row) * w + col) * self.channels.0 + channel)
                                        }
                                        _ => None,
                                    };
                                    multiply(at_y, at_x, at_w);
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The sums of a convolution. `pad` is the value of padding: -1, 0 or 1.
/// x: (b, h, w, i), weights: (o, kh, kw, i / groups), y: (b, h', w', o).
#[must_use]
pub fn conv(shape: &Shape, pad: i8, x: &[i8], weights: &[i8]) -> Vec<i32> {
    assert_eq!((x.len(), weights.len()), (shape.inputs(), shape.weights()));
    let mut y = vec![0; shape.outputs()];
    shape.each_product(|at_y, at_x, at_w| {
        y[at_y] += i32::from(at_x.map_or(pad, |at| x[at])) * i32::from(weights[at_w]);
    });
    y
}

/// The sums of real images padded with 0, in `f32`, with the products added in fours: `(p0 + p1) + (p2 +
/// p3)`. The last four is filled up with zeros. x: (b, h, w, i), weights: (o, kh, kw, i / groups), y: (b, h',
/// w', o).
#[must_use]
pub fn conv_by_fours(shape: &Shape, x: &[f32], weights: &[i8]) -> Vec<f32> {
    assert_eq!((x.len(), weights.len()), (shape.inputs(), shape.weights()));
    let mut products = vec![Vec::new(); shape.outputs()];
    shape.each_product(|at_y, at_x, at_w| {
        products[at_y].push(at_x.map_or(0.0, |at| x[at]) * f32::from(weights[at_w]));
    });
    let four = |p: &[f32]| {
        let term = |at: usize| p.get(at).copied().unwrap_or(0.0);
        (term(0) + term(1)) + (term(2) + term(3))
    };
    products.iter().map(|products| products.chunks(4).fold(0.0, |sum, p| sum + four(p))).collect()
}

/// The gradient of the weights over real images padded with 0, in `f32`: one sum for each run of `length`
/// output pixels, and these sums added in order. dy: (b, h', w', o), x: (b, h, w, i), dw: (o, kh, kw, i /
/// groups).
#[must_use]
pub fn conv_dw_in_parts(shape: &Shape, length: usize, dy: &[f32], x: &[f32]) -> Vec<f32> {
    assert_eq!((dy.len(), x.len()), (shape.outputs(), shape.inputs()));
    let pixels = shape.outputs() / shape.channels.1.max(1);
    let mut parts = vec![vec![0.0; shape.weights()]; pixels.div_ceil(length).max(1)];
    shape.each_product(|at_y, at_x, at_w| {
        let part = at_y / shape.channels.1 / length;
        parts[part][at_w] += dy[at_y] * at_x.map_or(0.0, |at| x[at]);
    });
    let add = |mut sum: Vec<f32>, part: Vec<f32>| {
        sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        sum
    };
    parts.into_iter().reduce(add).expect("there is a part")
}

/// The gradient of x. dy: (b, h', w', o), weights: (o, kh, kw, i / groups), dx: (b, h, w, i).
#[must_use]
pub fn conv_dx(shape: &Shape, dy: &[f64], weights: &[i8]) -> Vec<f64> {
    assert_eq!((dy.len(), weights.len()), (shape.outputs(), shape.weights()));
    let mut dx = vec![0.0; shape.inputs()];
    shape.each_product(|at_y, at_x, at_w| {
        if let Some(at_x) = at_x {
            dx[at_x] += dy[at_y] * f64::from(weights[at_w]);
        }
    });
    dx
}

/// The gradient of the weights. dy: (b, h', w', o), x: (b, h, w, i), dw: (o, kh, kw, i / groups); padding is
/// `pad`.
#[must_use]
pub fn conv_dw(shape: &Shape, pad: i8, dy: &[f64], x: &[i8]) -> Vec<f64> {
    assert_eq!((dy.len(), x.len()), (shape.outputs(), shape.inputs()));
    let mut dw = vec![0.0; shape.weights()];
    shape.each_product(|at_y, at_x, at_w| {
        dw[at_w] += dy[at_y] * f64::from(at_x.map_or(pad, |at| x[at]));
    });
    dw
}

/// The largest value of each pooling window, or the smallest for channels with `smallest`. x: (b, h, w, c),
/// smallest: (c), pooled: (b, h', w', c). Kernel and stride come from `shape`, which has no padding.
#[must_use]
pub fn pool(shape: &Shape, x: &[i8], smallest: &[bool]) -> Vec<i8> {
    let ((images, h, w), (height, width), channels) = (shape.image, shape.output(), smallest.len());
    assert_eq!((x.len(), shape.padding), (images * h * w * channels, [0; 4]));
    let mut pooled = Vec::new();
    for b in 0..images {
        for y in 0..height {
            for x_ in 0..width {
                for (c, &smallest) in smallest.iter().enumerate() {
                    let mut window = Vec::new();
                    for ky in 0..shape.kernel.0 {
                        for kx in 0..shape.kernel.1 {
                            let (row, col) = (y * shape.stride.0 + ky, x_ * shape.stride.1 + kx);
                            window.push(x[((b * h + row) * w + col) * channels + c]);
                        }
                    }
                    let chosen = if smallest { window.iter().min() } else { window.iter().max() };
                    pooled.push(*chosen.expect("a kernel has a pixel"));
                }
            }
        }
    }
    pooled
}
