//! # 5. Your own layer and rule
//!
//! A layer computes; a rule decides which of its weights flip. Both need the public API alone. The layer
//! here, `BitNoise`, flips some of its input bits during training, so that no unit relies on a single bit.
//! The rule, `Patience`, gives flip backprop a short memory: a weight flips if a majority of the batch asks
//! for it in two consecutive steps.
//!
//! cargo run --release --example 05_your_layer_and_rule

use onebit::{
    Batch, BitTensor, Network, Phase, Result, Signal, Split, Trainer, Training, Value,
    bits::{BitView, Probability, mask},
    data,
    export::Exporter,
    flip::thresholds,
    layer::{Context, Layer},
    layers::{Binarize, Bma, Bmab},
    rules::{Rule, Vote},
    state::State,
};

/// Flips each input bit with probability `share` during training; does nothing otherwise.
struct BitNoise {
    share: Probability,
    /// Number of training steps so far: each draws new noise.
    step: u64,
    /// The signal about the output, from `receive` to `send`.
    signal: Option<Signal>,
}

impl Layer for BitNoise {
    fn name(&self) -> &'static str {
        "bit_noise"
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let mut x = x.into_bits("bit_noise")?;
        if cx.training() {
            self.step += 1;
            let noise = mask(7, self.step, x.rows(), x.cols(), self.share);
            x.flip(noise.view())?;
        }
        Ok(Value::Bits(x))
    }

    fn receive(&mut self, _cx: &Context, signal: Signal) -> Result<()> {
        self.signal = Some(signal);
        Ok(())
    }

    // A bit with noise passes its request on to the bit without.
    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        self.signal.take().ok_or(onebit::Error::Sequence {
            layer: "bit_noise",
            verb: "send",
            needs: "signal",
        })
    }

    // A deployed network has no noise, so the layer adds nothing to it.
    fn export(&self, _to: &mut Exporter) -> Result<()> {
        Ok(())
    }

    // A checkpoint keeps what the next step depends on.
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.count("step", &mut self.step)
    }
}

/// Flips the weights that the majority asks to flip in this step and asked to flip in the last one.
struct Patience {
    majority: Vote,
    asked_before: BitTensor,
}

impl Rule for Patience {
    fn start(&mut self, rows: usize, cols: usize, seed: u64) -> Result<BitTensor> {
        self.asked_before = BitTensor::zeros(rows, cols);
        self.majority.start(rows, cols, seed)
    }

    fn flips(&mut self, cx: &Context, weights: BitView, signal: &Signal, rate: f64) -> Result<BitTensor> {
        let asked = self.majority.flips(cx, weights, signal, rate)?;
        let before = std::mem::replace(&mut self.asked_before, asked.clone());
        Ok(asked.and(before.view())?)
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        state.bits("asked_before", &mut self.asked_before)?;
        state.within("majority", |state| self.majority.state(state))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let split = Split::random(&data::iris(), 0.2, 42)?;

    // The layers of example 2 one by one, with 7 bits for each feature and unit, the noise, and the rule.
    let depth = thresholds(7)?;
    let patience = || Box::new(Patience { majority: Vote::new(), asked_before: BitTensor::zeros(0, 0) });
    let mut net = Network::new(4)
        .with(Binarize::new(4, depth.clone())?)
        .with(BitNoise { share: Probability::new(0.01)?, step: 0, signal: None })
        .with(Bmab::new(4, 128, 7, &depth, patience(), 1)?)
        .with(Bma::new(128, 3, 7, patience(), 2)?);

    let phases = vec![Phase::new(40, Batch::Size(32), 0.5), Phase::new(20, Batch::All, 0.25)];
    let outcome = Training::new(Trainer::flip(phases, 42), &mut net, &split).run()?;
    let accuracy = outcome.kept().test_accuracy.unwrap_or(0.0);
    println!("accuracy on held-out flowers: {:.1} %", 100.0 * accuracy);
    assert!(accuracy >= 0.85, "expected at least 85 %, got {accuracy}");
    Ok(())
}
