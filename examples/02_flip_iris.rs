//! 2: flip backprop. No weight has a real number behind it, and what travels back is flips.
//!
//! cargo run --release --example 02_flip_iris

use onebit::{Batch, Engine, Event, Network, Parts, Phase, Trainer, data, flip::thresholds};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // 120 flowers to learn from, 30 held out; features standardized by the 120.
    let parts = Parts::split(&data::iris(), 0.2, 42)?;

    // Binarize: each of 4 features becomes 3 bits. BMAB: bits to 64 units of 3 bits. BMA: to 3 scores.
    let mut net = Network::flip(4, &[64], 3, &thresholds(3)?, 42)?;
    println!("{} weights of one bit, {} real parameters", net.parameters().bits, net.parameters().reals);

    // First quickly, all requested flips; then with the whole set as one batch, half of them.
    let phases = vec![Phase::new(10, Batch::Size(32), 1.0), Phase::new(10, Batch::All, 0.5)];
    let outcome = Trainer::flip(phases, 42).fit(&mut net, &parts, &Engine::single(), |event| {
        if let Event::Epoch(report) = event {
            println!(
                "epoch {:>2}: loss {:.3}, right {:.1} %",
                report.epoch,
                report.loss,
                100.0 * report.train_accuracy
            );
        }
    })?;

    let accuracy = outcome.kept().test_accuracy.unwrap_or(0.0);
    println!("on held-out flowers: {:.1} %", 100.0 * accuracy);
    assert!(accuracy >= 0.85, "expected at least 85 %, got {accuracy}");
    Ok(())
}
