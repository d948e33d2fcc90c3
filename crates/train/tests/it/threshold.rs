//! The integer threshold against its formula in f64, and its laws.

use onebit_bits::{Engine, Isa};
use onebit_train::{
    Matrix, Signal, Value,
    layer::{Context, Layer},
    layers::Threshold,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::common::{matrix, memory::Memory, signs, training};

/// Sums of 50 bits, whose means differ from unit to unit, and a gradient.
fn batch(seed: u64, rows: usize, units: usize) -> (Matrix, Matrix) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let z = (0..rows * units).map(|at| (2 * rng.random_range(-25i32..=25) + (at % units) as i32) as f32);
    let z = matrix(rows, units, z.collect::<Vec<_>>());
    (z, matrix(rows, units, (0..rows * units).map(|_| rng.random_range(-1.0f32..1.0)).collect::<Vec<_>>()))
}

fn step(layer: &mut Threshold, cx: &Context, (z, dy): (Matrix, Matrix), rate: f64) -> [Matrix; 2] {
    let y = layer.forward(cx, Value::Real(z)).unwrap().into_real("test").unwrap();
    layer.receive(cx, Signal::Grad(dy)).unwrap();
    let dz = layer.send(cx).unwrap().into_grad("test").unwrap();
    layer.update(cx, rate).unwrap();
    [y, dz]
}

fn column(x: &Matrix, unit: usize) -> Vec<f64> {
    x.iter_rows().map(|row| f64::from(row[unit])).collect()
}

fn mean(x: impl Iterator<Item = f64>, rows: usize) -> f64 {
    x.sum::<f64>() / rows as f64
}

fn near(got: f64, expected: f64, what: &str) {
    assert!((got - expected).abs() <= 1e-5 * expected.abs().max(1.0), "{what}: {got} for {expected}");
}

#[test]
fn forward_and_backward_are_the_formula() {
    for gains in [false, true] {
        for (rows, units) in [(1, 1), (2, 3), (130, 17), (300, 520)] {
            let new = Threshold::new(units, 1);
            let mut layer = if gains { new.with_gains() } else { new };
            let (z, dy) = batch(3, rows, units);
            // at first theta is 0 and gains are 1
            let [y, dz] = step(&mut layer, &training(), (z.clone(), dy.clone()), 0.0);
            let share = signs(&y).count_ones() as f64 / (rows * units) as f64;
            assert!(rows < 100 || (share - 0.5).abs() < 0.05, "a half of the bits are on: {share}");
            for unit in 0..units {
                let (z, dy) = (column(&z, unit), column(&dy, unit));
                let m = (mean(z.iter().copied(), rows) * 256.0).round() / 256.0;
                let scale = (mean(z.iter().map(|z| (z - m).abs()), rows) * 256.0).round() / 256.0;
                let scale = scale.max(1.0);
                let expected: Vec<f64> = z.iter().map(|z| (z - m) / scale).collect();
                let common = mean(dy.iter().copied(), rows);
                let square: f64 = expected.iter().map(|y| y * y).sum();
                let along: f64 = dy.iter().zip(&expected).map(|(dy, y)| dy * y).sum();
                let along = if gains && square > 0.0 { along / square } else { 0.0 };
                for (row, (y_expected, dy)) in expected.iter().zip(&dy).enumerate() {
                    let at = row * units + unit;
                    near(f64::from(y.values()[at]), *y_expected, "y");
                    let expected = (dy - common - y_expected * along) / scale;
                    near(f64::from(dz.values()[at]), expected, "dz");
                }
            }
        }
    }
}

/// All samples ask a unit for less: its threshold rises by the rate, in units of its scale, and its bits fall
/// silent.
#[test]
fn thresholds_follow_the_votes() {
    let (z, mut dy) = batch(5, 100, 8);
    dy.values_mut().iter_mut().zip(0..).for_each(|(dy, at)| *dy = if at % 8 < 4 { 1.0 } else { -1.0 });
    let mut layer = Threshold::new(8, 1);
    for _ in 0..50 {
        step(&mut layer, &training(), (z.clone(), dy.clone()), 0.01);
    }
    let y = layer.forward(&Context::evaluate(&Engine::single()), Value::Real(z)).unwrap();
    for unit in 0..8 {
        let offset = mean(column(&y.clone().into_real("test").unwrap(), unit).into_iter(), 100);
        let expected = if unit < 4 { -0.5 } else { 0.5 };
        assert!((offset - expected).abs() < 0.02, "unit {unit}: {offset}, not {expected}");
    }
}

/// Scores that point the right way grow, those that point the wrong way shrink.
#[test]
fn gains_follow_the_votes() {
    let (z, _) = batch(6, 100, 2);
    let mut layer = Threshold::new(2, 1).with_gains();
    for _ in 0..50 {
        let y = layer.forward(&training(), Value::Real(z.clone())).unwrap().into_real("test").unwrap();
        let dy = matrix(
            100,
            2,
            y.values().iter().zip(0..).map(|(y, at)| if at % 2 == 0 { -y } else { *y }).collect::<Vec<_>>(),
        );
        layer.receive(&training(), Signal::Grad(dy)).unwrap();
        layer.update(&training(), 0.004).unwrap();
    }
    let spread = |layer: &mut Threshold, unit| {
        let y = layer.forward(&Context::evaluate(&Engine::single()), Value::Real(z.clone())).unwrap();
        mean(column(&y.into_real("test").unwrap(), unit).into_iter().map(f64::abs), 100)
    };
    let (grown, shrunk) = (spread(&mut layer, 0), spread(&mut layer, 1));
    assert!(grown > 1.05 && shrunk < 0.95, "{grown} and {shrunk}");
}

#[test]
fn threads_and_instruction_sets_do_not_matter() {
    let outcome = |engine: &Engine| {
        let (cx, mut layer) = (Context::train(engine), Threshold::new(520, 1).with_gains());
        let last = (0..4).map(|seed| step(&mut layer, &cx, batch(seed, 300, 520), 0.05)).last();
        (layer.thresholds(), last)
    };
    let expected = outcome(&Engine::single().with_isa(Isa::PORTABLE));
    for isa in Isa::available() {
        for threads in [1, 2] {
            assert_eq!(outcome(&Engine::new(threads).unwrap().with_isa(isa)), expected, "{}", isa.name());
        }
    }
}

#[test]
fn a_restored_layer_goes_on_as_the_saved_one() {
    let new = || Threshold::new(7, 1).with_gains();
    let (cx, mut saved, mut restored) = (training(), new(), new());
    (0..3).for_each(|seed| drop(step(&mut saved, &cx, batch(seed, 20, 7), 0.05)));
    let mut memory = Memory::default();
    memory.save(|state| saved.state(state));
    memory.restore(|state| restored.state(state));
    for seed in 3..6 {
        let outcome = step(&mut saved, &cx, batch(seed, 20, 7), 0.05);
        assert_eq!(outcome, step(&mut restored, &cx, batch(seed, 20, 7), 0.05));
    }
    assert_eq!(saved.thresholds(), restored.thresholds());
}

#[test]
fn it_says_what_is_wrong() {
    let evaluate = Context::evaluate(&Engine::single());
    let mut layer = Threshold::new(3, 1);
    let error = |result: onebit_train::Result<Value>| result.unwrap_err().to_string();
    assert_eq!(
        error(layer.forward(&evaluate, Value::Real(Matrix::zeros(2, 3)))),
        "threshold: evaluate needs a training step before it"
    );
    assert_eq!(
        error(layer.forward(&training(), Value::Real(Matrix::zeros(2, 4)))),
        "threshold: expected 3 columns, got 4"
    );
    assert_eq!(
        error(layer.forward(&training(), Value::Real(Matrix::zeros(0, 3)))),
        "threshold: expected at least one row and one column to learn from, got 0 x 3"
    );
    assert!(layer.update(&training(), 0.1).is_err() && layer.send(&training()).is_err());
    let receive = |layer: &mut Threshold, rows, units| {
        layer.receive(&training(), Signal::Grad(Matrix::zeros(rows, units))).unwrap_err().to_string()
    };
    assert_eq!(receive(&mut layer, 2, 3), "threshold: receive needs a forward pass before it");
    layer.forward(&training(), Value::Real(Matrix::zeros(2, 3))).unwrap();
    assert_eq!(receive(&mut layer, 2, 4), "threshold: expected a gradient of 2 x 3, got 2 x 4");
    assert_eq!(receive(&mut layer, 1, 3), "threshold: expected a gradient of 2 x 3, got 1 x 3");
}
