//! Every row of the method's table by itself: functions, conversions and layers.

use onebit_bits::{BitTensor, random_bits};
use onebit_reference::flip::{self as reference, Bits, Tensor};
use onebit_train::{
    Matrix, Signal, Value, Votes,
    binary_tensor::BinaryTensor,
    flip,
    layer::Layer,
    layers::{Binarize, Bma, Bmab, Normalize, Pnb, PopCount, WeightDepth, XnorWeight},
    rules::Vote,
    step::Order,
};

use super::support::*;

const DEPTHS: [usize; 4] = [1, 3, 7, 15];

// ---- functions --------------------------------------------------------------------------------------------

#[test]
fn thresholds_and_conversions() {
    for depth in DEPTHS {
        assert_eq!(flip::thresholds(depth).unwrap(), reference::thresholds(depth));
    }
    for g in [0.0, -0.0, 1e-45, -1e-45, 2.5, -2.5, f32::INFINITY, f32::NEG_INFINITY] {
        for x in [false, true] {
            assert_eq!(flip::grad2flip(x, g), reference::grad2flip(x, g), "g = {g}, x = {x}");
        }
    }
}

#[test]
fn flip2grad_and_its_sign() {
    for [b, d, x, _] in SIZES {
        let bits = random_bits(1, 0, b, d * x);
        for p in [0.0, 0.3, 1.0] {
            let flips = flips(2, b, d * x, p);
            let axes = [b, d, x];
            let (bits_bdx, flips_bdx) = (oracle(&bits, axes), oracle(&flips, axes));
            let over_depth = |t: &Bits<3>, b, x| (0..d).map(|k| t[[b, k, x]]).collect::<Vec<_>>();
            let g = Tensor::from_fn([b, x], |[b, x]| {
                reference::flip2grad(&over_depth(&bits_bdx, b, x), &over_depth(&flips_bdx, b, x))
            });
            assert_eq!(flip::flip2grad(&bits, &flips, d).unwrap(), g.data);
            let wish = flip::flip2wish(&bits, &flips, d).unwrap();
            let sign = |[b, x]: [usize; 2]| i32::from(wish.get(b, x));
            assert_eq!(Tensor::from_fn([b, x], sign), Tensor::from_fn([b, x], |at| g[at].signum()));
        }
    }
}

#[test]
fn xnor() {
    for [b, d, i, _] in SIZES {
        let (a, w) = (random_bits(1, 0, b, d * i), random_bits(2, 0, b, d * i));
        let y = oracle(&flip::xnor(&a, &w).unwrap(), [b, d * i]);
        let (a, w) = (oracle(&a, [b, d * i]), oracle(&w, [b, d * i]));
        assert_eq!(y, Tensor::from_fn([b, d * i], |at| reference::xnor(a[at], w[at])));
    }
}

// ---- layers without weights -------------------------------------------------------------------------------

#[test]
fn binarize() {
    let cx = training();
    for [b, _, x, _] in SIZES {
        for depth in DEPTHS {
            let t = flip::thresholds(depth).unwrap();
            // About a quarter of the features lies exactly on a threshold, some are no numbers at all.
            let feature = |n: u64| match n % 16 {
                0..4 => t[(n >> 8) as usize % depth],
                4 => f32::NAN,
                5 => f32::INFINITY,
                6 => f32::NEG_INFINITY,
                7 => -0.0,
                _ => (n >> 40) as f32 / (1 << 22) as f32 - 2.0,
            };
            let r = Matrix::new(b, x, numbers(b as u64, b * x).into_iter().map(feature).collect()).unwrap();
            let expected = reference::binarize(&oracle_reals(&r), &t);

            let mut layer = Binarize::new(x, t).unwrap();
            let y = bits(layer.forward(&cx, Value::Real(r)).unwrap());
            assert_eq!(oracle(&y, [b, depth, x]), expected);
            for p in [0.0, 0.25, 1.0] {
                let flips = flips(3, b, depth * x, p);
                layer.receive(&cx, Signal::Flip(flips.clone())).unwrap();
                let grad = layer.send(&cx).unwrap().into_grad("test").unwrap();
                let flips = oracle(&flips, [b, depth, x]);
                assert_eq!(oracle_reals(&grad), reference::binarize_backward(&expected, &flips));
            }
        }
    }
}

#[test]
fn binarize_by_thresholds_of_each_feature() {
    let cx = training();
    for [b, _, x, _] in SIZES {
        let t = flip::thresholds(3).unwrap();
        let r = Matrix::new(b, x, (0..b * x).map(|n| (n * 7 % 11) as f32 / 4.0 - 1.0).collect()).unwrap();
        let shift = |at: usize| at as f32 % 5.0 / 8.0;
        let of_each = (0..3 * x).map(|n| t[n / x] + shift(n % x)).collect();
        let mut layer = Binarize::of_each(Matrix::new(3, x, of_each).unwrap()).unwrap();
        let y = bits(layer.forward(&cx, Value::Real(r.clone())).unwrap());
        for (row, col) in (0..b).flat_map(|row| (0..3 * x).map(move |col| (row, col))) {
            let above = r.values()[row * x + col % x] > t[col / x] + shift(col % x);
            assert_eq!(y.get(row, col), above);
        }
        let flips = flips(3, b, 3 * x, 0.25);
        layer.receive(&cx, Signal::Flip(flips.clone())).unwrap();
        let grad = layer.send(&cx).unwrap().into_grad("test").unwrap();
        let expected = reference::binarize_backward(&oracle(&y, [b, 3, x]), &oracle(&flips, [b, 3, x]));
        assert_eq!(oracle_reals(&grad), expected);
    }
    assert!(Binarize::of_each(Matrix::new(1, 1, vec![f32::NAN]).unwrap()).is_err());
}

#[test]
fn popcount_and_bit_balance() {
    let cx = training();
    for [b, d, i, o] in SIZES {
        let h = random_bits(1, 0, b, d * o * i);
        let h_bdoi = oracle(&h, [b, d, o, i]);
        for normalize in [Normalize::Binomial, Normalize::BitBalance] {
            let mut layer = PopCount::new(i, o, d, normalize).unwrap();
            let y = real(layer.forward(&cx, Value::Bits(h.clone())).unwrap());
            assert_eq!(y, expected_scores(&h_bdoi, normalize));
            for dy in [gradient(2, b, o), Matrix::zeros(b, o)] {
                let expected = reference::popcount_backward(&h_bdoi, &oracle_reals(&dy));
                let h_flip = exchange(&mut layer, &cx, Signal::Grad(dy));
                assert_eq!(oracle(&h_flip, [b, d, o, i]), expected);
            }
        }
    }
}

/// The scores of gates `h`, close to the oracle's real numbers and exactly what its integers give.
fn expected_scores(h: &Bits<4>, normalize: Normalize) -> Matrix {
    let sums = reference::bit_balance(h);
    match normalize {
        Normalize::BitBalance => scores(&sums, 1),
        Normalize::Binomial => {
            let scores = scores(&sums, h.shape[1] * h.shape[3]);
            for (ours, theirs) in scores.values().iter().zip(reference::popcount(h).data) {
                assert!((ours - theirs).abs() <= theirs.abs() / (1 << 22) as f32, "{ours} is not {theirs}");
            }
            scores
        }
    }
}

#[test]
fn pnb() {
    let cx = training();
    for [b, d, i, o] in SIZES {
        let h = random_bits(1, 0, b, d * o * i);
        let h_bdoi = oracle(&h, [b, d, o, i]);
        for depth in DEPTHS {
            let t = flip::thresholds(depth).unwrap();
            let mut layer = Pnb::new(i, o, d, &t).unwrap();
            let y = bits(layer.forward(&cx, Value::Bits(h.clone())).unwrap());
            let y_bdo = oracle(&y, [b, depth, o]);
            assert_eq!(y_bdo, reference::pnb(&h_bdoi, &t));
            for p in [0.0, 0.4, 1.0] {
                let flips = flips(2, b, depth * o, p);
                let expected = reference::pnb_backward(&h_bdoi, &y_bdo, &oracle(&flips, [b, depth, o]));
                let h_flip = exchange(&mut layer, &cx, Signal::Flip(flips));
                assert_eq!(oracle(&h_flip, [b, d, o, i]), expected);
            }
        }
    }
}

// ---- weights ----------------------------------------------------------------------------------------------

#[test]
fn binary_tensor_flips_by_vote() {
    let cx = training();
    for [voters, _, cols, rows] in SIZES {
        for quorum in [0.0, 0.25, 0.5, 0.9, 1.0] {
            for most in [0, voters / 2, voters] {
                let votes = |n: u64| (n % (most as u64 + 1)) as u32;
                let counts: Vec<u32> = numbers(5, rows * cols).into_iter().map(votes).collect();
                let n = Tensor::new([rows, cols], counts.iter().map(|&n| n as usize).collect());
                let expected = reference::votes_to_flips(&n, voters, quorum);

                let rule = Box::new(Vote::with_quorum(quorum).unwrap());
                let mut weights = BinaryTensor::new(rows, cols, rule, 6).unwrap();
                let before = oracle(weights.bits(), [rows, cols]);
                let signal = Signal::Votes(Votes { rows, cols, counts, voters: voters as u32 });
                let flips = weights.update(&cx, &signal, 1.0).unwrap();
                assert_eq!(oracle(&flips, [rows, cols]), expected);
                assert_eq!(oracle(weights.bits(), [rows, cols]), flipped(&before, &expected));
            }
        }
    }
}

/// A layer with weights: its input `(b, d i)`, the signal it receives, and how the oracle sees both.
struct Case<'a> {
    axes: [usize; 4], // b, d, i, o
    w_depth: usize,
    quorum: Option<f64>, // of the activations
    x: &'a BitTensor,
    signal: Signal,
    h_flip: Bits<4>,
}

/// Runs the layer that `make` returns through the verbs of each order. Returns how many weights and inputs
/// flipped.
fn check_orders<L: Layer>(case: &Case, make: impl Fn() -> L, weights: impl Fn(&L) -> &BitTensor) -> [u64; 2] {
    let cx = training();
    let Case { axes: [b, d, i, o], w_depth, quorum, x, .. } = *case;
    let x_new = random_bits(9, 0, b, d * i);
    let (x_bdi, x_new_bdi) = (oracle(x, [b, d, i]), oracle(&x_new, [b, d, i]));
    let x_flip =
        |h_flip: &Bits<4>| reference::votes_to_flips(&reference::x_votes(h_flip), o, quorum.unwrap_or(0.5));
    let mut seen = [0; 2];
    for order in ORDERS {
        let mut layer = make();
        let w = oracle_weights(weights(&layer), w_depth);
        let h = reference::xnor_weight(&x_bdi, &w);
        layer.forward(&cx, Value::Bits(x.clone())).unwrap();
        layer.receive(&cx, case.signal.clone()).unwrap();

        let mut x_request = case.h_flip.clone();
        let mut w_request = case.h_flip.clone();
        if order != Order::WeightFirst {
            assert_eq!(oracle(&sent(&mut layer, &cx), [b, d, i]), x_flip(&x_request), "{order:?}");
        }
        if order == Order::InputFirst {
            layer.correct(&cx, &Value::Bits(x_new.clone())).unwrap();
            w_request = reference::correct(&w_request, &h, &reference::xnor_weight(&x_new_bdi, &w));
        }
        layer.update(&cx, 1.0).unwrap();
        let w_flip = reference::w_flip(&w_request, w_depth);
        let w_new = flipped(&w, &w_flip);
        assert_eq!(oracle_weights(weights(&layer), w_depth), w_new, "{order:?}");
        if order == Order::WeightFirst {
            x_request = reference::correct(&x_request, &h, &reference::xnor_weight(&x_bdi, &w_new));
            assert_eq!(oracle(&sent(&mut layer, &cx), [b, d, i]), x_flip(&x_request), "{order:?}");
        }
        let ones = |flips: &Bits<3>| flips.data.iter().filter(|&&flip| flip).count() as u64;
        seen[0] += ones(&w_flip);
        seen[1] += ones(&x_flip(&x_request));
    }
    seen
}

/// The default, which is 1/2, and others.
const QUORUMS: [Option<f64>; 4] = [None, Some(0.0), Some(0.2), Some(0.8)];

/// Weights and inputs must both flip somewhere, or nothing was compared.
fn assert_alive(seen: impl IntoIterator<Item = [u64; 2]>) {
    let [weights, inputs] = seen.into_iter().fold([0; 2], |sum, seen| [sum[0] + seen[0], sum[1] + seen[1]]);
    assert!(weights > 100 && inputs > 100, "{weights} weights and {inputs} inputs flipped");
}

fn xnor_weight([_, d, i, o]: [usize; 4]) -> XnorWeight {
    XnorWeight::new(i, o, d, Box::new(Vote::new()), 2).unwrap()
}

#[test]
fn xnor_weight_gate_by_gate() {
    assert_alive(SIZES.map(|axes| {
        let [b, d, i, o] = axes;
        let x = random_bits(1, 0, b, d * i);
        let mut layer = xnor_weight(axes);
        let y = bits(layer.forward(&training(), Value::Bits(x.clone())).unwrap());
        let h = reference::xnor_weight(&oracle(&x, [b, d, i]), &oracle_weights(layer.weights(), d));
        assert_eq!(oracle(&y, [b, d, o, i]), h);
        let check = |p, quorum| {
            let signal = flips(3, b, d * o * i, p);
            let h_flip = oracle(&signal, [b, d, o, i]);
            let case = Case { axes, w_depth: d, quorum, x: &x, signal: Signal::Flip(signal), h_flip };
            let make = || match quorum {
                None => xnor_weight(axes),
                Some(p_min) => xnor_weight(axes).with_quorum(p_min).unwrap(),
            };
            check_orders(&case, make, XnorWeight::weights)
        };
        check(0.0, None);
        QUORUMS.map(|quorum| check(0.6, quorum))[0]
    }));
}

const WEIGHT_DEPTHS: [WeightDepth; 2] = [WeightDepth::Own, WeightDepth::Shared];

/// The depth of weights that meet an input of depth `d`.
fn weight_depth(depth: WeightDepth, d: usize) -> usize {
    if depth == WeightDepth::Shared { 1 } else { d }
}

#[test]
fn bma() {
    let options = WEIGHT_DEPTHS.map(|depth| [(depth, Normalize::Binomial), (depth, Normalize::BitBalance)]);
    for (depth, normalize) in options.concat() {
        assert_alive(SIZES.map(|axes| {
            let [b, d, i, o] = axes;
            let make = || Bma::with_options(i, o, d, depth, normalize, Box::new(Vote::new()), 4).unwrap();
            let w_depth = weight_depth(depth, d);
            let x = random_bits(1, 0, b, d * i);
            let mut layer = make();
            let y = real(layer.forward(&training(), Value::Bits(x.clone())).unwrap());
            let w = oracle_weights(layer.weights(), w_depth);
            let h = reference::xnor_weight(&oracle(&x, [b, d, i]), &w);
            assert_eq!(y, expected_scores(&h, normalize));
            let check = |dy: Matrix, quorum| {
                let h_flip = reference::popcount_backward(&h, &oracle_reals(&dy));
                let case = Case { axes, w_depth, quorum, x: &x, signal: Signal::Grad(dy), h_flip };
                let make = || match quorum {
                    None => make(),
                    Some(p_min) => make().with_quorum(p_min).unwrap(),
                };
                check_orders(&case, make, Bma::weights)
            };
            check(Matrix::zeros(b, o), None);
            QUORUMS.map(|quorum| check(gradient(3, b, o), quorum))[0]
        }));
    }
}

#[test]
fn bmab() {
    for depth in WEIGHT_DEPTHS {
        assert_alive(SIZES.into_iter().zip(DEPTHS.into_iter().cycle()).map(|(axes, y_depth)| {
            let [b, d, i, o] = axes;
            let t = flip::thresholds(y_depth).unwrap();
            let make = || Bmab::with_weight_depth(i, o, d, depth, &t, Box::new(Vote::new()), 4).unwrap();
            let w_depth = weight_depth(depth, d);
            let x = random_bits(1, 0, b, d * i);
            let mut layer = make();
            let y = bits(layer.forward(&training(), Value::Bits(x.clone())).unwrap());
            let w = oracle_weights(layer.weights(), w_depth);
            let h = reference::xnor_weight(&oracle(&x, [b, d, i]), &w);
            let y = oracle(&y, [b, y_depth, o]);
            assert_eq!(y, reference::pnb(&h, &t));
            let check = |p, quorum| {
                let signal = flips(3, b, y_depth * o, p);
                let h_flip = reference::pnb_backward(&h, &y, &oracle(&signal, [b, y_depth, o]));
                let case = Case { axes, w_depth, quorum, x: &x, signal: Signal::Flip(signal), h_flip };
                let make = || match quorum {
                    None => make(),
                    Some(p_min) => make().with_quorum(p_min).unwrap(),
                };
                check_orders(&case, make, Bmab::weights)
            };
            check(0.0, None);
            QUORUMS.map(|quorum| check(0.7, quorum))[0]
        }));
    }
}
