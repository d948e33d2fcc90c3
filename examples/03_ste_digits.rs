//! # 3. Straight-through training
//!
//! The usual method: each bit is the sign of a real latent weight, which the optimizer trains. The gradient
//! passes straight through the sign, as if that were the identity on [-1, 1].
//!
//! cargo run --release --example 03_ste_digits

use onebit::{Batch, Network, Phase, Schedule, Split, StraightThroughOptions, Trainer, Training, data};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // 1797 handwritten digits of 8 x 8 pixels; a fifth is held out.
    let split = Split::random(&data::digits(), 0.2, 0)?;

    // 64 pixels, 256 hidden units, 10 scores. The defaults are batch norm, squared hinge loss and Adam.
    let mut net = Network::straight_through(64, &[256], 10, &StraightThroughOptions::default(), 0)?;

    // 40 epochs in batches of 50. Adam's learning rate decays exponentially from 3e-3 to 3e-5.
    let phase = Phase {
        schedule: Schedule::Exponential { final_rate: 3e-5 },
        ..Phase::new(40, Batch::Size(50), 3e-3)
    };
    let trainer = Trainer::straight_through(vec![phase], 0);
    let outcome = Training::new(trainer, &mut net, &split).run()?;

    // A latent weight changes in every step, its sign rarely.
    for (name, observed) in &outcome.kept().layers {
        if let Some(ratio) = observed.update_ratio {
            println!("{name}: {:.3} % of the weights flip in a step of the last epoch", 100.0 * ratio);
        }
    }
    let accuracy = outcome.kept().test_accuracy.unwrap_or(0.0);
    println!("accuracy on held-out digits: {:.1} %", 100.0 * accuracy);
    assert!(accuracy >= 0.94, "expected at least 94 %, got {accuracy}");
    Ok(())
}
