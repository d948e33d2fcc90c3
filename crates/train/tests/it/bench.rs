//! Measuring steps changes nothing, and the parts of a step are no more than the whole.

use onebit_bits::Engine;
use onebit_train::{
    Error, Signal, Value,
    bench::{StepTimes, measure, median},
    config,
    layer::Context,
    losses::{Loss, SquaredHinge},
    step::{Order, Unwatched, Watch},
};

#[test]
fn parts_are_within_the_whole() {
    for preset in ["digits", "iris"] {
        let times = measure(&config::preset(preset).unwrap(), &Engine::single(), 2, 5).unwrap();
        assert_eq!(times.len(), 5);
        for step in &times {
            let parts: std::time::Duration = step.parts().into_iter().map(|(_, part)| part).sum();
            assert!(!parts.is_zero() && parts <= step.whole, "{preset}: {step:?}");
            assert!(!step.forward.is_zero() && !step.update.is_zero(), "{preset}: {step:?}");
            assert!(step.samples_per_second() > 0.0);
        }
        let median = median(&times).unwrap();
        assert_eq!(times.iter().filter(|step| step.whole < median.whole).count(), 2);
    }
    assert_eq!(median(&[]), None);
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let engine = Engine::single();
    let mut config = config::preset("iris").unwrap();
    config.data.source = "table".into();
    let error = measure(&config, &engine, 0, 1).unwrap_err().to_string();
    assert_eq!(
        error,
        "data.source: expected iris, digits, mnist, fashion-mnist, cifar10 or svhn, whose shape is known, got table"
    );
    config.phases.clear();
    assert!(matches!(measure(&config, &engine, 0, 1), Err(Error::Setting { .. })));
}

#[test]
fn watching_changes_nothing() {
    fn losses(mut watch: impl Watch) -> Vec<f64> {
        let cx = Context::train(&Engine::single());
        let mut net = onebit_train::Network::straight_through(5, &[40], 3, &Default::default(), 1).unwrap();
        let values = (0..8 * 5).map(|at| (at as f32).sin()).collect();
        let x = Value::Real(onebit_train::Matrix::new(8, 5, values).unwrap());
        let step = |_| {
            let judge = |scores: Value| {
                let labels = [0, 1, 2, 0, 1, 2, 0, 1];
                let (loss, grad) = SquaredHinge::default().evaluate(scores.into_real("test")?, &labels)?;
                Ok((loss, Signal::Grad(grad)))
            };
            net.step_watched(&cx, x.clone(), Order::Parallel, 3e-3, judge, &mut watch).unwrap()
        };
        (0..5).map(step).collect()
    }
    assert_eq!(losses(StepTimes::default()), losses(Unwatched));
}
