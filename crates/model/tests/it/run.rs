//! The runtime against the formulas, one number at a time.

use onebit_bits::{BitTensor, Engine, Geometry, Isa, Pad, Padding, Pool};
use onebit_model::{Affine, Conv, Dense, Error, Layer, Limits, Model, Output, Standardize, Thresholds, best};
use onebit_reference::{
    conv::{Shape, conv as conv_sums, conv_by_fours},
    gemm::gemm,
    number::real_gemm_by_fours,
};
use proptest::prelude::*;

use crate::recipe::{Recipe, image_recipes, recipes};

/// Sums of a dense layer, `(b, o)`.
enum Sums {
    Integer(Vec<i32>),
    Real(Vec<f32>),
}

/// Scores `(b, classes)` for `x: (b, features)`, as the documentation of the layers defines them.
fn naive(model: &Model, x: &[f32]) -> Vec<f32> {
    let (features, Standardize { mean, scale }) = (model.inputs(), model.standardize());
    let rows = x.len() / features;
    let x: Vec<f32> = (0..x.len()).map(|at| (x[at] - mean[at % features]) * scale[at % features]).collect();
    let x = if model.takes_bytes() { x.iter().map(|byte| 2.0 * byte - 255.0).collect() } else { x };
    let integers = |sums: Vec<f32>| sums.into_iter().map(|sum| sum as i32).collect();
    let mut bits: Option<Vec<i8>> = None; // +-1, (b, i), once there are any
    for layer in model.layers() {
        let dense = match layer {
            Layer::Binarize(b) => {
                let above =
                    |row: usize, c: usize| x[row * features + c % features] > b.thresholds[c / features];
                bits = Some(signs(rows, features * b.thresholds.len(), above));
                continue;
            }
            Layer::Thermometer(t) => {
                let (c, deep) = (t.channels, t.thresholds.len());
                let above = |row: usize, column: usize| {
                    let (pixel, k) = (column / deep, column % deep);
                    x[row * features + pixel * c + k % c] > t.thresholds[k]
                };
                bits = Some(signs(rows, layer.outputs(), above));
                continue;
            }
            Layer::Conv(conv) => {
                bits = Some(naive_conv(conv, rows, &x, bits.as_deref()));
                continue;
            }
            Layer::Dense(dense) => dense,
        };
        let (o, i) = dense.weights.shape();
        let sums = match &bits {
            Some(bits) => {
                Sums::Integer(gemm(bits, &signs(o, i, |o, i| dense.weights.get(o, i)), (rows, i, o)))
            }
            None => {
                let weights = signs(o, i, |o, i| dense.weights.get(o, i));
                let sums = real_gemm_by_fours(&x, &weights, (rows, i, o));
                if model.takes_bytes() { Sums::Integer(integers(sums)) } else { Sums::Real(sums) }
            }
        };
        match &dense.output {
            Output::Bits(t) => bits = Some(compared(rows, &sums, t)),
            Output::Scores(a) => {
                let sums = match sums {
                    Sums::Integer(sums) => sums.into_iter().map(|s| s as f32).collect(),
                    Sums::Real(sums) => sums,
                };
                let score = |(at, s): (usize, f32)| (s - a.mean[at % o]) * a.scale[at % o] + a.shift[at % o];
                return sums.into_iter().enumerate().map(score).collect();
            }
        }
    }
    panic!("a model without a layer that gives scores")
}

/// `(rows, d o)` for sums `(rows, o)`.
fn compared(rows: usize, sums: &Sums, t: &Thresholds) -> Vec<i8> {
    let o = t.descending.cols();
    let on = |row: usize, c: usize| match (sums, &t.limits, t.descending.get(0, c % o)) {
        (Sums::Integer(s), Limits::Integer(l), false) => s[row * o + c % o] >= l[c],
        (Sums::Integer(s), Limits::Integer(l), true) => s[row * o + c % o] <= l[c],
        (Sums::Real(s), Limits::Real(l), false) => s[row * o + c % o] >= l[c],
        (Sums::Real(s), Limits::Real(l), true) => s[row * o + c % o] <= l[c],
        _ => panic!("limits of another kind than the sums"),
    };
    signs(rows, t.limits.len(), on)
}

/// `(b, h' w' o)`: first the sums, then the largest of each window, then the comparison.
fn naive_conv(conv: &Conv, b: usize, x: &[f32], bits: Option<&[i8]>) -> Vec<i8> {
    let (Geometry { c_in, c_out, kernel, stride, padding, pad, groups }, (h, w)) =
        (conv.geometry, conv.image);
    let Padding { top, left, bottom, right } = padding;
    let shape = Shape {
        image: (b, h, w),
        channels: (c_in, c_out),
        kernel,
        stride,
        padding: [top, left, bottom, right],
        groups,
    };
    let weights = signs(c_out, conv.weights.cols(), |o, i| conv.weights.get(o, i));
    let outside = [(Pad::Plus, 1), (Pad::Minus, -1), (Pad::Zero, 0)].into_iter().find(|(of, _)| *of == pad);
    let sums = match bits {
        Some(bits) => {
            let sums = conv_sums(&shape, outside.unwrap().1, bits, &weights);
            Sums::Integer(largest(&sums, (b, shape.output(), c_out), conv.pool))
        }
        None => {
            let sums = conv_by_fours(&shape, x, &weights);
            let largest = largest(&sums, (b, shape.output(), c_out), conv.pool);
            match conv.thresholds.limits {
                Limits::Integer(_) => Sums::Integer(largest.into_iter().map(|sum| sum as i32).collect()),
                Limits::Real(_) => Sums::Real(largest),
            }
        }
    };
    let rows = match &sums {
        Sums::Integer(sums) => sums.len() / c_out,
        Sums::Real(sums) => sums.len() / c_out,
    };
    compared(rows, &sums, &conv.thresholds)
}

/// The largest of each window of `(b, h, w, c)`.
fn largest<T: Copy + PartialOrd>(
    x: &[T],
    (b, (h, w), c): (usize, (usize, usize), usize),
    pool: Option<Pool>,
) -> Vec<T> {
    let Some(Pool { kernel, stride }) = pool else { return x.to_vec() };
    let mut all = Vec::new();
    for image in 0..b {
        for top in (0..=h - kernel.0).step_by(stride.0) {
            for left in (0..=w - kernel.1).step_by(stride.1) {
                for channel in 0..c {
                    let at = |y: usize, x: usize| ((image * h + y) * w + x) * c + channel;
                    let window = (top..top + kernel.0)
                        .flat_map(|y| (left..left + kernel.1).map(move |x| (y, x)))
                        .map(|(y, col)| x[at(y, col)]);
                    all.extend(window.reduce(|a, b| if b > a { b } else { a }));
                }
            }
        }
    }
    all
}

/// +-1 for each (row, column).
fn signs(rows: usize, cols: usize, bit: impl Fn(usize, usize) -> bool) -> Vec<i8> {
    (0..rows * cols).map(|at| if bit(at / cols, at % cols) { 1 } else { -1 }).collect()
}

/// Every instruction set of this machine, on one thread and on two.
fn engines() -> Vec<Engine> {
    let threads = [1, 2].map(|threads| Engine::new(threads).unwrap());
    let isas = Isa::available().into_iter();
    isas.flat_map(|isa| threads.clone().map(|engine| engine.with_isa(isa))).collect()
}

/// Equal bits, so that a zero of another sign would be noticed too.
fn exact(scores: &[f32]) -> Vec<u32> {
    scores.iter().map(|score| score.to_bits()).collect()
}

fn assert_naive(engines: &[Engine], recipe: &Recipe, rows: usize) {
    let (model, x) = (recipe.model(), recipe.samples(rows));
    let expected = naive(&model, &x);
    let classes: Vec<usize> = expected.chunks_exact(model.classes()).map(best).collect();
    for engine in engines {
        let at = format!("{recipe:?}, {rows} rows, {} on {}", engine.isa().name(), engine.threads());
        assert_eq!(exact(&model.scores(engine, &x).unwrap()), exact(&expected), "{at}");
        assert_eq!(model.classify(engine, &x).unwrap(), classes, "{at}");
        let session = model.clone().into_session(engine).unwrap();
        assert_eq!(exact(&session.scores(&x).unwrap()), exact(&expected), "{at}");
    }
}

#[test]
fn scores_are_those_of_the_formulas() {
    let engines = engines();
    proptest!(|(recipe in recipes(), rows in 0..70usize)| {
        assert_naive(&engines, &recipe, rows);
    });
}

#[test]
fn scores_of_images_are_those_of_the_formulas() {
    let engines = engines();
    proptest!(|(recipe in image_recipes(), rows in 0..6usize)| {
        assert_naive(&engines, &recipe, rows);
    });
}

/// As many samples as do not run at once, and more real sums than there are at once.
#[test]
fn batches_of_images_are_their_samples() {
    let weights = |rows, cols, seed| onebit_bits::random_bits(seed, 0, rows, cols);
    let geometry = Geometry { padding: Padding::around(1), ..Geometry::new(3, 70, (3, 3)) };
    let thresholds = |limits| Thresholds { limits, descending: weights(1, 70, 3) };
    let pool = Pool { kernel: (2, 2), stride: (2, 2) };
    let layers = vec![
        Layer::Conv(Conv {
            geometry,
            image: (32, 32),
            weights: weights(70, 27, 1),
            pool: Some(pool),
            thresholds: thresholds(Limits::Real(vec![0.5; 70])),
        }),
        Layer::Conv(Conv {
            geometry: Geometry { c_in: 70, pad: Pad::Minus, ..geometry },
            image: (16, 16),
            weights: weights(70, 630, 2),
            pool: Some(Pool { kernel: (16, 8), stride: (16, 8) }),
            thresholds: thresholds(Limits::Integer(vec![40; 70])),
        }),
        Layer::Dense(Dense { weights: weights(4, 140, 4), output: Output::Scores(Affine::identity(4)) }),
    ];
    let labels = (0..4).map(|class| class.to_string()).collect();
    let model = Model::new(3 * 1024, layers, labels).unwrap();
    let rows = (1 << 24) / (1024 * 70) + 3;
    let x: Vec<f32> = onebit_bits::random_bits(5, 0, rows, 3 * 1024 * 2)
        .words()
        .iter()
        .flat_map(|word| (0..32).map(move |at| ((word >> (2 * at)) & 3) as f32 - 1.3))
        .collect();
    let engine = Engine::single();
    let session = model.session(&engine).unwrap();
    let all = session.scores(&x).unwrap();
    assert_eq!(all.len(), rows * 4);
    assert!(all.iter().any(|score| *score != all[0]));
    for row in [0, 1, rows - 4, rows - 3, rows - 1] {
        let one = &x[row * 3072..][..3072];
        assert_eq!(exact(&session.scores(one).unwrap()), exact(&all[row * 4..][..4]), "row {row}");
        assert_eq!(exact(&naive(&model, one)), exact(&all[row * 4..][..4]), "row {row}");
    }
    let mut broken = x;
    broken[(rows - 2) * 3072 + 5] = f32::NAN;
    let refused = session.classify(&broken).unwrap_err();
    assert!(matches!(refused, Error::NotFinite { row, feature: 5, .. } if row == rows - 2), "{refused:?}");
}

#[test]
fn scores_of_a_model_large_enough_for_threads() {
    let engines = engines();
    for (binarize, thermometer) in [(0, false), (3, false), (3, true)] {
        let hidden = vec![(257, 3), (130, 1)];
        assert_naive(
            &engines,
            &Recipe {
                inputs: 301,
                binarize,
                thermometer,
                bytes: true,
                images: None,
                hidden,
                classes: 10,
                seed: 7,
            },
            401,
        );
    }
}

proptest! {
    #[test]
    fn a_batch_is_its_rows(recipe in recipes(), rows in 1..40usize) {
        let (model, x, engine) = (recipe.model(), recipe.samples(rows), Engine::single());
        let batch = model.scores(&engine, &x).unwrap();
        let rows = x.chunks_exact(recipe.inputs).map(|row| model.scores(&engine, row).unwrap());
        prop_assert_eq!(exact(&batch), exact(&rows.flatten().collect::<Vec<_>>()));
    }
}

/// `x0 + x1` for class 0, `x0 - x1` for class 1, and both once more.
fn sums_and_differences() -> Model {
    let weights = BitTensor::from_fn(4, 2, |o, i| i == 0 || o % 2 == 0);
    let layer = Layer::Dense(Dense { weights, output: Output::Scores(Affine::identity(4)) });
    Model::new(2, vec![layer], ["sum", "difference", "sum", "difference"].map(String::from).to_vec()).unwrap()
}

#[test]
fn of_equal_scores_the_first_class_wins() {
    let (model, engine) = (sums_and_differences(), Engine::single());
    let x = [1.0, 2.0, 1.0, -2.0, 1.0, 0.0];
    assert_eq!(model.scores(&engine, &x[..4]).unwrap(), [3.0, -1.0, 3.0, -1.0, -1.0, 3.0, -1.0, 3.0]);
    assert_eq!(model.classify(&engine, &x).unwrap(), [0, 1, 0]);
    assert_eq!([best(&[2.0]), best(&[1.0, 2.0, 2.0]), best(&[0.0, -0.0]), best(&[-0.0, 0.0])], [0, 1, 0, 0]);
}

#[test]
fn no_rows_give_no_scores() {
    let (model, engine) = (sums_and_differences(), Engine::single());
    assert_eq!(model.scores(&engine, &[]).unwrap(), [0.0f32; 0]);
    assert_eq!(model.classify(&engine, &[]).unwrap(), [] as [usize; 0]);
}

#[test]
fn input_that_is_not_whole_rows() {
    let refused = sums_and_differences().scores(&Engine::single(), &[1.0; 5]).unwrap_err();
    assert!(matches!(refused, Error::Input { features: 2, values: 5 }), "{refused:?}");
    assert_eq!(refused.to_string(), "input: expected rows of 2 features, got 5 values");
}

#[test]
fn input_that_is_not_finite() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let refused =
            sums_and_differences().classify(&Engine::single(), &[1.0, 2.0, 3.0, value]).unwrap_err();
        let Error::NotFinite { row: 1, feature: 1, value: got } = refused else { panic!("{refused:?}") };
        assert_eq!(got.to_bits(), value.to_bits());
        let message = format!("input row 1, feature 1: expected a number that stays finite, got {value}");
        assert_eq!(refused.to_string(), message);
    }
}

#[test]
fn input_that_is_no_byte() {
    let limits = Thresholds { limits: Limits::Integer(vec![0]), descending: BitTensor::zeros(1, 1) };
    let first = Dense { weights: BitTensor::from_fn(1, 2, |_, i| i == 0), output: Output::Bits(limits) };
    let last = Dense { weights: BitTensor::zeros(2, 1), output: Output::Scores(Affine::identity(2)) };
    let labels = ["a", "b"].map(String::from).to_vec();
    let model = Model::new(2, vec![Layer::Dense(first), Layer::Dense(last)], labels).unwrap();
    assert!(model.takes_bytes());
    let engine = Engine::single();
    assert_eq!(model.scores(&engine, &[3.0, 3.0, 3.0, 4.0]).unwrap(), [-1.0, -1.0, 1.0, 1.0]);
    for value in [f32::NAN, f32::INFINITY, -1.0, 0.5, 256.0] {
        let refused = model.classify(&engine, &[1.0, 2.0, 3.0, value]).unwrap_err().to_string();
        let expected = "input row 1, feature 1: expected a byte, a whole number from 0 to 255, got";
        assert_eq!(refused, format!("{expected} {value}"));
    }
    let standardize = Standardize { mean: vec![0.0; 2], scale: vec![0.5; 2] };
    assert_eq!(
        model.with_standardize(standardize).unwrap_err().to_string(),
        "layer 0: a model on bytes cannot standardize its features"
    );
}

#[test]
fn input_that_standardization_takes_to_infinity() {
    let standardize = Standardize { mean: vec![0.0, -1e38], scale: vec![1.0, 10.0] };
    let model = sums_and_differences().with_standardize(standardize).unwrap();
    let refused = model.scores(&Engine::single(), &[1.0, 3e38]).unwrap_err();
    assert!(matches!(refused, Error::NotFinite { row: 0, feature: 1, value: 3e38 }), "{refused:?}");
}
