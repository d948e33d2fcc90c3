//! 4: your own arrays: describe, train, save, load, predict.
//!
//! cargo run --release --example 04_your_data

use onebit::{
    Batch, Engine, Model, Network, Parts, Phase, Schedule, Trainer,
    data::{Dataset, Samples},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Waves, as a sensor would give them: 32 readings from a random phase on, with noise.
    let mut noise = (1u32..).map(|n| (n.wrapping_mul(2_654_435_769) >> 8) as f32 / (1 << 24) as f32);
    let mut random = || noise.next().unwrap_or_default();
    let (mut readings, mut labels) = (Vec::new(), Vec::new());
    for wave in 0..3000 {
        let (kind, phase) = (wave % 3, random());
        for t in 0..32 {
            let at = (phase + t as f32 / 16.0).fract();
            let value = match kind {
                0 => (at * std::f32::consts::TAU).sin(),
                1 => {
                    if at < 0.5 {
                        1.0
                    } else {
                        -1.0
                    }
                }
                _ => 2.0 * at - 1.0,
            };
            readings.push(value + 0.3 * (random() - 0.5));
        }
        labels.push(kind);
    }
    let samples = Samples::Real { cols: 32, values: readings.clone() };
    let kinds = ["sine", "square", "sawtooth"].map(String::from).to_vec();
    let times = (0..32).map(|t| format!("t{t}")).collect();
    let data = Dataset::new(samples, labels, kinds, times)?;

    let parts = Parts::split(&data, 0.2, 0)?;
    let mut net = Network::straight_through(32, &[256, 64], 3, Default::default(), 0)?;
    let phase = Phase {
        schedule: Schedule::Exponential { final_rate: 1e-4 },
        ..Phase::new(30, Batch::Size(50), 1e-2)
    };
    let engine = Engine::new(2)?;
    let outcome = Trainer::straight_through(vec![phase], 0).fit(&mut net, &parts, &engine, |_| {})?;
    let accuracy = outcome.kept().test_accuracy.unwrap_or(0.0);
    println!("accuracy on held-out waves: {:.1} %", 100.0 * accuracy);
    assert!(accuracy >= 0.9, "expected at least 90 %, got {accuracy}");

    let file = std::env::temp_dir().join("waves.onebit");
    let trained = outcome.into_model()?;
    trained.save(&file)?;
    let model = Model::load(&file)?;
    std::fs::remove_file(&file)?;
    for wave in readings.chunks_exact(32).take(3) {
        let class = model.classify(&engine, wave)?[0];
        println!("{:?} .. is a {} wave", &wave[..3], model.labels()[class]);
    }
    assert_eq!(model.scores(&engine, &readings)?, trained.scores(&engine, &readings)?);
    Ok(())
}
