//! Stopped anywhere, a run goes on to the bit-identical result.

use std::{cell::RefCell, fs};

use onebit_bits::{Engine, Isa};
use onebit_train::{Error, Event, Training, checkpoint::Checkpoints};

use super::{
    nets::CASES,
    support::{Folder, parts},
};

#[test]
fn from_every_batch_and_every_epoch() {
    for case in &CASES {
        let (name, net, trainer) = case;
        let (folder, saved) = (Folder::new(), RefCell::new(Vec::new()));
        let whole = folder.begin(case, |event| {
            assert!(!matches!(event, Event::Warning(_)));
            // Whoever listens is told before the next save: this is the last one.
            saved.borrow_mut().extend(fs::read(folder.path()).ok());
        });
        let whole = whole.unwrap();
        let mut saved = saved.into_inner();
        saved.push(whole.file.clone());
        saved.dedup();
        let phases = trainer().phases;
        let batches: usize = phases
            .iter()
            .map(|p| {
                p.epochs
                    * parts(case).train.len().div_euclid(match p.batch {
                        onebit_train::Batch::Size(size) => size,
                        onebit_train::Batch::All => parts(case).train.len(),
                    })
            })
            .sum();
        assert_eq!(saved.len(), batches + 4, "{name}: after each batch and each of four epochs");
        for (at, saved) in saved.iter().enumerate() {
            let resumed = Folder::with(saved).resume(case, |_| {}).unwrap();
            resumed.assert_same(&whole, &format!("{name}, from save {at}"));
        }

        let mut untouched = net();
        let plain = Training::new(trainer(), &mut untouched, &parts(case)).run().unwrap();
        assert!(
            plain.epochs == whole.outcome.epochs && plain.model == whole.outcome.model,
            "{name}: saving changes it"
        );
    }
}

#[test]
fn networks_without_a_model_say_why() {
    for (case, kept) in [(&CASES[6], 4), (&CASES[8], 0)] {
        let outcome = Folder::new().begin(case, |_| {}).unwrap().outcome;
        assert!(outcome.model.is_none());
        assert!(matches!(outcome.not_exported, Some(Error::Export { .. })), "{:?}", outcome.not_exported);
        let best = |key: fn(&onebit_train::EpochReport) -> Option<f64>| {
            let best = outcome.epochs.iter().filter_map(key).fold(0.0, f64::max);
            1 + outcome.epochs.iter().position(|report| key(report) == Some(best)).unwrap()
        };
        assert_eq!(outcome.epoch, if kept == 0 { best(|report| report.validation_accuracy) } else { kept });
        assert!(outcome.epochs.iter().all(|report| report.test_accuracy.is_some()));
    }
}

#[test]
fn on_other_threads_and_instruction_sets() {
    let (case, folder) = (&CASES[1], Folder::new());
    let mut middle = Vec::new();
    let whole = folder.begin(case, |event| {
        if let Event::Batch(progress) = event
            && (progress.epoch, middle.len()) == (2, 0)
        {
            middle = fs::read(folder.path()).unwrap();
        }
    });
    let whole = whole.unwrap();
    for isa in Isa::available() {
        let folder = Folder::with(&middle);
        let engine = Engine::new(3).unwrap().with_isa(isa);
        let mut checkpoints = Checkpoints::resume(folder.path()).unwrap();
        let parts = parts(case);
        let training = Training::new(case.2(), case.1(), &parts).engine(&engine);
        let outcome = training.checkpoints(&mut checkpoints).run().unwrap();
        assert!(outcome.model == whole.outcome.model, "{}", isa.name());
        assert!(fs::read(folder.path()).unwrap() == whole.file, "{}", isa.name());
    }
}

#[test]
fn what_is_left_is_counted_and_what_was_met_is_not() {
    let (case, folder) = (&CASES[0], Folder::new());
    let (mut first, mut middle) = (Vec::new(), Vec::new());
    let whole = folder.begin(case, |event| {
        if let Event::Batch(progress) = event {
            first.push((progress.done, progress.loss.to_bits(), progress.accuracy.to_bits()));
            if first.len() == 6 {
                middle = fs::read(folder.path()).unwrap();
            }
        }
    });
    let mut second = Vec::new();
    let resumed = Folder::with(&middle).resume(case, |event| {
        if let Event::Batch(progress) = event {
            second.push((progress.done, progress.loss.to_bits(), progress.accuracy.to_bits()));
        }
    });
    assert_eq!(second, first[5..]);
    let [whole, resumed] = [whole, resumed].map(|left| left.unwrap().outcome.samples);
    assert_eq!(whole, 2 * 32 + 2 * 34);
    assert_eq!(resumed, whole - 32 - 8);
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let case = &CASES[0];
    let folder = Folder::new();
    folder.begin(case, |_| {}).unwrap();
    let refused = |case: &super::nets::Case| {
        let error = folder.resume(case, |_| {}).err().expect("an error");
        assert!(matches!(error, Error::Checkpoint(_)), "{error}");
        let path = format!("{}: ", folder.path().display());
        error.to_string().strip_prefix(&path).expect("the file").to_string()
    };
    let seed = || onebit_train::Trainer { seed: 8, ..(CASES[0].2)() };
    let phase = || {
        let mut trainer = (CASES[0].2)();
        trainer.phases[1].rate = 0.5;
        trainer
    };
    assert_eq!(refused(&("seed", case.1, seed)), "seed: the checkpoint has 7, this run has 8");
    let message = "phase.1.rate: the checkpoint has 0.01, this run has 0.5";
    assert_eq!(refused(&("phase", case.1, phase)), message);
    let message = refused(&("bytes", case.1, case.2));
    assert!(message.starts_with("data.test.crc32: the checkpoint has \""), "{message}");
    // The same run, but another network.
    let wide = || onebit_train::Network::straight_through(5, &[71, 9], 3, &Default::default(), 5).unwrap();
    let message = "tensor `0.bits`: expected U64 [71, 1], got U64 [70, 1]";
    assert_eq!(refused(&("wide", wide, case.2)), message);
    let message = refused(&("dropout", CASES[1].1, case.2));
    assert_eq!(message, "tensor `1.step`: expected U64 [], got none of this name");
    let short = || {
        let rule = Box::new(onebit_train::rules::Latent::new(onebit_train::optimizers::Adam::new()));
        onebit_train::Network::new(5).with(onebit_train::layers::Dense::new(5, 70, rule, 5).unwrap())
    };
    let message = refused(&("short", short, case.2));
    assert_eq!(message, "tensor `1.beta.m`: expected none of this name, got F32 [70]");
}
