//! Chains of gates: XnorWeight layers of one output, a batch of one. Flipping either operand of a gate
//! repairs it, flipping both changes nothing. So who flips?
//!
//! | order | what flips in a chain that is wrong | repaired |
//! |---|---|---|
//! | parallel | every gate | only if their number is odd |
//! | weight-first | the last gate; those before it hear nothing any more | yes |
//! | input-first | the first gate; `correct` tells the others that it is done | yes |

use onebit_bits::{BitTensor, BitView, random_bits};
use onebit_train::{
    Result, Signal, Value,
    layer::{Context, Layer},
    layers::XnorWeight,
    rules::{Rule, Vote},
    state::State,
    step::{Order, forward, step},
};
use proptest::{prelude::*, sample::select};

use super::support::*;

/// Follows any voter, where a vote follows nobody if all agree.
struct Follow;

impl Rule for Follow {
    fn flips(&mut self, _: &Context, weights: BitView, signal: &Signal, _: f64) -> Result<BitTensor> {
        let Signal::Votes(votes) = signal else { panic!("gates get votes") };
        Ok(BitTensor::from_fn(weights.rows(), weights.cols(), |r, c| votes.counts[r * votes.cols + c] > 0))
    }

    fn state(&mut self, _: &mut State) -> Result<()> {
        Ok(())
    }
}

/// Starts from these weights.
struct Starting(BitTensor, Box<dyn Rule>);

impl Rule for Starting {
    fn start(&mut self, rows: usize, cols: usize, seed: u64) -> Result<BitTensor> {
        self.1.start(rows, cols, seed)?;
        Ok(self.0.clone())
    }

    fn flips(&mut self, cx: &Context, weights: BitView, signal: &Signal, rate: f64) -> Result<BitTensor> {
        self.1.flips(cx, weights, signal, rate)
    }

    fn state(&mut self, _: &mut State) -> Result<()> {
        Ok(())
    }
}

/// Gates whose `correct` does nothing.
struct Deaf(XnorWeight);

impl Layer for Deaf {
    fn name(&self) -> &'static str {
        "deaf"
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        self.0.forward(cx, x)
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        self.0.receive(cx, signal)
    }

    fn send(&mut self, cx: &Context) -> Result<Signal> {
        self.0.send(cx)
    }

    fn update(&mut self, cx: &Context, rate: f64) -> Result<()> {
        self.0.update(cx, rate)
    }

    fn state(&mut self, _: &mut State) -> Result<()> {
        Ok(())
    }
}

type Chains = Vec<Box<dyn Layer>>;

/// Chains of gates side by side; `weights[k]: (1, chains)` are those of gate `k` of every chain.
fn chains<L: Layer>(weights: &[BitTensor], rule: fn() -> Box<dyn Rule>, wrap: fn(XnorWeight) -> L) -> Chains {
    let layer = |w: &BitTensor| {
        let rule = Box::new(Starting(w.clone(), rule()));
        Box::new(wrap(XnorWeight::new(w.cols(), 1, 1, rule, 0).unwrap())) as Box<dyn Layer>
    };
    weights.iter().map(layer).collect()
}

fn weights(chains: &Chains) -> Vec<BitTensor> {
    chains.iter().map(|layer| layer.downcast_ref::<XnorWeight>().unwrap().weights().clone()).collect()
}

fn output(chains: &mut Chains, x: &BitTensor) -> BitTensor {
    bits(forward(chains, &training(), Value::Bits(x.clone())).unwrap())
}

/// One step in which the chains in `wrong` are told that they are; the output after it.
fn learn(chains: &mut Chains, x: &BitTensor, wrong: &BitTensor, order: Order) -> BitTensor {
    let judge = |_| Ok(((), Signal::Flip(wrong.clone())));
    step(chains, &training(), Value::Bits(x.clone()), order, 1.0, judge).unwrap();
    output(chains, x)
}

fn follow() -> Box<dyn Rule> {
    Box::new(Follow)
}

fn row(bits: [u8; 4]) -> BitTensor {
    BitTensor::from_fn(1, 4, |_, c| bits[c] == 1)
}

#[test]
fn of_two_gates_parallel_flips_both_and_the_other_orders_one() {
    // All weights are +1, so y = x; chains 0 and 1 are to change.
    let (x, wrong, target) = (row([1, 0, 1, 0]), row([1, 1, 0, 0]), row([0, 1, 1, 0]));
    let (old, new) = (row([1, 1, 1, 1]), row([0, 0, 1, 1]));
    let table = [
        (Order::Parallel, [&new, &new], &x),
        (Order::WeightFirst, [&old, &new], &target),
        (Order::InputFirst, [&new, &old], &target),
    ];
    for rule in [follow, vote] {
        for (order, [first, last], y) in table {
            let mut chains = chains(&[old.clone(), old.clone()], rule, |gates| gates);
            assert_eq!(output(&mut chains, &x), x);
            assert_eq!(&learn(&mut chains, &x, &wrong, order), y, "{order:?}");
            assert_eq!(weights(&chains), [first.clone(), last.clone()], "{order:?}");
        }
    }
}

proptest! {
    #[test]
    fn longer_chains(gates in 2usize..70, length in 1u64..6, seed: u64, order in select(&ORDERS)) {
        let x = random_bits(seed, 100, 1, gates);
        let w: Vec<_> = (0..length).map(|k| random_bits(seed, k, 1, gates)).collect();
        // At least one chain is wrong and one is right, else no request is above the mean.
        let mut wrong = random_bits(seed, 101, 1, gates);
        wrong.set(0, 0, true);
        wrong.set(0, 1, false);

        let mut chains = chains(&w, follow, |gates| gates);
        let before = output(&mut chains, &x);
        let repaired = before.xor(wrong.view()).unwrap();
        let after = learn(&mut chains, &x, &wrong, order);
        let last = w.len() - 1;
        for (k, (old, new)) in w.iter().zip(weights(&chains)).enumerate() {
            let flips = match order {
                Order::Parallel => true,
                Order::WeightFirst => k == last,
                Order::InputFirst => k == 0,
            };
            let nothing = BitTensor::zeros(1, gates);
            prop_assert_eq!(old.xor(new.view()).unwrap(), if flips { wrong.clone() } else { nothing });
        }
        let achieved = order != Order::Parallel || length % 2 == 1;
        prop_assert_eq!(after, if achieved { repaired } else { before });
    }

    #[test]
    fn without_correct_fbf_is_no_better_than_parallel(gates in 2usize..70, length in 1u64..6, seed: u64) {
        let x = random_bits(seed, 100, 1, gates);
        let w: Vec<_> = (0..length).map(|k| random_bits(seed, k, 1, gates)).collect();
        let mut wrong = random_bits(seed, 101, 1, gates);
        wrong.set(0, 0, true);
        wrong.set(0, 1, false);

        let mut hearing = chains(&w, follow, |gates| gates);
        let mut deaf = chains(&w, follow, Deaf);
        let before = output(&mut deaf, &x);
        let after = learn(&mut deaf, &x, &wrong, Order::InputFirst);
        prop_assert_eq!(&after, &learn(&mut hearing, &x, &wrong, Order::Parallel));
        prop_assert_eq!(after == before, length % 2 == 0);
    }
}

#[test]
fn where_all_chains_are_wrong_no_request_is_above_the_mean() {
    let (x, all) = (row([1, 0, 1, 0]), row([1, 1, 1, 1]));
    let w = [row([1, 0, 1, 0]), row([0, 0, 1, 1])];
    let quorum_0 = || Box::new(Vote::with_quorum(0.0).unwrap()) as Box<dyn Rule>;
    for order in ORDERS {
        // A vote among equals flips nothing, whatever the quorum.
        for rule in [vote, quorum_0] {
            let mut chains = chains(&w, rule, |gates| gates);
            let before = output(&mut chains, &x);
            assert_eq!(learn(&mut chains, &x, &all, order), before, "{order:?}");
            assert_eq!(weights(&chains), w, "{order:?}");
        }
        // A rule that follows anyone repairs the last gates; their inputs, which vote, are asked for nothing.
        let mut chains = chains(&w, follow, |gates| gates);
        let repaired = output(&mut chains, &x).not();
        assert_eq!(learn(&mut chains, &x, &all, order), repaired, "{order:?}");
        assert_eq!(weights(&chains), [w[0].clone(), w[1].not()], "{order:?}");
    }
}
