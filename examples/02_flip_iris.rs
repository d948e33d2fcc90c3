//! # 2. Flip backprop
//!
//! Training without real weights: the backward pass carries flips, not gradients. A flip says "this bit
//! should change". Each weight counts the flips that the samples of a batch ask for, and changes if a
//! majority asks.
//!
//! cargo run --release --example 02_flip_iris

use onebit::{Batch, Event, FlipOptions, Network, Phase, Split, Trainer, Training, data, flip::thresholds};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // 120 flowers to train on, 30 held out. The 120 also give the mean and deviation of each feature.
    let split = Split::random(&data::iris(), 0.2, 42)?;

    // Three layers: each of the 4 features becomes 3 bits, by 3 thresholds; then 64 binary units of 3 bits
    // each; then one score for each of the 3 species.
    let mut net = Network::flip(4, &[64], 3, &FlipOptions::new(&thresholds(3)?), 42)?;
    println!("{} weights of one bit, {} real parameters", net.parameters().bits, net.parameters().reals);

    // Two phases of 10 epochs: small batches that carry out all flips, then one batch of all flowers that
    // carries out half of them.
    let phases = vec![Phase::new(10, Batch::Size(32), 1.0), Phase::new(10, Batch::All, 0.5)];
    let print = |event: Event| {
        if let Event::Epoch(report) = event {
            println!(
                "epoch {:>2}: loss {:.3}, accuracy {:.1} %",
                report.epoch,
                report.loss,
                100.0 * report.train_accuracy
            );
        }
    };
    let outcome = Training::new(Trainer::flip(phases, 42), &mut net, &split).on_event(print).run()?;

    let accuracy = outcome.kept().test_accuracy.unwrap_or(0.0);
    println!("accuracy on held-out flowers: {:.1} %", 100.0 * accuracy);
    assert!(accuracy >= 0.85, "expected at least 85 %, got {accuracy}");
    Ok(())
}
