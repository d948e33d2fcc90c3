//! A trained network and the one that is deployed give the same scores, bit for bit.

use onebit_bits::{Engine, Geometry, Images, Isa, Pad, Padding, Pool, random_bits};
use onebit_model::{Layer as Deployed, Limits, Model, Output};
use onebit_train::{
    Activation, Batch, Border, Bytes, DropoutShares, FlipOptions, Matrix, Network, Norm, Phase, Signal,
    Split, StraightThroughOptions, Trainer, Training, Value,
    data::{Dataset, ImageShape, Samples, Standardize},
    flip::thresholds,
    layer::Context,
    layers::{
        BatchNorm, Binarize, Bma, Bmab, Conv, Dense, Dropout, Flatten, MaxPool, Normalize, Sign, Unflatten,
        WeightDepth,
    },
    losses::{Loss, SoftmaxCrossEntropy, SquaredHinge},
    optimizers::Adam,
    rules::{Latent, Rule, Vote},
    step::Order,
};
use proptest::{collection::vec, prelude::*, sample::select};

/// Around the borders of words, and small ones.
fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![1..9usize, select(vec![31, 63, 64, 65, 127, 128, 129])]
}

// === data ===

/// Numbers between -2 and 2: anything, or multiples of a half, on which sums meet their limits exactly.
fn numbers(seed: u64, stream: u64, n: usize, halves: bool) -> Vec<f32> {
    let words = random_bits(seed, stream, n, 64).into_words();
    let number = |word: u64| {
        if halves { (word % 9) as f32 / 2.0 - 2.0 } else { (word >> 40) as f32 / 4194304.0 - 2.0 }
    };
    words.into_iter().map(number).collect()
}

/// `rows` samples, their classes in turn.
fn data(rows: usize, features: usize, classes: usize, halves: bool, seed: u64) -> Dataset {
    let samples = Samples::Real { cols: features, values: numbers(seed, 0, rows * features, halves) };
    let labels = (0..rows).map(|row| (row % classes) as u32).collect();
    Dataset::new(samples, labels, (0..classes).map(|class| class.to_string()).collect(), vec![]).unwrap()
}

/// The same of bytes; a scale that goes with them.
fn pixels(rows: usize, features: usize, classes: usize, seed: u64) -> (Dataset, Standardize) {
    let values = random_bits(seed, 0, rows * features, 64).into_words().into_iter().map(|word| word as u8);
    let samples = Samples::Bytes { cols: features, values: values.collect() };
    let labels = (0..rows).map(|row| (row % classes) as u32).collect();
    let names = (0..classes).map(|class| class.to_string()).collect();
    let standardize = Standardize::uniform(127.5, 1.0 / 127.5, features);
    (Dataset::new(samples, labels, names, vec![]).unwrap(), standardize)
}

/// The samples as the network sees them while it learns.
fn standardized(data: &Dataset, standardize: &Standardize) -> Value {
    if let Samples::Bytes { cols, values } = data.samples() {
        let scale = standardize.byte_scale().unwrap();
        return Value::Bytes(Bytes::new(data.len(), *cols, values.clone(), scale).unwrap());
    }
    let mut x = data.gather(&(0..data.len()).collect::<Vec<_>>());
    standardize.apply(&mut x);
    Value::Real(Matrix::new(data.len(), data.features(), x).unwrap())
}

/// Some steps on all of `data`.
fn learn(net: &mut Network, data: &Dataset, standardize: &Standardize, plan: (&dyn Loss, Order, f64, usize)) {
    let (loss, order, rate, steps) = plan;
    let cx = Context::train(&Engine::single());
    for _ in 0..steps {
        net.step(&cx, standardized(data, standardize), order, rate, |scores| {
            let (loss, grad) = loss.evaluate(scores.into_real("test")?, data.labels())?;
            Ok((loss, Signal::Grad(grad)))
        })
        .unwrap();
    }
}

/// Exports, through the bytes of a file, and compares all scores.
fn assert_exact(net: &mut Network, data: &Dataset, standardize: &Standardize) -> Model {
    let engine = Engine::single();
    let x = standardized(data, standardize);
    let trained = net.forward(&Context::evaluate(&engine), x).unwrap().into_real("test").unwrap();
    let exported = net.export(data, standardize).unwrap();
    let model = Model::from_bytes(&exported.to_bytes()).unwrap();
    assert_eq!(model, exported);
    let raw = data.gather(&(0..data.len()).collect::<Vec<_>>());
    let bits = |scores: &[f32]| scores.iter().map(|score| score.to_bits()).collect::<Vec<_>>();
    for isa in Isa::available() {
        let scores = model.scores(&engine.clone().with_isa(isa), &raw).unwrap();
        assert_eq!(bits(&scores), bits(trained.values()), "on {}", isa.name());
    }
    model
}

// === flip backprop ===

#[derive(Clone, Debug)]
struct Flip {
    features: usize,
    /// Units and thresholds of each layer; the first is binarize, with as many units as features.
    hidden: Vec<(usize, usize)>,
    depth: usize,
    shared: bool,
    balance: bool,
    order: Order,
    seed: u64,
}

fn flips() -> impl Strategy<Value = Flip> {
    let depth = || select(vec![1, 3, 7]);
    let order = select(vec![Order::Parallel, Order::WeightFirst, Order::InputFirst]);
    (sizes(), vec((sizes(), depth()), 0..3), depth(), any::<[bool; 2]>(), order, any::<u64>()).prop_map(
        |(features, hidden, depth, [shared, balance], order, seed)| Flip {
            features,
            hidden,
            depth,
            shared,
            balance,
            order,
            seed,
        },
    )
}

impl Flip {
    fn network(&self, classes: usize) -> Network {
        let vote = || Box::new(Vote::new());
        let weight_depth = if self.shared { WeightDepth::Shared } else { WeightDepth::Own };
        let normalize = if self.balance { Normalize::BitBalance } else { Normalize::Binomial };
        let (mut width, mut depth) = (self.features, self.depth);
        let mut net = Network::new(width).with(Binarize::new(width, thresholds(depth).unwrap()).unwrap());
        for &(units, next) in &self.hidden {
            let t = thresholds(next).unwrap();
            let layer = Bmab::with_weight_depth(width, units, depth, weight_depth, &t, vote(), self.seed);
            net = net.with(layer.unwrap());
            (width, depth) = (units, next);
        }
        net.with(
            Bma::with_options(width, classes, depth, weight_depth, normalize, vote(), self.seed).unwrap(),
        )
    }
}

proptest! {
    #[test]
    fn flip_networks(flip in flips(), rows in 3..40usize, classes in 2..6usize, halves: bool, steps in 0..4usize) {
        let data = data(rows, flip.features, classes, halves, flip.seed);
        let standardize = Standardize::fit(&data);
        let mut net = flip.network(classes);
        learn(&mut net, &data, &standardize, (&SoftmaxCrossEntropy, flip.order, 0.5, steps));
        let model = assert_exact(&mut net, &data, &standardize);
        prop_assert_eq!(model.layers().len(), flip.hidden.len() + 2);
    }
}

// === straight-through training ===

#[derive(Clone, Debug)]
struct StraightThrough {
    features: usize,
    hidden: Vec<usize>,
    /// Over the features first.
    binarize: bool,
    dropout: Option<f64>,
    /// Whether a batch norm stands between product and sign, and after the last product.
    norm: [bool; 2],
    /// Of 0, the scales keep what they start with, zeros among them.
    rate: f64,
    seed: u64,
}

fn straight_through() -> impl Strategy<Value = StraightThrough> {
    let dropout = proptest::option::of(select(vec![0.0, 0.2, 0.5]));
    let rate = select(vec![0.0, 0.003, 0.1]);
    let norm = prop_oneof![4 => Just([true, true]), 1 => any::<[bool; 2]>()];
    (sizes(), vec(sizes(), 0..3), any::<bool>(), dropout, norm, rate, any::<u64>()).prop_map(
        |(features, hidden, binarize, dropout, norm, rate, seed)| StraightThrough {
            features,
            hidden,
            binarize,
            dropout,
            norm,
            rate,
            seed,
        },
    )
}

fn latent() -> Box<dyn Rule> {
    Box::new(Latent::new(Adam::new()))
}

/// `gamma` negative, zero and positive; `beta` zero for some.
fn batch_norm(units: usize, seed: u64) -> BatchNorm {
    let [gamma, mut beta] = [1, 2].map(|stream| numbers(seed, stream, units, true));
    beta.iter_mut().zip(numbers(seed, 3, units, false)).for_each(|(beta, more)| *beta *= more.max(0.0));
    BatchNorm::with_affine(gamma, beta)
}

impl StraightThrough {
    fn network(&self, classes: usize) -> Network {
        let dropout = |net: Network, seed| match self.dropout {
            Some(share) => net.with(Dropout::new(share, seed).unwrap()),
            None => net,
        };
        let mut net = dropout(Network::new(self.features), 1);
        let (mut width, [between, after]) = (self.features, self.norm);
        if self.binarize {
            net = net.with(Binarize::new(width, thresholds(3).unwrap()).unwrap());
            width *= 3;
        }
        for (seed, &units) in (self.seed / 2..).zip(&self.hidden) {
            net = net.with(Dense::new(width, units, latent(), seed).unwrap());
            if between {
                // Between product and norm too: where it makes no sense, it still does nothing when deployed.
                net = dropout(net, !seed).with(batch_norm(units, seed));
            }
            net = dropout(net.with(Sign::new()), seed);
            width = units;
        }
        net = net.with(Dense::new(width, classes, latent(), self.seed).unwrap());
        if after { net.with(batch_norm(classes, self.seed)) } else { net }
    }
}

proptest! {
    #[test]
    fn straight_through_networks(
        plan in straight_through(), rows in 3..40usize, classes in 2..6usize, halves: bool, bytes: bool,
        steps in 1..5usize,
    ) {
        // the runtime has scores of bytes only as those of real numbers, whose sums are rounded on the way
        let bytes = bytes && !plan.hidden.is_empty();
        let make = |seed| {
            if bytes {
                return pixels(rows, plan.features, classes, seed);
            }
            let data = data(rows, plan.features, classes, halves, seed);
            let standardize =
                if halves { Standardize::uniform(0.0, 1.0, plan.features) } else { Standardize::fit(&data) };
            (data, standardize)
        };
        let (first, standardize) = make(plan.seed);
        let mut net = plan.network(classes);
        // Statistics run over other data each time.
        for step in 0..steps as u64 {
            let data = make(plan.seed ^ step).0;
            if plan.rate == 0.0 || plan.binarize {
                // Only forward: nothing learns but the running statistics.
                let x = standardized(&data, &standardize);
                net.forward(&Context::train(&Engine::single()), x).unwrap();
            } else {
                learn(&mut net, &data, &standardize, (&SquaredHinge::default(), Order::Parallel, plan.rate, 1));
            }
        }
        let model = assert_exact(&mut net, &first, &standardize);
        prop_assert_eq!(model.layers().len(), plan.hidden.len() + 1 + usize::from(plan.binarize));
        prop_assert_eq!(model.takes_bytes(), bytes && !plan.binarize);
    }

    /// Every sample the same: sums equal their running means, so that each unit stands on its limit.
    #[test]
    fn units_on_their_limits(plan in straight_through(), classes in 2..6usize) {
        let plan = StraightThrough { dropout: None, norm: [true, true], ..plan };
        let one = numbers(plan.seed, 0, plan.features, true);
        let samples = Samples::Real { cols: plan.features, values: one.repeat(classes) };
        let names = (0..classes).map(|class| class.to_string()).collect();
        let data = Dataset::new(samples, (0..classes as u32).collect(), names, vec![]).unwrap();
        let standardize = Standardize::uniform(0.0, 1.0, plan.features);
        let mut net = plan.network(classes);
        net.forward(&Context::train(&Engine::single()), standardized(&data, &standardize)).unwrap();
        assert_exact(&mut net, &data, &standardize);
    }
}

// === images ===

/// Convolutions of 5 x 6 pixels, each with norm and sign, then one dense layer.
#[derive(Clone, Debug)]
struct Convolutions {
    channels: usize,
    /// Over the pixels first.
    binarize: bool,
    /// Units, kernel, stride, padding, pooling after it, norms.
    convs: Vec<(usize, usize, usize, bool, bool, usize)>,
    pad: Pad,
    groups: usize,
    seed: u64,
}

fn convolutions() -> impl Strategy<Value = Convolutions> {
    let channels = || select(vec![2, 4, 32, 64, 66]);
    let conv = (channels(), 1..4usize, 1..3usize, any::<bool>(), any::<bool>(), 0..3usize);
    let pad = select(vec![Pad::Plus, Pad::Minus, Pad::Zero]);
    (1..4usize, any::<bool>(), vec(conv, 1..4), pad, 1..3usize, any::<u64>()).prop_map(
        |(channels, binarize, convs, pad, groups, seed)| Convolutions {
            channels,
            binarize,
            convs,
            pad,
            groups,
            seed,
        },
    )
}

impl Convolutions {
    fn network(&self, classes: usize) -> Network {
        let (mut image, mut channels) = ((5, 6), self.channels);
        let mut net = Network::new(30 * channels);
        if self.binarize {
            net = net.with(Binarize::new(30 * channels, vec![0.25]).unwrap());
        }
        net = net.with(Unflatten::new(30));
        for (index, &(units, kernel, stride, padded, pooled, norms)) in self.convs.iter().enumerate() {
            let around = usize::from(padded && kernel > 1);
            let fit = |size: usize| kernel.min(size + 2 * around);
            let geometry = Geometry {
                stride: (stride, stride),
                padding: Padding::around(around),
                pad: self.pad,
                groups: if index > 0 { self.groups } else { 1 },
                ..Geometry::new(channels, units, (fit(image.0), fit(image.1)))
            };
            net = net.with(Conv::new(geometry, image, latent(), self.seed).unwrap());
            let mut out = geometry.output(Images { b: 1, h: image.0, w: image.1 }).unwrap();
            if pooled {
                let pool = Pool { kernel: (2.min(out.h), 2.min(out.w)), stride: (2, 1) };
                net = net.with(MaxPool::new(pool, (out.h, out.w)).unwrap());
                out = pool.output(out).unwrap();
            }
            for norm in 0..norms {
                net = net.with(batch_norm(units, self.seed ^ norm as u64));
            }
            net = net.with(Sign::new());
            (image, channels) = ((out.h, out.w), units);
        }
        let pixels = image.0 * image.1;
        let net = net.with(Flatten::new(pixels));
        net.with(Dense::new(pixels * channels, classes, latent(), 3).unwrap()).with(BatchNorm::new(classes))
    }
}

proptest! {
    #[test]
    fn random_networks_of_images(plan in convolutions(), rows in 3..9usize, halves: bool, bytes: bool, steps in 1..3usize) {
        let features = 30 * plan.channels;
        let make = |seed| match bytes {
            true => pixels(rows, features, 2, seed),
            false => (data(rows, features, 2, halves, seed), Standardize::uniform(0.0, 1.0, features)),
        };
        let (first, standardize) = make(plan.seed);
        let mut net = plan.network(2);
        for step in 0..steps as u64 {
            let data = make(plan.seed ^ step).0;
            let x = standardized(&data, &standardize);
            net.forward(&Context::train(&Engine::single()), x).unwrap();
        }
        let model = assert_exact(&mut net, &first, &standardize);
        prop_assert_eq!(model.layers().len(), plan.convs.len() + 1 + usize::from(plan.binarize));
        prop_assert_eq!(model.takes_bytes(), bytes && !plan.binarize);
    }
}

/// The first sample lies on the limit of every unit by rounding: only the very expression of training finds
/// it.
#[test]
fn units_on_their_limits_by_rounding() {
    let data = data(16, 20, 2, false, 1);
    let standardize = Standardize::fit(&data);
    let [train, evaluate] = [Context::train, Context::evaluate].map(|of| of(&Engine::single()));
    let dense = |inputs, outputs| Dense::new(inputs, outputs, latent(), 2).unwrap();
    for bits in [false, true] {
        let with_beta = |beta| {
            let gamma = numbers(3, 1, 129, false);
            let start = Network::new(20);
            let start = if bits { start.with(Binarize::new(20, vec![0.0]).unwrap()) } else { start };
            start.with(dense(20, 129)).with(BatchNorm::with_affine(gamma, beta))
        };
        let mut without = with_beta(vec![0.0; 129]);
        without.forward(&train, standardized(&data, &standardize)).unwrap();
        let y = without.forward(&evaluate, standardized(&data, &standardize)).unwrap();
        let beta = y.into_real("test").unwrap().iter_rows().next().unwrap().iter().map(|y| -y).collect();
        let mut net = with_beta(beta).with(Sign::new()).with(dense(129, 2));
        net.forward(&train, standardized(&data, &standardize)).unwrap();
        assert_exact(&mut net, &data, &standardize);
    }
}

/// The sign of the features themselves, zeros of both signs among them.
#[test]
fn a_sign_may_come_first() {
    let tiny = f32::from_bits(1);
    let values = vec![0.0, -0.0, tiny, -tiny, 1.0, -1.0, f32::MIN_POSITIVE, -f32::MIN_POSITIVE];
    let names = ["a", "b"].map(String::from).to_vec();
    let data = Dataset::new(Samples::Real { cols: 4, values }, vec![0, 1], names, vec![]).unwrap();
    let mut net = Network::new(4).with(Sign::new()).with(Dense::new(4, 2, latent(), 0).unwrap());
    assert_exact(&mut net, &data, &Standardize::uniform(0.0, 1.0, 4));
}

#[test]
fn scales_of_each_sign_are_among_them() {
    let data = data(8, 5, 2, true, 3);
    let standardize = Standardize::uniform(0.0, 1.0, 5);
    let norm = || BatchNorm::with_affine(vec![-1.0, 0.0, 2.0, 0.0], vec![0.5, 0.0, 0.0, -0.5]);
    let dense = |inputs, outputs| Dense::new(inputs, outputs, latent(), 0).unwrap();
    let mut net = Network::new(5)
        .with(dense(5, 4))
        .with(norm())
        .with(Sign::new())
        .with(dense(4, 4))
        .with(norm())
        .with(Sign::new())
        .with(dense(4, 2));
    net.forward(&Context::train(&Engine::single()), standardized(&data, &standardize)).unwrap();
    let model = assert_exact(&mut net, &data, &standardize);
    for (index, layer) in model.layers()[..2].iter().enumerate() {
        let Deployed::Dense(dense) = layer else { panic!("{layer:?}") };
        let Output::Bits(t) = &dense.output else { panic!("{layer:?}") };
        assert_eq!([0, 1, 2, 3].map(|unit| t.descending.get(0, unit)), [true, false, false, false]);
        // Of scale 0: always on, and never.
        match &t.limits {
            Limits::Real(limits) => assert_eq!((index, limits[1], limits[3]), (0, f32::MIN, f32::INFINITY)),
            Limits::Integer(limits) => assert_eq!((index, limits[1], limits[3]), (1, -4, 5)),
        }
    }
}

#[test]
fn ready_made_networks_and_their_trainers() {
    let data = data(30, 6, 3, false, 1);
    let standardize = Standardize::fit(&data);
    let parts = Split::new(data.clone(), None, None);
    let phases = |rate| vec![Phase::new(2, Batch::Size(7), rate)];
    let dropout = DropoutShares { input: 0.2, hidden: 0.5 };
    let flip = Network::flip(6, &[40, 20], 3, &FlipOptions::new(&thresholds(3).unwrap()), 5).unwrap();
    let options = StraightThroughOptions { dropout, ..Default::default() };
    let straight = Network::straight_through(6, &[40, 20], 3, &options, 5).unwrap();
    let trainers = [Trainer::flip(phases(0.25), 0), Trainer::straight_through(phases(0.01), 0)];
    for (mut net, trainer) in [flip, straight].into_iter().zip(trainers) {
        let outcome = Training::new(&trainer, &mut net, &parts).run().unwrap();
        assert_eq!(Some(assert_exact(&mut net, &data, &standardize)), outcome.model);
    }
}

#[test]
fn networks_of_images() {
    let image = ImageShape { height: 7, width: 6, channels: 2 };
    let data = data(30, 84, 3, false, 1).with_image(image).unwrap();
    let standardize = Standardize::fit(&data);
    let parts = Split::new(data.clone(), None, None);
    let options = |stages: &str| StraightThroughOptions {
        convolutions: stages.parse().unwrap(),
        image: Some(image),
        ..StraightThroughOptions::default()
    };
    let trainer = Trainer::straight_through(vec![Phase::new(3, Batch::Size(7), 0.01)], 0);
    let nets = [Border::Zero, Border::Plus, Border::Minus, Border::Valid]
        .map(|border| StraightThroughOptions { border, ..options("5C3-70C2-MP2/1-9C2/2") });
    let others = [
        StraightThroughOptions { norm: Norm::ShiftBased, ..options("5C3-MP2-64C3") },
        StraightThroughOptions { norm: Norm::Threshold, ..options("5C3-MP2-64C3") },
        StraightThroughOptions { activation: Activation::RSign, ..options("5C3-MP3/1-6C2") },
        StraightThroughOptions { binary_input: true, ..options("") },
        StraightThroughOptions { activation: Activation::StochasticSign, ..options("8C3/2") },
    ];
    for options in nets.into_iter().chain(others) {
        let mut net = Network::straight_through(84, &[12], 3, &options, 5).unwrap();
        let outcome = Training::new(&trainer, &mut net, &parts).run().unwrap();
        assert_eq!(Some(assert_exact(&mut net, &data, &standardize)), outcome.model, "{options:?}");
    }
}
