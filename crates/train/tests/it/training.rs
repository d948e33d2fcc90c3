//! The builder of a run, and what its listener can do.

use std::time::Duration;

use onebit_bits::Engine;
use onebit_train::{
    Batch, Error, Event, FlipOptions, Listener, Network, Phase, Split, Trainer, Training,
    checkpoint::Checkpoints, config, data, experiment, flip::thresholds,
};

fn parts() -> Split {
    Split::random(&data::iris(), 0.2, 42).unwrap()
}

fn net() -> Network {
    Network::flip(4, &[16], 3, &FlipOptions::new(&thresholds(3).unwrap()), 42).unwrap()
}

/// 3 epochs of 3 batches.
fn trainer() -> Trainer {
    Trainer::flip(vec![Phase::new(3, Batch::Size(32), 1.0)], 42)
}

/// Stops after some batches, asks for the reports of even steps, and counts them.
struct StopAfter {
    batches: u64,
    seen: u64,
    reports: Vec<u64>,
}

impl Listener for StopAfter {
    fn on_event(&mut self, event: Event) {
        match event {
            Event::Batch(_) => self.seen += 1,
            Event::Step(report) => self.reports.push(report.step),
            _ => {}
        }
    }

    fn wants_step(&mut self, step: u64, steps: u64) -> bool {
        assert_eq!(steps, 9);
        step.is_multiple_of(2)
    }

    fn should_stop(&mut self) -> bool {
        self.seen == self.batches
    }
}

#[test]
fn values_and_references_train_alike_on_any_engine() {
    let parts = parts();
    let by_value = Training::new(trainer(), net(), &parts).run().unwrap();
    let mut kept = net();
    let engine = Engine::new(2).unwrap();
    let by_reference = Training::new(&trainer(), &mut kept, &parts).engine(&engine).run().unwrap();
    assert!(by_value.epochs == by_reference.epochs && by_value.model == by_reference.model);
    assert_eq!(kept.export(&parts.train, &parts.standardize).unwrap(), by_value.model.unwrap());
}

#[test]
fn a_stopped_run_is_saved_and_resumes_to_the_same_model() {
    let parts = parts();
    let whole = Training::new(trainer(), net(), &parts).run().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run");

    let mut checkpoints = Checkpoints::new(&file).every(Duration::from_secs(3600));
    let mut listener = StopAfter { batches: 5, seen: 0, reports: Vec::new() };
    let training = Training::new(trainer(), net(), &parts).checkpoints(&mut checkpoints);
    let stopped = training.listener(&mut listener).run().err().unwrap();
    assert!(matches!(stopped, Error::Stopped { epoch: 2, batch: 2 }), "{stopped}");
    assert_eq!((listener.seen, listener.reports), (5, vec![2, 4]));

    let mut checkpoints = Checkpoints::resume(&file).unwrap();
    let mut batches = 0;
    let resumed = Training::new(trainer(), net(), &parts)
        .checkpoints(&mut checkpoints)
        .on_event(|event| batches += u64::from(matches!(event, Event::Batch(_))))
        .run()
        .unwrap();
    assert_eq!(batches, 4);
    assert!(resumed.epochs == whole.epochs && resumed.model == whole.model);
}

#[test]
fn the_last_listener_counts() {
    let parts = parts();
    let mut earlier = 0;
    let mut later = 0;
    Training::new(trainer(), net(), &parts)
        .on_event(|_| earlier += 1)
        .on_event(|event| later += u64::from(matches!(event, Event::Epoch(_))))
        .run()
        .unwrap();
    assert_eq!((earlier, later), (0, 3));
}

#[test]
fn an_experiment_is_the_training_of_its_parts() {
    let config = config::preset("iris").unwrap();
    let parts = experiment::load(&config, None).unwrap();
    let net = experiment::network(&config, &parts).unwrap();
    let trainer = experiment::trainer(&config).unwrap();
    let by_hand = Training::new(trainer, net, &parts).run().unwrap();
    let by_config = experiment::training(&config, &parts).unwrap().run().unwrap();
    assert!(by_hand.epochs == by_config.epochs && by_hand.model == by_config.model);
}
