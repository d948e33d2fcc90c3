//! Random models, and inputs for them.

use onebit_bits::{BitTensor, random_bits};
use onebit_model::{Affine, Binarize, Dense, Layer, Limits, Model, Output, Standardize, Thresholds};
use proptest::{collection::vec, prelude::*, sample::select};

/// The sizes of a model, and the seed that everything else is drawn from.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub(crate) inputs: usize,
    /// Thresholds of a first layer that binarizes; with 0 the first layer is dense over reals.
    pub(crate) binarize: usize,
    /// Units and depth of each layer that gives bits.
    pub(crate) hidden: Vec<(usize, usize)>,
    pub(crate) classes: usize,
    pub(crate) seed: u64,
}

/// Around the borders of one and two words, and small ones.
fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![1..9usize, select(vec![31, 63, 64, 65, 127, 128, 129])]
}

pub(crate) fn recipes() -> impl Strategy<Value = Recipe> {
    let hidden = vec((sizes(), 1..4usize), 0..3);
    (sizes(), 0..4usize, hidden, 1..7usize, any::<u64>()).prop_map(
        |(inputs, binarize, hidden, classes, seed)| Recipe { inputs, binarize, hidden, classes, seed },
    )
}

impl Recipe {
    pub(crate) fn model(&self) -> Model {
        let mut draw = Draw { seed: self.seed, stream: 0 };
        let (mut layers, mut columns, mut bits) = (Vec::new(), self.inputs, self.binarize > 0);
        if bits {
            let thresholds = draw.reals(self.binarize);
            layers.push(Layer::Binarize(Binarize { features: self.inputs, thresholds }));
            columns *= self.binarize;
        }
        for &(units, depth) in &self.hidden {
            let weights = draw.bits(units, columns);
            let limits = if bits {
                Limits::Integer(draw.integer_limits(units * depth, columns as i32))
            } else {
                Limits::Real(draw.real_limits(units * depth))
            };
            let output = Output::Bits(Thresholds { limits, descending: draw.bits(1, units) });
            layers.push(Layer::Dense(Dense { weights, output }));
            (columns, bits) = (units * depth, true);
        }
        let weights = draw.bits(self.classes, columns);
        let [mean, scale, shift] = [(); 3].map(|()| draw.reals(self.classes));
        layers.push(Layer::Dense(Dense { weights, output: Output::Scores(Affine { mean, scale, shift }) }));

        let names = |what: &str, n| (0..n).map(|index| format!("{what} {index} \u{b1}")).collect();
        let [mean, scale] = [(); 2].map(|()| draw.reals(self.inputs));
        let named = if draw.word() & 1 == 0 { names("feature", self.inputs) } else { Vec::new() };
        Model::new(self.inputs, layers, names("class", self.classes))
            .and_then(|model| model.with_standardize(Standardize { mean, scale }))
            .and_then(|model| model.with_features(named))
            .unwrap()
    }

    /// `(rows, inputs)`
    pub(crate) fn samples(&self, rows: usize) -> Vec<f32> {
        Draw { seed: !self.seed, stream: 0 }.reals(rows * self.inputs)
    }
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
