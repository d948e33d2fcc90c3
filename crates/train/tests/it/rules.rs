//! Laws of the relatives of the latent-weight rule: what they start from, refuse, save and restore.

use onebit_bits::{BitTensor, Engine, random_bits};
use onebit_train::{
    Matrix, Signal,
    layer::{Clock, Context},
    optimizers::Adam,
    rules::{Rbnn, Rule, Standardization, Standardized, Xnor, mean_angle},
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::common::{matrix, memory::Memory, signs, training};

const SHAPE: (usize, usize) = (6, 70);

/// All of them, by name.
fn rules() -> Vec<(&'static str, Box<dyn Rule>)> {
    let standardized = |how| Box::new(Standardized::new(how, Adam::new()));
    vec![
        ("xnor", Box::new(Xnor::new(Adam::new()))),
        ("centred", standardized(Standardization::Centred)),
        ("libra", standardized(Standardization::Libra)),
        ("recu", standardized(Standardization::ReCu)),
        ("rbnn", Box::new(Rbnn::new(Adam::new(), Adam::new()))),
    ]
}

fn gradients(seed: u64, steps: usize) -> Vec<Matrix> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (o, i) = SHAPE;
    (0..steps).map(|_| matrix(o, i, (0..o * i).map(|_| rng.random_range(-1.0..1.0)))).collect()
}

/// Two batches an epoch, of four epochs.
fn at(cx: &Context, step: usize) -> Context {
    let mut cx = cx.clone();
    cx.clock = Clock { epoch: step / 2, epochs: 4, batch: step % 2 };
    cx
}

/// The bits and real weights after some steps from `first` on.
fn run(
    rule: &mut dyn Rule,
    bits: &mut BitTensor,
    cx: &Context,
    first: usize,
    gradients: &[Matrix],
) -> Vec<f32> {
    for (step, gradient) in (first..).zip(gradients) {
        let flips = rule.flips(&at(cx, step), bits.view(), &Signal::Grad(gradient.clone()), 0.02).unwrap();
        bits.flip(flips.view()).unwrap();
    }
    rule.reals().unwrap().to_vec()
}

#[test]
fn bits_are_the_signs_of_the_real_weights() {
    for (name, mut rule) in rules() {
        let mut bits = rule.start(SHAPE.0, SHAPE.1, 3).unwrap();
        let before = bits.clone();
        for (step, gradient) in gradients(1, 6).iter().enumerate() {
            let reals = matrix(SHAPE.0, SHAPE.1, rule.reals().unwrap().to_vec());
            assert_eq!(bits, signs(&reals), "{name}, step {step}");
            run(&mut *rule, &mut bits, &training(), step, std::slice::from_ref(gradient));
        }
        assert_ne!(bits, before, "{name}: something must flip");
    }
}

#[test]
fn threads_do_not_matter() {
    for ((name, mut one), (_, mut two)) in rules().into_iter().zip(rules()) {
        let outcome = |rule: &mut dyn Rule, threads| {
            let mut bits = rule.start(SHAPE.0, SHAPE.1, 4).unwrap();
            let cx = Context::train(&Engine::new(threads).unwrap());
            let reals = run(rule, &mut bits, &cx, 0, &gradients(2, 5));
            (bits, reals, rule.scales().map(<[f32]>::to_vec))
        };
        assert_eq!(outcome(&mut *one, 1), outcome(&mut *two, 2), "{name}");
    }
}

#[test]
fn a_restored_rule_goes_on_as_the_saved_one() {
    for ((name, mut saved), (_, mut restored)) in rules().into_iter().zip(rules()) {
        let (gradients, cx) = (gradients(5, 6), training());
        let mut bits = saved.start(SHAPE.0, SHAPE.1, 6).unwrap();
        run(&mut *saved, &mut bits, &cx, 0, &gradients[..3]);
        let mut memory = Memory::default();
        memory.save(|state| saved.state(state));

        restored.start(SHAPE.0, SHAPE.1, 7).unwrap();
        memory.restore(|state| restored.state(state));
        assert_eq!(saved.scales(), restored.scales(), "{name}");
        let mut bits_of_restored = bits.clone();
        let expected = run(&mut *saved, &mut bits, &cx, 3, &gradients[3..]);
        let got = run(&mut *restored, &mut bits_of_restored, &cx, 3, &gradients[3..]);
        assert_eq!((bits, expected), (bits_of_restored, got), "{name}");
    }
}

#[test]
fn they_say_what_is_wrong() {
    for (name, mut rule) in rules() {
        let bits = rule.start(SHAPE.0, SHAPE.1, 0).unwrap();
        let mut fails = |signal| rule.flips(&training(), bits.view(), &signal, 0.1).unwrap_err().to_string();
        let error = fails(Signal::Flip(random_bits(0, 0, SHAPE.0, SHAPE.1)));
        assert_eq!(error, format!("{name} takes a gradient, got flips"));
        let error = fails(Signal::Grad(Matrix::zeros(6, 69)));
        assert_eq!(error, format!("{name}: expected a gradient of 6 x 70, got 6 x 69"));
    }
    let wrong = Xnor::new(Adam::new()).with_latent(vec![0.0; 5]).start(2, 3, 0).unwrap_err().to_string();
    assert_eq!(wrong, "xnor: expected 2 x 3 latent weights, got 5");
    let wrong = Xnor::new(Adam::new()).with_scale(0.0).err().unwrap().to_string();
    assert_eq!(wrong, "xnor scale: expected a positive number, got 0");
    let wrong = Rbnn::new(Adam::new(), Adam::new()).with_decay(-1.0).err().unwrap().to_string();
    assert_eq!(wrong, "rbnn decay: expected a number from 0 on, got -1");
    let wrong = Rbnn::new(Adam::new(), Adam::new()).start(2, 1, 0).unwrap_err().to_string();
    assert_eq!(wrong, "rbnn inputs: expected at least 2, got 1");
    let wrong =
        Rbnn::new(Adam::new(), Adam::new()).with_beta(vec![1.0]).start(2, 4, 0).unwrap_err().to_string();
    assert_eq!(wrong, "rbnn: expected 2 angles, got 1");
}

/// Normal by the sum of twelve uniform numbers.
fn normal(rng: &mut ChaCha8Rng) -> f32 {
    (0..12).map(|_| rng.random_range(-0.5..0.5)).sum()
}

#[test]
fn the_rotation_brings_weights_nearer_to_their_bits() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let latent: Vec<f32> = (0..16 * 144).map(|_| normal(&mut rng)).collect();
    let mut rule = Rbnn::new(Adam::new(), Adam::new()).with_latent(latent);
    let mut bits = rule.start(16, 144, 0).unwrap();
    // arccos(sqrt(2 / pi)) = 37.1 degrees for normal weights
    let [before, after] = rule.angles().unwrap();
    assert!((before - 37.1).abs() < 1.0 && after < before - 2.0, "{before} to {after}");
    assert!((mean_angle(&rule.reals().unwrap(), bits.view()) - after).abs() < 1e-9);

    // The weights wander off; at the next epoch the rotation follows them.
    let gradient = || matrix(16, 144, (0..16 * 144).map(|at| if at % 3 == 0 { 1.0 } else { -1.0 }));
    let mut step = |rule: &mut Rbnn, batch: usize| {
        let flips =
            rule.flips(&at(&training(), 2 + batch), bits.view(), &Signal::Grad(gradient()), 0.1).unwrap();
        bits.flip(flips.view()).unwrap();
        rule.rotation().0.to_vec()
    };
    let first = rule.rotation().0.to_vec();
    assert_eq!(step(&mut rule, 1), first, "it stays within an epoch");
    assert_ne!(step(&mut rule, 0), first, "it is fitted again");
}

#[test]
fn xnor_factors_are_mean_magnitudes() {
    let mut rule = Xnor::new(Adam::new()).with_latent(vec![0.5, -1.0, 0.25, 0.25, 0.0, -0.5]);
    rule.start(2, 3, 0).unwrap();
    assert_eq!(rule.scales(), Some(&[1.75 / 3.0, 0.25][..]));
}

#[test]
fn the_fan_out_of_a_convolution_counts_its_taps() {
    use onebit_bits::Geometry;
    use onebit_train::{
        Value,
        layer::Layer,
        layers::Conv,
        optimizers::Sgd,
        rules::{Latent, glorot_scale},
    };

    // authors' scales (arXiv:1602.02830): conv 3 -> 128 with 3 x 3 taps 28.04, 128 -> 128 39.19
    assert!((glorot_scale(27, 9 * 128) - 28.04).abs() < 0.01);
    let geometry = Geometry::new(3, 4, (3, 3));
    let rule = Latent::new(Sgd::new(0.0, 0.0).unwrap()).with_latent(vec![0.0; 4 * 27]);
    let mut conv = Conv::new(geometry, (3, 3), Box::new(rule), 0).unwrap();
    let cx = training();
    conv.forward(&cx, Value::Real(Matrix::new(9, 3, vec![1.0; 27]).unwrap())).unwrap();
    conv.receive(&cx, Signal::Grad(Matrix::new(1, 4, vec![1.0; 4]).unwrap())).unwrap();
    conv.update(&cx, 0.01).unwrap();
    let latent = conv.rule().downcast_ref::<Latent>().unwrap().latent();
    let expected = -0.01 * ((27.0f32 + 36.0) / 1.5).sqrt();
    assert!(latent.iter().all(|w| (w - expected).abs() < 1e-6), "{} {expected}", latent[0]);
}
