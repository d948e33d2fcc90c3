//! The runtime against the formulas, one number at a time.

mod recipe;

use onebit_bits::{BitTensor, Engine, Isa};
use onebit_model::{Affine, Dense, Error, Layer, Limits, Model, Output, Standardize, best};
use onebit_reference::{gemm::gemm, number::real_gemm_by_fours};
use proptest::prelude::*;
use recipe::{Recipe, recipes};

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
    let mut bits: Option<Vec<i8>> = None; // +-1, (b, i), once there are any
    for layer in model.layers() {
        let dense = match layer {
            Layer::Binarize(b) => {
                let above =
                    |row: usize, c: usize| x[row * features + c % features] > b.thresholds[c / features];
                bits = Some(signs(rows, features * b.thresholds.len(), above));
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
                Sums::Real(real_gemm_by_fours(&x, &weights, (rows, i, o)))
            }
        };
        match &dense.output {
            Output::Bits(t) => {
                let on = |row: usize, c: usize| match (&sums, &t.limits, t.descending.get(0, c % o)) {
                    (Sums::Integer(s), Limits::Integer(l), false) => s[row * o + c % o] >= l[c],
                    (Sums::Integer(s), Limits::Integer(l), true) => s[row * o + c % o] <= l[c],
                    (Sums::Real(s), Limits::Real(l), false) => s[row * o + c % o] >= l[c],
                    (Sums::Real(s), Limits::Real(l), true) => s[row * o + c % o] <= l[c],
                    _ => panic!("limits of another kind than the sums"),
                };
                bits = Some(signs(rows, t.limits.len(), on));
            }
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
fn scores_of_a_model_large_enough_for_threads() {
    let engines = engines();
    for binarize in [0, 3] {
        let hidden = vec![(257, 3), (130, 1)];
        assert_naive(&engines, &Recipe { inputs: 301, binarize, hidden, classes: 10, seed: 7 }, 401);
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
    assert_eq!(model.scores(&engine, &[]).unwrap(), []);
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
fn input_that_standardization_takes_to_infinity() {
    let standardize = Standardize { mean: vec![0.0, -1e38], scale: vec![1.0, 10.0] };
    let model = sums_and_differences().with_standardize(standardize).unwrap();
    let refused = model.scores(&Engine::single(), &[1.0, 3e38]).unwrap_err();
    assert!(matches!(refused, Error::NotFinite { row: 0, feature: 1, value: 3e38 }), "{refused:?}");
}
