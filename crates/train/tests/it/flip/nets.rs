//! Whole nets over several steps: logits, weights and all flips on the way, in the three orders.

use onebit_bits::BitTensor;
use onebit_reference::flip::{self as reference, Bits, FlipNet, Tensor};
use onebit_train::{
    Matrix, Signal, Value,
    flip::thresholds,
    layer::Layer,
    layers::{Binarize, Bma, Bmab, Normalize, WeightDepth},
    rules::Vote,
    step::{Order, forward, step},
};
use proptest::{collection::vec, prelude::*, sample::select};

use super::support::*;

/// A net: Binarize, then layers of these widths, the last a BMA; a tap before each layer with weights.
#[derive(Clone, Debug)]
struct Plan {
    batch: usize,
    features: usize,
    widths: Vec<usize>,
    input_depth: usize,
    depth: usize,
    shared: bool,
    seed: u64,
}

impl Plan {
    /// Number of inputs and outputs and the input's depth of each layer with weights.
    fn shapes(&self) -> Vec<[usize; 3]> {
        let inputs = [self.features].into_iter().chain(self.widths.iter().copied());
        let depths = [self.input_depth].into_iter().chain(std::iter::repeat(self.depth));
        inputs.zip(&self.widths).zip(depths).map(|((i, &o), d)| [i, o, d]).collect()
    }

    /// The depth of the weights that meet an input of depth `d`.
    fn weight_depth(&self, d: usize) -> usize {
        if self.shared { 1 } else { d }
    }

    fn layers(&self) -> Vec<Box<dyn Layer>> {
        let first = thresholds(self.input_depth).unwrap();
        let mut layers: Vec<Box<dyn Layer>> = vec![Box::new(Binarize::new(self.features, first).unwrap())];
        let t = thresholds(self.depth).unwrap();
        let depth = if self.shared { WeightDepth::Shared } else { WeightDepth::Own };
        let last = self.widths.len() - 1;
        for (index, [i, o, d]) in self.shapes().into_iter().enumerate() {
            let (rule, seed) = (Box::new(Vote::new()), self.seed ^ index as u64);
            layers.push(Box::new(Tap::default()));
            layers.push(if index == last {
                Box::new(Bma::with_options(i, o, d, depth, Normalize::Binomial, rule, seed).unwrap())
            } else {
                Box::new(Bmab::with_weight_depth(i, o, d, depth, &t, rule, seed).unwrap())
            });
        }
        layers
    }

    /// The oracle with the weights of `layers`.
    fn oracle(&self, layers: &[Box<dyn Layer>]) -> FlipNet {
        FlipNet { layers: self.weights(layers), thresholds: thresholds(self.depth).unwrap() }
    }

    fn weights(&self, layers: &[Box<dyn Layer>]) -> Vec<Bits<3>> {
        let weights = layers.iter().filter_map(|layer| weights(&**layer));
        weights.zip(self.shapes()).map(|(w, [.., d])| oracle_weights(w, self.weight_depth(d))).collect()
    }

    /// Random features, `(b, x)`, about as wide as the thresholds.
    fn features(&self, step: u64) -> Matrix {
        let n = numbers(self.seed.wrapping_add(step), self.batch * self.features);
        let values = n.into_iter().map(|n| (n >> 40) as f32 / (1 << 22) as f32 - 2.0);
        Matrix::new(self.batch, self.features, values.collect()).unwrap()
    }
}

fn weights(layer: &dyn Layer) -> Option<&BitTensor> {
    let bmab = layer.downcast_ref().map(Bmab::weights);
    bmab.or_else(|| layer.downcast_ref().map(Bma::weights))
}

/// The integer sums over `n` gates behind scores.
fn sums(scores: &Tensor<f32, 2>, n: usize) -> Tensor<i32, 2> {
    Tensor::from_fn(scores.shape, |at| (f64::from(scores[at]) * (n as f64).sqrt()).round() as i32)
}

/// Pulls every sum towards a number between -2 and 2. Some sums are there already: their gradient is 0.
fn pull(sums: &Tensor<i32, 2>) -> Tensor<f32, 2> {
    Tensor::from_fn(sums.shape, |[b, o]| (sums[[b, o]] - ((3 * b + o) % 5) as i32 + 2) as f32)
}

/// What each layer asked of its input in the last step, front layer first.
fn x_flips(layers: &[Box<dyn Layer>], plan: &Plan) -> Vec<Bits<3>> {
    let signals = layers.iter().filter_map(|layer| layer.downcast_ref::<Tap>()?.signal.clone());
    let flips = signals.zip(plan.shapes()).map(|(signal, [i, _, d])| {
        let flips = signal.into_flip("test").unwrap();
        oracle(&flips, [plan.batch, d, i])
    });
    flips.collect()
}

/// Trains both nets side by side. Returns how many inputs and weights flipped in each layer.
fn compare(plan: &Plan, order: Order, steps: u64) -> Vec<[usize; 2]> {
    let cx = training();
    let mut layers = plan.layers();
    let mut net = plan.oracle(&layers);
    let oracle_order = match order {
        Order::Parallel => reference::Order::Parallel,
        Order::WeightFirst => reference::Order::WeightFirst,
        Order::InputFirst => reference::Order::InputFirst,
    };
    let [i, _, d] = *plan.shapes().last().unwrap();
    let mut flipped = vec![[0; 2]; plan.widths.len()];
    for number in 0..steps {
        let x = plan.features(number);
        let x_bits = reference::binarize(&oracle_reals(&x), &thresholds(plan.input_depth).unwrap());
        let before = net.layers.clone();
        let expected = net.step(oracle_order, &x_bits, |y| pull(&sums(y, d * i)), |_, flips| flips);

        let judge = |y| {
            let y = real(y);
            let dy = pull(&sums(&oracle_reals(&y), d * i));
            Ok((y, Signal::Grad(Matrix::new(dy.shape[0], dy.shape[1], dy.data)?)))
        };
        let logits = step(&mut layers, &cx, Value::Real(x.clone()), order, 1.0, judge).unwrap();
        assert_eq!(logits, scores(&sums(&expected.logits, d * i), d * i), "{order:?}, step {number}");
        assert_eq!(x_flips(&layers, plan), expected.x_flips, "{order:?}, step {number}");
        assert_eq!(plan.weights(&layers), net.layers, "{order:?}, step {number}");
        let after = real(forward(&mut layers, &cx, Value::Real(x)).unwrap());
        assert_eq!(after, scores(&sums(&net.forward(&x_bits), d * i), d * i), "{order:?}, step {number}");

        for (layer, flipped) in flipped.iter_mut().enumerate() {
            flipped[0] += expected.x_flips[layer].data.iter().filter(|&&flip| flip).count();
            let weights = before[layer].data.iter().zip(&net.layers[layer].data);
            flipped[1] += weights.filter(|(old, new)| old != new).count();
        }
    }
    flipped
}

fn plans() -> impl Strategy<Value = Plan> {
    let depths = || select(vec![1, 3, 7, 15]);
    let widths = vec(1usize..10, 1..=4);
    let batch = prop_oneof![Just(1usize), 2usize..10, 63usize..67];
    (batch, 1usize..8, widths, depths(), depths(), any::<bool>(), any::<u64>()).prop_map(
        |(batch, features, widths, input_depth, depth, shared, seed)| Plan {
            batch,
            features,
            widths,
            input_depth,
            depth,
            shared,
            seed,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn equal_the_oracle(plan in plans()) {
        for order in ORDERS {
            compare(&plan, order, 3);
        }
    }
}

#[test]
fn wide_layers_equal_the_oracle_and_learn() {
    for shared in [false, true] {
        let (widths, seed) = (vec![65, 33, 3], 11);
        let plan = Plan { batch: 9, features: 5, widths, input_depth: 3, depth: 3, shared, seed };
        for order in ORDERS {
            let flipped = compare(&plan, order, 4);
            // Weight-first, little is left to ask of the front layers, often nothing.
            let learning = if order == Order::WeightFirst { &flipped[1..] } else { &flipped };
            let alive = learning.iter().all(|&[inputs, weights]| inputs > 0 && weights > 0);
            assert!(alive, "{order:?}: flips of inputs and weights by layer: {flipped:?}");
        }
    }
}
