//! Random models, and inputs for them.

use onebit_bits::{BitTensor, Geometry, Pad, Padding, Pool, random_bits};
use onebit_model::{
    Affine, Binarize, Column, ColumnKind, Columns, Conv, Dense, Layer, Limits, Model, Output, Standardize,
    Thermometer, Thresholds,
};
use proptest::{collection::vec, prelude::*, sample::select};

/// The sizes of a model, and the seed that everything else is drawn from.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub(crate) inputs: usize,
    /// Thresholds of a first layer that binarizes; with 0 the first layer is dense over reals.
    pub(crate) binarize: usize,
    /// Whether each channel of a pixel has its own, or each feature where there are no images.
    pub(crate) thermometer: bool,
    /// Whether features are bytes, where nothing binarizes them and the first layer gives bits.
    pub(crate) bytes: bool,
    /// Rows and columns of images, and the convolutions before all other layers; `inputs` are whole pixels.
    pub(crate) images: Option<((usize, usize), Vec<Plan>)>,
    /// Units and depth of each layer that gives bits.
    pub(crate) hidden: Vec<(usize, usize)>,
    pub(crate) classes: usize,
    pub(crate) seed: u64,
}

/// A convolution, as far as it fits its images.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    units: usize,
    kernel: (usize, usize),
    stride: (usize, usize),
    padding: [usize; 4],
    pad: Pad,
    groups: usize,
    pool: Option<Pool>,
}

/// Around the borders of one and two words, and small ones.
fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![1..9usize, select(vec![31, 63, 64, 65, 127, 128, 129])]
}

pub(crate) fn recipes() -> impl Strategy<Value = Recipe> {
    let hidden = vec((sizes(), 1..4usize), 0..3);
    (sizes(), (0..4usize, any::<bool>()), hidden, 1..7usize, any::<u64>()).prop_map(
        |(inputs, (binarize, thermometer), hidden, classes, seed)| Recipe {
            inputs,
            binarize,
            thermometer,
            bytes: seed % 2 == 0,
            images: None,
            hidden,
            classes,
            seed,
        },
    )
}

/// Small images under one to three convolutions.
pub(crate) fn image_recipes() -> impl Strategy<Value = Recipe> {
    let image = ((1..8usize, 1..8usize), select(vec![1, 2, 3, 8, 64]));
    let channels = select(vec![1, 2, 5, 31, 64, 65]);
    let two = |size: std::ops::Range<usize>| (size.clone(), size);
    let pads = select(vec![Pad::Plus, Pad::Minus, Pad::Zero]);
    let pool =
        proptest::option::of((two(1..4), two(1..4)).prop_map(|(kernel, stride)| Pool { kernel, stride }));
    let plan = (channels, two(1..4), two(1..3), [0..3usize, 0..3, 0..3, 0..3], pads, 1..4usize, pool)
        .prop_map(|(units, kernel, stride, padding, pad, groups, pool)| Plan {
            units,
            kernel,
            stride,
            padding,
            pad,
            groups,
            pool,
        });
    let binarize = (0..3usize, any::<bool>());
    (image, binarize, vec(plan, 1..4), vec((sizes(), 1..3usize), 0..2), any::<u64>()).prop_map(
        |(((h, w), channels), (binarize, thermometer), plans, hidden, seed)| {
            let (inputs, images) = (h * w * channels, Some(((h, w), plans)));
            Recipe { inputs, binarize, thermometer, bytes: seed % 2 == 0, images, hidden, classes: 3, seed }
        },
    )
}

impl Plan {
    /// For images of `h` x `w` pixels of so many channels.
    fn layer(&self, draw: &mut Draw, (h, w): (usize, usize), c_in: usize, of: Of) -> Conv {
        // a kernel larger than the image needs padding
        let fit = |kernel: usize, before: usize, behind: usize, size: usize| {
            let (before, behind) = (before.min(kernel - 1), behind.min(kernel - 1));
            if size + before + behind < kernel { (size, 0, 0) } else { (kernel, before, behind) }
        };
        let [top, left, bottom, right] = self.padding;
        let (rows, top, bottom) = fit(self.kernel.0, top, bottom, h);
        let (cols, left, right) = fit(self.kernel.1, left, right, w);
        let groups = if c_in.is_multiple_of(self.groups) { self.groups } else { 1 };
        let geometry = Geometry {
            stride: self.stride,
            padding: Padding { top, left, bottom, right },
            pad: if of == Of::Bits { self.pad } else { Pad::Zero },
            groups,
            ..Geometry::new(c_in, self.units.next_multiple_of(groups), (rows, cols))
        };
        let (units, patch) = (geometry.c_out, geometry.patch().unwrap());
        let limits = draw.limits(of, units, patch);
        let thresholds = Thresholds { limits, descending: draw.bits(1, units) };
        let weights = draw.bits(units, patch);
        let mut conv = Conv { geometry, image: (h, w), weights, pool: None, thresholds };
        let sums = conv.output().unwrap().0;
        conv.pool = self.pool.map(|Pool { kernel, stride }| Pool {
            kernel: (kernel.0.min(sums.h), kernel.1.min(sums.w)),
            stride,
        });
        conv
    }
}

impl Recipe {
    pub(crate) fn model(&self) -> Model {
        let mut draw = Draw { seed: self.seed, stream: 0 };
        let (mut layers, mut columns, bits) = (Vec::new(), self.inputs, self.binarize > 0);
        let mut of = match (bits, self.bytes) {
            (true, _) => Of::Bits,
            (false, true) => Of::Bytes,
            (false, false) => Of::Reals,
        };
        if bits {
            let pixels = self.images.as_ref().map_or(1, |((h, w), _)| h * w);
            let (features, channels) = (self.inputs, self.inputs / pixels);
            layers.push(if self.thermometer {
                let thresholds = draw.reals(self.binarize * channels);
                Layer::Thermometer(Thermometer { features, channels, thresholds })
            } else {
                Layer::Binarize(Binarize { features, thresholds: draw.reals(self.binarize) })
            });
            columns *= self.binarize;
        }
        if let Some((image, plans)) = &self.images {
            let (mut image, mut channels) = (*image, columns / (image.0 * image.1));
            for plan in plans {
                let conv = plan.layer(&mut draw, image, channels, of);
                let output = conv.output().unwrap().1;
                (image, channels, of) = ((output.h, output.w), conv.geometry.c_out, Of::Bits);
                layers.push(Layer::Conv(conv));
            }
            columns = image.0 * image.1 * channels;
        }
        for &(units, depth) in &self.hidden {
            let weights = draw.bits(units, columns);
            let limits = draw.limits(of, units * depth, columns);
            let output = Output::Bits(Thresholds { limits, descending: draw.bits(1, units) });
            layers.push(Layer::Dense(Dense { weights, output }));
            (columns, of) = (units * depth, Of::Bits);
        }
        let weights = draw.bits(self.classes, columns);
        let [mean, scale, shift] = [(); 3].map(|()| draw.reals(self.classes));
        layers.push(Layer::Dense(Dense { weights, output: Output::Scores(Affine { mean, scale, shift }) }));

        let names = |what: &str, n| (0..n).map(|index| format!("{what} {index} \u{b1}")).collect();
        let [mean, scale] = [(); 2].map(|()| draw.reals(self.inputs));
        let named = if draw.word() & 1 == 0 { names("feature", self.inputs) } else { Vec::new() };
        let columns = draw.word().is_multiple_of(3).then(|| self.columns(&mut draw));
        Model::new(self.inputs, layers, names("class", self.classes))
            .and_then(|model| match model.takes_bytes() {
                true => Ok(model),
                false => model.with_standardize(Standardize { mean, scale }),
            })
            .and_then(|model| model.with_features(named))
            .and_then(|model| model.with_columns(columns))
            .unwrap()
    }

    /// Columns of numbers and of one to five categories that become the features.
    fn columns(&self, draw: &mut Draw) -> Columns {
        let (mut columns, mut left) = (Vec::new(), self.inputs);
        while left > 0 {
            let word = draw.word();
            let count = left.min(word as usize % 6).max(1);
            let kind = match word % 6 {
                0 => ColumnKind::Number { missing: None },
                1 => ColumnKind::Number { missing: Some(draw.reals(1)[0]) },
                _ => ColumnKind::Categories((0..count).map(|n| "\u{e9}".repeat(n)).collect()),
            };
            left -= count;
            columns.push(Column { name: format!("column {left}"), kind });
        }
        Columns::new(columns).unwrap()
    }

    /// `(rows, inputs)`
    pub(crate) fn samples(&self, rows: usize) -> Vec<f32> {
        let mut draw = Draw { seed: !self.seed, stream: 0 };
        if self.bytes {
            return draw.words(rows * self.inputs).into_iter().map(|word| word as u8 as f32).collect();
        }
        draw.reals(rows * self.inputs)
    }
}

/// What a layer is given.
#[derive(Clone, Copy, PartialEq)]
enum Of {
    Reals,
    Bytes,
    Bits,
}

/// A source of numbers; each draw has a stream of its own.
struct Draw {
    seed: u64,
    stream: u64,
}

impl Draw {
    fn bits(&mut self, rows: usize, cols: usize) -> BitTensor {
        self.stream += 1;
        random_bits(self.seed, self.stream, rows, cols)
    }

    fn words(&mut self, n: usize) -> Vec<u64> {
        self.bits(n, 64).into_words()
    }

    fn word(&mut self) -> u64 {
        self.words(1)[0]
    }

    /// Between -4 and 4: half of them halves, so that sums meet limits exactly, the others anything.
    fn reals(&mut self, n: usize) -> Vec<f32> {
        let real = |word: u64| match word % 2 {
            0 => (word >> 1) as u8 as f32 % 17.0 / 2.0 - 4.0,
            _ => (word >> 40) as f32 / (1 << 21) as f32 - 4.0,
        };
        self.words(n).into_iter().map(real).collect()
    }

    /// On sums of `n` of these.
    fn limits(&mut self, of: Of, count: usize, n: usize) -> Limits {
        match of {
            Of::Reals => Limits::Real(self.real_limits(count)),
            Of::Bits => Limits::Integer(self.integer_limits(count, n as i32)),
            Of::Bytes => Limits::Integer(self.integer_limits(count, 255 * n as i32)),
        }
    }

    /// Mostly near 0, where the sums of `n` bits are; some at the ends and beyond.
    fn integer_limits(&mut self, count: usize, n: i32) -> Vec<i32> {
        let near = 2 * n.isqrt() + 3;
        let limit = |word: u64| match word % 16 {
            0 => [i32::MIN, -n - 1, -n, n, n + 1, i32::MAX][(word >> 4) as usize % 6],
            _ => (word >> 4) as i32 % near,
        };
        self.words(count).into_iter().map(limit).collect()
    }

    /// As [`reals`](Self::reals), with some infinities and negative zeros.
    fn real_limits(&mut self, count: usize) -> Vec<f32> {
        let mut limits = self.reals(count);
        for (limit, word) in limits.iter_mut().zip(self.words(count)) {
            match word % 16 {
                0 => *limit = f32::INFINITY,
                1 => *limit = f32::NEG_INFINITY,
                2 => *limit = -0.0,
                _ => {}
            }
        }
        limits
    }
}
