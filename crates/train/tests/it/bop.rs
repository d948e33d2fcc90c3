//! Laws of the rules without latent weights.

use onebit_bits::{BitTensor, Engine, random_bits};
use onebit_train::{
    Error, Matrix, Schedule, Signal, Value, Votes,
    layer::{Context, Layer},
    layers::Dense,
    rules::{Bop, Bop2, Correction, Rule},
    schedule::Scheduled,
    state::{Item, State, Visitor},
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::common::{matrix, signs, training};

const SHAPE: (usize, usize) = (3, 130);

fn gradients(seed: u64, steps: usize) -> Vec<Matrix> {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let one = |_| matrix(SHAPE.0, SHAPE.1, (0..SHAPE.0 * SHAPE.1).map(|_| rng.random_range(-1.0f32..1.0)));
    (0..steps).map(one).collect()
}

/// Every step; returns the weights before the first and after each.
fn train(rule: &mut impl Rule, gradients: &[Matrix]) -> Vec<BitTensor> {
    let (cx, mut bits) = (training(), rule.start(SHAPE.0, SHAPE.1, 7).unwrap());
    let mut all = vec![bits.clone()];
    for gradient in gradients {
        let flips = rule.flips(&cx, bits.view(), &Signal::Grad(gradient.clone()), 0.5).unwrap();
        bits.flip(flips.view()).unwrap();
        all.push(bits.clone());
    }
    all
}

/// Written apart from the library: in f64, one weight after the other.
fn average(share: f64, values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |m, value| (1.0 - share) * m + share * value)
}

#[test]
fn the_averages_are_exponential_moving_averages() {
    let gradients = gradients(1, 60);
    // A share of 1e-9 would be lost in 1 - share. A step errs by 6e-8 of the average and of what is added.
    for share in [1e-9, 1e-4, 0.1, 1.0] {
        let (mut bop, mut bop2) =
            (Bop::with(0.5, share).unwrap(), Bop2::with(0.5, share, share, Correction::None).unwrap());
        train(&mut bop, &gradients);
        train(&mut bop2, &gradients);
        assert_eq!(bop.average(), bop2.averages()[0]);
        for (place, (m, v)) in bop.average().iter().zip(bop2.averages()[1]).enumerate() {
            let g = || gradients.iter().map(|gradient| f64::from(gradient.values()[place]));
            let expected = [average(share, g()), average(share, g().map(|g| g * g))];
            for (got, expected) in [m, v].into_iter().zip(expected) {
                assert!(
                    (f64::from(*got) - expected).abs() < 60.0 * 6e-8 * (expected.abs() + share),
                    "{share}: {got}, {expected}"
                );
            }
        }
    }
}

#[test]
fn weights_start_as_random_bits_of_the_seed() {
    for rule in [&mut Bop::new() as &mut dyn Rule, &mut Bop2::new()] {
        assert_eq!(rule.start(3, 130, 7).unwrap(), random_bits(7, 0, 3, 130));
    }
}

#[test]
fn at_a_threshold_of_0_every_weight_flees_its_average_and_at_a_huge_one_none_moves() {
    let gradients = gradients(2, 5);
    for weights in [
        train(&mut Bop::with(0.0, 0.3).unwrap(), &gradients),
        train(&mut Bop2::with(0.0, 0.3, 0.1, Correction::None).unwrap(), &gradients),
        train(&mut Bop2::with(0.0, 0.3, 0.1, Correction::Steps).unwrap(), &gradients),
    ] {
        for (step, weights) in weights[1..].iter().enumerate() {
            let g = |place: usize| gradients[..=step].iter().map(move |g| f64::from(g.values()[place]));
            let away = (0..SHAPE.0 * SHAPE.1).map(|place| -average(0.3, g(place)) as f32);
            let against = signs(&matrix(SHAPE.0, SHAPE.1, away));
            assert_eq!(weights, &against);
        }
    }
    for weights in [
        train(&mut Bop::with(1e30, 1.0).unwrap(), &gradients),
        train(&mut Bop2::with(1e30, 1.0, 1.0, Correction::Rates).unwrap(), &gradients),
    ] {
        assert!(weights.iter().all(|w| w == &weights[0]));
    }
}

/// The comparison is strict, and what is no number pushes nowhere.
#[test]
fn equality_flips_nothing() {
    let (cx, bits) = (training(), BitTensor::from_fn(1, 6, |_, c| c % 2 == 0)); // +1, -1, ...
    let above = 0.5f32.next_up();
    let gradient = matrix(1, 6, [0.5, -0.5, above, -above, f32::NAN, f32::NAN]);
    let mut bop = Bop::with(0.5, 1.0).unwrap();
    bop.start(1, 6, 0).unwrap();
    let flips = bop.flips(&cx, bits.view(), &Signal::Grad(gradient), 1.0).unwrap();
    assert_eq!(flips, BitTensor::from_fn(1, 6, |_, c| c == 2 || c == 3));
    // Nothing has been learned yet, so nothing flips at a threshold of 0.
    for rule in [
        &mut Bop::with(0.0, 1.0).unwrap() as &mut dyn Rule,
        &mut Bop2::with(0.0, 1.0, 1.0, Correction::Rates).unwrap(),
    ] {
        rule.start(1, 6, 0).unwrap();
        let flips = rule.flips(&cx, bits.view(), &Signal::Grad(Matrix::zeros(1, 6)), 1.0).unwrap();
        assert_eq!(flips.count_ones(), 0);
    }
}

/// A layer's fused update, on one thread and two, against the gradient as a matrix.
#[test]
fn the_fused_step_is_the_step() {
    let rules: [fn() -> Box<dyn Rule>; 2] = [
        || Box::new(Bop::with(1e-3, 0.1).unwrap()),
        || Box::new(Bop2::with(0.3, 0.1, 0.1, Correction::Steps).unwrap()),
    ];
    let (batch, inputs, outputs) = (9, 1100, 5); // more than a run, and a part of a word
    for (make, engine) in rules
        .into_iter()
        .flat_map(|make| [Engine::single(), Engine::new(2).unwrap()].map(|engine| (make, engine)))
    {
        let cx = Context::train(&engine);
        let mut layer = Dense::new(inputs, outputs, make(), 3).unwrap();
        let mut rule = make();
        let mut bits = rule.start(outputs, inputs, 3).unwrap();
        let (mut flipped, rng) = (0, &mut ChaCha8Rng::seed_from_u64(4));
        for step in 0..4 {
            layer.forward(&cx, Value::Bits(random_bits(5, step, batch, inputs))).unwrap();
            let dy = matrix(batch, outputs, (0..batch * outputs).map(|_| rng.random_range(-1.0f32..1.0)));
            layer.receive(&cx, Signal::Grad(dy)).unwrap();
            let gradient = layer.weight_gradient(&cx).unwrap();
            layer.update(&cx, 1.0).unwrap();
            let flips = rule.flips(&cx, bits.view(), &Signal::Grad(gradient), 1.0).unwrap();
            bits.flip(flips.view()).unwrap();
            flipped += flips.count_ones();
            assert_eq!(layer.weights(), &bits, "step {step}");
        }
        let share = flipped as f64 / (4 * inputs * outputs) as f64;
        assert!(share > 0.01);
        assert_eq!(layer.observe().update_ratio, Some(share));
    }
}

#[derive(Default)]
struct Names(Vec<String>);

impl Visitor for Names {
    fn visit(&mut self, name: &str, _: Item) -> onebit_train::Result<()> {
        self.0.push(name.into());
        Ok(())
    }
}

/// Copies every item from one walk to the next.
#[derive(Default)]
struct Copy(Vec<(Vec<f32>, u64)>, bool);

impl Visitor for Copy {
    fn visit(&mut self, _: &str, item: Item) -> onebit_train::Result<()> {
        match (item, self.1) {
            (Item::Reals(reals), false) => self.0.push((reals.to_vec(), 0)),
            (Item::Reals(reals), true) => reals.copy_from_slice(&self.0.remove(0).0),
            (Item::Count(count), false) => self.0.push((Vec::new(), *count)),
            (Item::Count(count), true) => *count = self.0.remove(0).1,
            (item, _) => panic!("{item:?}"),
        }
        Ok(())
    }
}

#[test]
fn a_restored_rule_goes_on_as_before() {
    let (cx, gradients) = (training(), gradients(3, 3));
    let make = || Bop2::with(0.4, 0.1, 0.02, Correction::Steps).unwrap();
    let (mut one, mut other) = (make(), make());
    let bits = train(&mut one, &gradients).pop().unwrap();
    other.start(SHAPE.0, SHAPE.1, 1).unwrap();
    let mut copy = Copy::default();
    one.state(&mut State::new(&mut copy)).unwrap();
    copy.1 = true;
    other.state(&mut State::new(&mut copy)).unwrap();
    let strong = gradients[0].values().iter().map(|g| 10.0 * g);
    let signal = Signal::Grad(matrix(SHAPE.0, SHAPE.1, strong));
    let flips = one.flips(&cx, bits.view(), &signal, 1.0).unwrap();
    assert!(flips.count_ones() > 0);
    assert_eq!(other.flips(&cx, bits.view(), &signal, 1.0).unwrap(), flips);
    assert_eq!(one.averages(), other.averages());

    let mut names = Names::default();
    Bop::new().state(&mut State::new(&mut names)).unwrap();
    one.state(&mut State::new(&mut names)).unwrap();
    assert_eq!(names.0, ["m", "m", "v", "ones_of_m", "ones_of_v"]);
}

#[test]
fn wrong_settings_are_named() {
    let step = |start, factor| Scheduled { start, schedule: Schedule::Step { factor, every: 1 } };
    let line = |final_rate| Scheduled { start: 0.1, schedule: Schedule::Linear { final_rate } };
    for (result, words) in [
        (Bop::with(-1.0, 0.1), "threshold: expected 0.0 to 3.4028234663852886e38, got -1"),
        (Bop::with(f64::NAN, 0.1), "threshold: expected 0.0 to 3.4028234663852886e38, got NaN"),
        (Bop::with(0.1, 0.0), "gamma: expected a number above 0 and up to 1, got 0"),
        (Bop::with(0.1, 1.5), "gamma: expected 0.0 to 1.0, got 1.5"),
        (Bop::with(0.1, line(2.0)), "gamma: expected 0.0 to 1.0, got 2"),
        (Bop::with(0.1, step(0.1, 2.0)), "gamma.factor: expected at most 1, got 2"),
        (Bop::with(0.1, step(0.1, 0.0)), "gamma.factor: expected a positive number, got 0"),
    ] {
        assert_eq!(result.err().map(|error| error.to_string()).as_deref(), Some(words));
    }
    let error = Bop2::with(0.1, 0.1, 2.0, Correction::None).err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("sigma: expected 0.0 to 1.0, got 2"));
}

#[test]
fn what_does_not_fit_is_refused() {
    let (cx, bits) = (training(), BitTensor::zeros(2, 3));
    for rule in [&mut Bop::new() as &mut dyn Rule, &mut Bop2::new()] {
        let gradient = |rows, cols| Signal::Grad(Matrix::zeros(rows, cols));
        // before `start`
        let result = rule.flips(&cx, bits.view(), &gradient(2, 3), 1.0);
        assert!(matches!(result, Err(Error::Shape { .. })), "{result:?}");
        rule.start(2, 3, 0).unwrap();
        assert!(rule.flips(&cx, bits.view(), &gradient(2, 3), 1.0).is_ok());
        let result = rule.flips(&cx, bits.view(), &gradient(3, 2), 1.0);
        assert!(matches!(result, Err(Error::Shape { .. })), "{result:?}");
        let votes = Signal::Votes(Votes { rows: 2, cols: 3, counts: vec![0; 6], voters: 1 });
        assert!(matches!(rule.flips(&cx, bits.view(), &votes, 1.0), Err(Error::Kind { .. })));
    }
}
