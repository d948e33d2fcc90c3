//! # 4. Your own data
//!
//! From arrays to a trained network, a file, and predictions. The task is to tell sine, square and sawtooth
//! waves apart from 32 noisy readings.
//!
//! cargo run --release --example 04_your_data

use onebit::{
    Batch, Engine, Model, Network, Phase, Schedule, Split, StraightThroughOptions, Trainer, Training,
    data::{Dataset, Samples},
};

const READINGS: usize = 32;
const KINDS: [&str; 3] = ["sine", "square", "sawtooth"];

/// `count` waves, `(count, 32)` readings, and the kind of each.
fn waves(count: u32) -> (Vec<f32>, Vec<u32>) {
    let mut noise = (1u32..).map(|n| (n.wrapping_mul(2_654_435_769) >> 8) as f32 / (1 << 24) as f32);
    let mut random = || noise.next().unwrap_or_default(); // from 0 to 1
    let (mut readings, mut labels) = (Vec::new(), Vec::new());
    for wave in 0..count {
        let (kind, phase) = (wave % 3, random());
        for t in 0..READINGS {
            let at = (phase + t as f32 / 16.0).fract(); // position within a period, from 0 to 1
            let value = match kind {
                0 => (at * std::f32::consts::TAU).sin(),
                1 => 2.0 * f32::from(at < 0.5) - 1.0,
                _ => 2.0 * at - 1.0,
            };
            readings.push(value + 0.3 * (random() - 0.5));
        }
        labels.push(kind);
    }
    (readings, labels)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A data set is a matrix with one row for each sample, the class of each row, and names.
    let (readings, labels) = waves(3000);
    let samples = Samples::Real { cols: READINGS, values: readings.clone() };
    let times = (0..READINGS).map(|t| format!("t{t}")).collect();
    let data = Dataset::new(samples, labels, KINDS.map(String::from).to_vec(), times)?;

    // Train on four fifths of the waves, as in example 3, but with two threads.
    let split = Split::random(&data, 0.2, 0)?;
    let options = StraightThroughOptions::default();
    let mut net = Network::straight_through(READINGS, &[256, 64], KINDS.len(), &options, 0)?;
    let phase = Phase {
        schedule: Schedule::Exponential { final_rate: 1e-4 },
        ..Phase::new(30, Batch::Size(50), 1e-2)
    };
    let engine = Engine::new(2)?;
    let trainer = Trainer::straight_through(vec![phase], 0);
    let outcome = Training::new(trainer, &mut net, &split).engine(&engine).run()?;
    let accuracy = outcome.kept().test_accuracy.unwrap_or(0.0);
    println!("accuracy on held-out waves: {:.1} %", 100.0 * accuracy);
    assert!(accuracy >= 0.9, "expected at least 90 %, got {accuracy}");

    // A model is the trained network for deployment: bits, integer thresholds and names.
    let trained = outcome.into_model()?;
    let file = std::env::temp_dir().join("waves.onebit");
    trained.save(&file)?;

    // Any program can load the file and predict from raw readings; `onebit-model` suffices.
    let model = Model::load(&file)?;
    std::fs::remove_file(&file)?;
    for wave in readings.chunks_exact(READINGS).take(3) {
        let class = model.classify(&engine, wave)?[0];
        println!("{:?} .. is a {} wave", &wave[..3], model.labels()[class]);
    }
    assert_eq!(model.scores(&engine, &readings)?, trained.scores(&engine, &readings)?);
    Ok(())
}
