//! What is trained: a new layer, rule or optimizer is one more line here.

use onebit_bits::BitTensor;
use onebit_train::{
    Batch, DropoutShares, FlipOptions, Keep, Matrix, Network, Norm, Phase, Precision, Result, Schedule,
    Signal, StraightThroughOptions, Trainer, Value,
    data::quantiles,
    flip::thresholds,
    layer::{Context, Layer},
    layers::{BatchNorm, Binarize, Dense, Dropout, Normalize, Pnb, PopCount, Sign, XnorWeight},
    optimizers::Adam,
    rules::{Counting, Latent, RuleConfig, Vote},
    state::State,
    step::Order,
};

pub(crate) const FEATURES: usize = 5;
pub(crate) const CLASSES: usize = 3;

/// A run by name.
pub(crate) type Case = (&'static str, fn() -> Network, fn() -> Trainer);

pub(crate) const CASES: [Case; 11] = [
    ("straight-through", || straight(DropoutShares::default(), Precision::F32), straight_trainer),
    ("dropout", || straight(DropoutShares { input: 0.2, hidden: 0.5 }, Precision::F32), straight_trainer),
    ("bytes", || straight(DropoutShares { input: 0.0, hidden: 0.3 }, Precision::Int8), straight_trainer),
    ("flip, input first", flip, || flip_trainer(Order::InputFirst)),
    ("flip, weight first", flip, || flip_trainer(Order::WeightFirst)),
    ("flip, parallel", flip, || flip_trainer(Order::Parallel)),
    ("gates", gates, || flip_trainer(Order::WeightFirst)),
    (
        "the best, deployed",
        || straight(DropoutShares::default(), Precision::F32),
        || best(straight_trainer()),
    ),
    ("the best, not exported", turning, || best(straight_trainer())),
    ("thermometer", thermometer, || best(straight_trainer())),
    ("counters", counters, straight_trainer),
];

fn straight(dropout: DropoutShares, gradient: Precision) -> Network {
    let options = StraightThroughOptions { dropout, gradient, ..StraightThroughOptions::default() };
    Network::straight_through(FEATURES, &[70, 9], CLASSES, &options, 5).unwrap()
}

/// Fitted to the data again each time, as a run is built that goes on.
fn thermometer() -> Network {
    let parts = super::support::parts(&CASES[9]);
    let thresholds = quantiles(&parts.train, &parts.standardize, 3);
    let thermometer = Some(Matrix::new(3, FEATURES, thresholds).unwrap());
    let options = StraightThroughOptions { thermometer, ..StraightThroughOptions::default() };
    Network::straight_through(FEATURES, &[70, 9], CLASSES, &options, 5).unwrap()
}

/// Integers alone.
fn counters() -> Network {
    let (norm, rule) = (Norm::Threshold, RuleConfig::Counter(Counting::default()));
    let options = StraightThroughOptions { gradient: Precision::Int4, norm, rule, ..Default::default() };
    Network::straight_through(FEATURES, &[70, 9], CLASSES, &options, 5).unwrap()
}

fn straight_trainer() -> Trainer {
    let decaying =
        Phase { schedule: Schedule::Exponential { final_rate: 1e-3 }, ..Phase::new(2, Batch::Size(8), 3e-2) };
    Trainer::straight_through(vec![decaying, Phase::new(2, Batch::All, 1e-2)], 7)
}

fn flip() -> Network {
    Network::flip(FEATURES, &[20, 9], CLASSES, &FlipOptions::new(&thresholds(3).unwrap()), 5).unwrap()
}

fn flip_trainer(order: Order) -> Trainer {
    let phases = vec![Phase::new(2, Batch::Size(8), 0.25), Phase::new(2, Batch::Size(17), 0.125)];
    Trainer { order, ..Trainer::flip(phases, 7) }
}

/// BMAB and BMA in their parts, which cannot be exported.
fn gates() -> Network {
    let t = thresholds(1).unwrap();
    let vote = || Box::new(Vote::new());
    Network::new(FEATURES)
        .with(Binarize::new(FEATURES, t.clone()).unwrap())
        .with(XnorWeight::new(FEATURES, 9, 1, vote(), 1).unwrap())
        .with(Pnb::new(FEATURES, 9, 1, &t).unwrap())
        .with(XnorWeight::new(9, CLASSES, 1, vote(), 2).unwrap())
        .with(PopCount::new(9, CLASSES, 1, Normalize::Binomial).unwrap())
}

/// A layer of one's own, with every kind of state, among the others.
fn turning() -> Network {
    let dense = |i, o, seed| Dense::new(i, o, Box::new(Latent::new(Adam::new())), seed).unwrap();
    Network::new(FEATURES)
        .with(dense(FEATURES, 9, 1))
        .with(BatchNorm::new(9))
        .with(Turn { bytes: vec![1, -1, 100], bits: BitTensor::zeros(2, 70), turns: 0, on: false, dy: None })
        .with(Sign::new())
        .with(Dropout::new(0.1, 3).unwrap())
        .with(dense(9, CLASSES, 2))
}

fn best(trainer: Trainer) -> Trainer {
    Trainer { keep: Keep::Best, ..trainer }
}

/// Turns the sign of all it is given, now and then: what it does next depends on all of its state.
struct Turn {
    bytes: Vec<i8>,
    bits: BitTensor,
    turns: u64,
    on: bool,
    dy: Option<Matrix>,
}

impl Turn {
    fn turned(&self, mut x: Matrix) -> Matrix {
        if self.on {
            x.values_mut().iter_mut().for_each(|x| *x = -*x);
        }
        x
    }
}

impl Layer for Turn {
    fn name(&self) -> &'static str {
        "turn"
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        if cx.training() {
            self.turns = self.turns.wrapping_add(1);
            let turns = self.turns as usize % 140;
            self.bits.set(turns / 70, turns % 70, self.on);
            self.bytes.iter_mut().for_each(|byte| *byte = byte.wrapping_mul(3).wrapping_add(turns as i8));
            self.on = (self.bytes.iter().fold(0, |a, b| a ^ *b as u64) ^ self.bits.count_ones()) % 7 < 2;
        }
        Ok(Value::Real(self.turned(x.into_real("turn")?)))
    }

    fn receive(&mut self, _: &Context, signal: Signal) -> Result<()> {
        self.dy = Some(self.turned(signal.into_grad("turn")?));
        Ok(())
    }

    fn send(&mut self, _: &Context) -> Result<Signal> {
        Ok(Signal::Grad(self.dy.take().expect("it was received")))
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        state.bytes("bytes", &mut self.bytes)?;
        state.bits("bits", &mut self.bits)?;
        state.count("turns", &mut self.turns)?;
        state.flag("on", &mut self.on)
    }
}
