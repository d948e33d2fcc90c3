//! Learning from a teacher. The formula is tested in `golden_optim.rs`.

use onebit_bits::Engine;
use onebit_train::{
    Batch, ByteScale, Bytes, Error, Matrix, Network, Phase, Split, Trainer, Training, Value, data,
    layer::Context,
    losses::{Distillation, SoftmaxCrossEntropy},
    teacher::{Deployed, Distiller, Teacher},
};

use crate::common::training;

fn parts() -> Split {
    Split::random(&data::digits(), 0.2, 0).unwrap()
}

fn student() -> Network {
    Network::straight_through(64, &[64], 10, &Default::default(), 1).unwrap()
}

/// Two epochs; returns the trainer's reported losses and the trained network's scores of the test part.
fn train(parts: &Split, distiller: Option<Distiller>) -> (Vec<f64>, Vec<f32>) {
    let mut trainer = Trainer::straight_through(vec![Phase::new(2, Batch::Size(50), 3e-2)], 0);
    (trainer.loss, trainer.distiller) = (Box::new(SoftmaxCrossEntropy), distiller);
    let engine = Engine::single();
    let outcome = Training::new(&trainer, student(), parts).run().unwrap();
    let test = parts.test.as_ref().unwrap();
    let rows: Vec<usize> = (0..test.len()).collect();
    let scores = outcome.model.as_ref().unwrap().scores(&engine, &test.gather(&rows)).unwrap();
    (outcome.epochs.iter().map(|epoch| epoch.loss).collect(), scores)
}

/// Always sure of one class.
struct Stubborn(usize);

impl Teacher for Stubborn {
    fn scores(&mut self, _: &Context, x: &Value) -> onebit_train::Result<Matrix> {
        let scores = (0..x.rows() * 10).map(|place| if place % 10 == self.0 { 5.0 } else { 0.0 });
        Matrix::new(x.rows(), 10, scores.collect())
    }
}

#[test]
fn a_student_learns_what_the_teacher_says() {
    let parts = parts();
    let teacher = |alpha| Some(Distiller::new(Stubborn(3), Distillation::with(1.0, alpha).unwrap()));
    let alone = train(&parts, None);
    assert_eq!(train(&parts, teacher(0.0)), alone, "a share of 0 is no teacher");
    let (losses, scores) = train(&parts, teacher(1.0));
    assert!(losses[1] < losses[0], "{losses:?}");
    let threes = |scores: &[f32]| {
        let threes = scores.chunks(10).filter(|scores| onebit_model::best(scores) == 3).count();
        threes as f64 / (scores.len() / 10) as f64
    };
    assert!(threes(&scores) > 0.9, "{}", threes(&scores));
    assert!(threes(&alone.1) < 0.2, "{}", threes(&alone.1));
}

#[test]
fn a_teacher_of_another_number_of_classes_is_refused() {
    let scores = Matrix::zeros(2, 3);
    let error = Distillation::new()
        .evaluate(&SoftmaxCrossEntropy, scores.clone(), &[0, 1], &Matrix::zeros(2, 4))
        .unwrap_err();
    assert_eq!(error.to_string(), "distillation: expected teacher's scores of 2 x 3, got 2 x 4");
    let error =
        Distillation::new().evaluate(&SoftmaxCrossEntropy, scores.clone(), &[0, 3], &scores).unwrap_err();
    assert_eq!(error.to_string(), "label: expected less than 3 classes, got 3");
}

#[test]
fn settings_outside_their_range_are_refused() {
    for (temperature, alpha) in
        [(0.0, 0.5), (-1.0, 0.5), (f32::INFINITY, 0.5), (1.0, -0.1), (1.0, 1.1), (1.0, f32::NAN)]
    {
        let result = Distillation::with(temperature, alpha);
        assert!(matches!(result, Err(Error::Setting { .. })), "{temperature}, {alpha}");
    }
}

/// A deployed network sees the features that the student's input was made of, and says what the network
/// itself says.
#[test]
fn deployed_teachers_undo_the_students_standardization() {
    let (parts, engine) = (parts(), Engine::single());
    let trainer = Trainer::straight_through(vec![Phase::new(1, Batch::Size(50), 3e-3)], 0);
    let outcome = Training::new(&trainer, student(), &parts).run().unwrap();
    let raw = parts.train.gather(&[0, 1, 2]);
    let expected = outcome.model.as_ref().unwrap().scores(&engine, &raw).unwrap();
    let mut x = raw.clone();
    parts.standardize.apply(&mut x);
    let mut teacher = Deployed::new(outcome.model.unwrap(), parts.standardize.clone());
    let got = teacher.scores(&training(), &Value::Real(Matrix::new(3, 64, x).unwrap())).unwrap();
    assert_eq!(got.shape(), (3, 10));
    // Of real features the standardization is undone to some rounding.
    for (got, expected) in got.values().iter().zip(&expected) {
        assert!((got - expected).abs() < 1e-3, "{got}, {expected}");
    }
    let bytes = raw.iter().map(|&feature| feature as u8).collect();
    let bytes = Value::Bytes(Bytes::new(3, 64, bytes, ByteScale::new(0.0, 1.0)).unwrap());
    assert_eq!(teacher.scores(&training(), &bytes).unwrap().values(), expected);
}

#[test]
fn a_network_teaches_as_it_is_in_evaluation() {
    let wave = (0..128).map(|i| (i % 7) as f32 - 3.0).collect();
    let (cx, mut net, x) = (training(), student(), Value::Real(Matrix::new(2, 64, wave).unwrap()));
    net.forward(&cx, x.clone()).unwrap(); // batch norm wants statistics
    let expected = net.forward(&cx.evaluating(), x.clone()).unwrap().into_real("test").unwrap();
    assert_eq!(net.scores(&cx, &x).unwrap(), expected);
}
