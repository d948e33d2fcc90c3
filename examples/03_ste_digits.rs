//! 3: straight-through training. A real latent weight behind each bit, batch norm, squared hinge, Adam.
//!
//! cargo run --release --example 03_ste_digits

use onebit::{Batch, Engine, Network, Parts, Phase, Schedule, Trainer, data};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let parts = Parts::split(&data::digits(), 0.2, 0)?;
    let mut net = Network::straight_through(64, &[256], 10, Default::default(), 0)?;

    // Adam's rate decays from 3e-3 to 3e-5.
    let phase = Phase {
        schedule: Schedule::Exponential { final_rate: 3e-5 },
        ..Phase::new(40, Batch::Size(50), 3e-3)
    };
    let trainer = Trainer::straight_through(vec![phase], 0);
    let outcome = trainer.fit(&mut net, &parts, &Engine::single(), |_| {})?;

    for (name, observed) in &outcome.kept().layers {
        if let Some(ratio) = observed.update_ratio {
            println!("{name}: {:.3} % of the weights flip in a step of the last epoch", 100.0 * ratio);
        }
    }
    let accuracy = outcome.kept().test_accuracy.unwrap_or(0.0);
    println!("on held-out digits: {:.1} %", 100.0 * accuracy);
    assert!(accuracy >= 0.94, "expected at least 94 %, got {accuracy}");
    Ok(())
}
