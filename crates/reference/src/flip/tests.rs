//! Small cases, worked out by hand.

use super::*;

fn bits<const R: usize>(shape: [usize; R], bits: &[u8]) -> Bits<R> {
    Tensor::new(shape, bits.iter().map(|&bit| bit == 1).collect())
}

fn close(actual: &[f32], expected: &[f32]) {
    assert_eq!(actual.len(), expected.len());
    for (a, e) in actual.iter().zip(expected) {
        assert!((a - e).abs() < 1e-6, "{actual:?} is not {expected:?}");
    }
}

#[test]
fn a_gradient_asks_only_bits_that_disagree() {
    let table = [
        (0.5, false, false), // g > 0 asks for 0, which it is
        (0.5, true, true),   // g > 0 asks for 0: flips
        (-0.5, false, true), // g < 0 asks for 1: flips
        (-0.5, true, false), // g < 0 asks for 1, which it is
        (0.0, false, false),
        (0.0, true, false),
        (-0.0, true, false),
    ];
    for (g, x, flip) in table {
        assert_eq!(grad2flip(x, g), flip, "g = {g}, x = {x}");
    }
}

#[test]
fn flips_add_up_to_a_gradient() {
    assert_eq!(flip2grad(&[true, true, false], &[true, true, false]), 2); // two ones should go: smaller
    assert_eq!(flip2grad(&[true, false, false], &[false, true, true]), -2); // two zeros should go: larger
    assert_eq!(flip2grad(&[true, false], &[true, true]), 0);
    assert_eq!(flip2grad(&[true, false], &[false, false]), 0);
}

#[test]
fn thresholds_rise_and_are_symmetric() {
    for depth in [1, 3, 7, 15] {
        let t = thresholds(depth);
        assert_eq!(t.len(), depth);
        assert!(t.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(t.iter().zip(t.iter().rev()).all(|(a, b)| *a == -*b));
    }
}

#[test]
#[should_panic(expected = "the depth must be 1, 3, 7 or 15, got 2")]
fn thresholds_of_another_depth_do_not_exist() {
    let _ = thresholds(2);
}

#[test]
fn binarize_is_strict_and_puts_depth_before_features() {
    let r = Tensor::new([1, 2], vec![0.5, 0.0]); // (b, x)
    // (b, d, x): both are above -0.67, only the first is above 0, none is above 0.67
    assert_eq!(binarize(&r, thresholds(3)), bits([1, 3, 2], &[1, 1, 1, 0, 0, 0]));
    let edge = Tensor::new([1, 1], vec![0.67]);
    assert_eq!(binarize(&edge, thresholds(3)), bits([1, 3, 1], &[1, 1, 0]));
}

#[test]
fn binarize_backward_divides_by_the_deviation() {
    let y = bits([1, 3, 2], &[1, 1, 1, 0, 0, 0]); // feature 0 has bits 1 1 0, feature 1 has 1 0 0
    let y_flip = bits([1, 3, 2], &[1, 1, 1, 1, 0, 1]); // flips 1 1 0 and 1 1 1: g = (2, -1)
    close(&binarize_backward(&y, &y_flip).data, &[2.0 / 1.5, -1.0 / 1.5]); // mean 0.5, deviation 1.5
    let y_flip = bits([1, 3, 2], &[1, 1, 0, 0, 0, 0]); // g = (1, 1), deviation 0: left as it is
    close(&binarize_backward(&y, &y_flip).data, &[1.0, 1.0]);
}

#[test]
fn popcount_is_a_standardized_binomial() {
    // (b, d, o, i) = (1, 2, 2, 2); output 0 sees 1 1 at depth 0 and 1 0 at depth 1, output 1 sees 0 0 and 0 1
    let h = bits([1, 2, 2, 2], &[1, 1, 0, 0, 1, 0, 0, 1]);
    assert_eq!(bit_balance(&h).data, [2, -2]); // n1 = 3 and 1 of N = 4
    close(&popcount(&h).data, &[1.0, -1.0]); // (3 - 2) / 1 and (1 - 2) / 1
    let h = bits([1, 1, 1, 3], &[1, 1, 1]);
    close(&popcount(&h).data, &[1.5 / 0.75_f32.sqrt()]); // (3 - 3/2) / sqrt(3/4)
}

#[test]
fn popcount_backward_tells_every_bit_the_gradient_of_its_sum() {
    let h = bits([1, 2, 2, 2], &[1, 1, 0, 0, 1, 0, 0, 1]);
    // output 0 should shrink, so its ones flip; output 1 should grow, so its zeros flip
    let dy = Tensor::new([1, 2], vec![0.1, -9.0]);
    assert_eq!(popcount_backward(&h, &dy), bits([1, 2, 2, 2], &[1, 1, 1, 1, 1, 0, 1, 0]));
    let dy = Tensor::new([1, 2], vec![0.0, 9.0]);
    assert_eq!(popcount_backward(&h, &dy), bits([1, 2, 2, 2], &[0, 0, 0, 0, 0, 0, 0, 1]));
}

#[test]
fn pnb_compares_the_integer_sum_with_the_thresholds_times_root_n() {
    // N = 4, thresholds times 2: -1.34, 0, 1.34; three outputs with sums -2, 0, 2
    let h = bits([1, 1, 3, 4], &[1, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 0]);
    // (b, d, o): sum 0 is not above threshold 0
    assert_eq!(pnb(&h, thresholds(3)), bits([1, 3, 3], &[0, 1, 1, 0, 0, 1, 0, 0, 1]));
    assert_eq!(pnb(&h, &[1.0]), bits([1, 1, 3], &[0, 0, 0])); // 2 is not above 1.0 * 2
    assert_eq!(pnb(&h, &[0.99]), bits([1, 1, 3], &[0, 0, 1]));
    assert_eq!(pnb(&h, thresholds(7)), binarize(&popcount(&h), thresholds(7)));
}

#[test]
fn pnb_backward_adds_the_signs_of_the_flipping_bits() {
    let h = bits([1, 1, 1, 4], &[1, 1, 1, 0]);
    let y = bits([1, 3, 1], &[1, 1, 0]);
    let backward = |y_flip: &[u8]| pnb_backward(&h, &y, &bits([1, 3, 1], y_flip));
    assert_eq!(backward(&[1, 1, 1]), bits([1, 1, 1, 4], &[1, 1, 1, 0])); // g = 1 + 1 - 1 > 0: the ones flip
    assert_eq!(backward(&[0, 0, 1]), bits([1, 1, 1, 4], &[0, 0, 0, 1])); // g = -1: the zero flips
    assert_eq!(backward(&[1, 0, 1]), bits([1, 1, 1, 4], &[0, 0, 0, 0])); // g = 1 - 1
    assert_eq!(backward(&[0, 0, 0]), bits([1, 1, 1, 4], &[0, 0, 0, 0]));
}

#[test]
fn every_input_meets_every_weight_of_its_depth() {
    let x = bits([1, 2, 2], &[1, 0, 0, 0]); // (b, d, i)
    let w = bits([2, 3, 2], &[1, 1, 0, 0, 1, 0, 0, 0, 1, 1, 0, 1]); // (d, o, i)
    let h = bits([1, 2, 3, 2], &[1, 0, 0, 1, 1, 1, 1, 1, 0, 0, 1, 0]);
    assert_eq!(xnor_weight(&x, &w), h);
}

#[test]
fn weights_of_depth_one_serve_every_depth() {
    let x = bits([1, 2, 2], &[1, 0, 0, 0]);
    let w = bits([1, 1, 2], &[1, 0]);
    assert_eq!(xnor_weight(&x, &w), bits([1, 2, 1, 2], &[1, 1, 0, 1]));
}

#[test]
fn outputs_vote_on_inputs_and_samples_vote_on_weights() {
    // (b, d, o, i) = (2, 2, 3, 1)
    let h_flip = bits([2, 2, 3, 1], &[1, 1, 0, 0, 0, 1, 1, 1, 1, 0, 1, 0]);
    assert_eq!(x_votes(&h_flip), Tensor::new([2, 2, 1], vec![2, 1, 3, 1]));
    assert_eq!(w_votes(&h_flip, 2), Tensor::new([2, 3, 1], vec![2, 2, 1, 0, 1, 1]));
    assert_eq!(w_votes(&h_flip, 1), Tensor::new([1, 3, 1], vec![2, 3, 2]));
    // x: three voters, mean 7/4 is above 3/2; w: two voters, mean 7/6; shared w: four voters, mean 7/3
    assert_eq!(x_flip(&h_flip), bits([2, 2, 1], &[1, 0, 1, 0]));
    assert_eq!(w_flip(&h_flip, 2), bits([2, 3, 1], &[1, 1, 0, 0, 0, 0]));
    assert_eq!(w_flip(&h_flip, 1), bits([1, 3, 1], &[0, 1, 0]));
}

#[test]
fn voters_that_ask_for_nothing_count() {
    // (b, d, o, i) = (1, 2, 3, 1): one product of six asks, all means are low
    let h_flip = bits([1, 2, 3, 1], &[1, 0, 0, 0, 0, 0]);
    assert_eq!(x_flip(&h_flip), bits([1, 2, 1], &[0, 0])); // 1 of 3 outputs
    assert_eq!(w_flip(&h_flip, 2), bits([2, 3, 1], &[1, 0, 0, 0, 0, 0])); // 1 of 1 sample
    assert_eq!(w_flip(&h_flip, 1), bits([1, 3, 1], &[0, 0, 0])); // 1 of 1 sample at 2 depths: a tie
}

#[test]
fn a_flip_needs_more_than_the_mean_and_more_than_p_min() {
    let flips = |n: &[usize], p_min| votes_to_flips(&Tensor::new([n.len()], n.to_vec()), 4, p_min).data;
    // mean 1.5: p_min decides, and 2 of 4 is a tie
    assert_eq!(flips(&[3, 0, 2, 1], 0.5), [true, false, false, false]);
    assert_eq!(flips(&[3, 0, 4, 1], 0.75), [false, false, true, false]);
    assert_eq!(flips(&[4, 4, 3, 3], 0.5), [true, true, false, false]); // mean 3.5 decides
    assert_eq!(flips(&[4, 4, 4], 0.5), [false, false, false]); // none is above the mean
    assert_eq!(flips(&[3, 3, 3], 0.5), [false, false, false]);
    assert_eq!(flips(&[1, 0, 0, 0], 0.0), [true, false, false, false]); // mean 0.25
}

#[test]
fn a_request_is_corrected_towards_the_same_target() {
    for case in 0..8_u8 {
        let [flip, old, new] = [case & 1, case >> 1 & 1, case >> 2].map(|bit| bits([1; 4], &[bit]));
        let target = old.data[0] ^ flip.data[0];
        let asked = correct(&flip, &old, &new).data[0];
        assert_eq!(new.data[0] ^ asked, target, "flip {flip:?}, old {old:?}, new {new:?}");
    }
}

/// y = xnor(w2, xnor(w1, x)) for four independent gates along d; y is wrong for gates 0 and 1, right for 2
/// and 3.
#[test]
fn on_a_chain_of_gates_parallel_flips_cancel_and_fbf_reaches_the_target() {
    let x = bits([1, 4, 1], &[1, 0, 1, 0]); // (b, d, i)
    let target = bits([1, 4, 1], &[0, 1, 1, 0]);
    let gates = bits([4, 1, 1], &[1, 1, 1, 1]); // (d, o, i), both w1 and w2
    let gate = |x: &Bits<3>, w: &Bits<3>| Tensor::new([1, 4, 1], xnor_weight(x, w).data); // o is 1
    let flip = |t: &Bits<3>, flips: &Bits<3>| Tensor::from_fn(t.shape, |at| t[at] ^ flips[at]);

    let a = gate(&x, &gates);
    let (h1, h2) = (xnor_weight(&x, &gates), xnor_weight(&a, &gates));
    let y = gate(&a, &gates);
    assert_eq!(y, x); // all weights are +1
    let h2_flip = Tensor::from_fn(h2.shape, |[b, k, _, i]| y[[b, k, i]] ^ target[[b, k, i]]);
    assert_eq!(h2_flip.data, [true, true, false, false]);
    let a_flip = x_flip(&h2_flip); // one voter each, mean 1/2
    assert_eq!(a_flip.data, [true, true, false, false]);
    let h1_flip = Tensor::new(h1.shape, a_flip.data);

    // parallel: both weights flip, so the output stays wrong
    let (w1, w2) = (flip(&gates, &w_flip(&h1_flip, 4)), flip(&gates, &w_flip(&h2_flip, 4)));
    assert_eq!(w1, bits([4, 1, 1], &[0, 0, 1, 1]));
    assert_eq!(w2, bits([4, 1, 1], &[0, 0, 1, 1]));
    assert_eq!(gate(&gate(&x, &w1), &w2), y);

    // FBF: w1 flips, and with the new input w2 has nothing left to correct
    let a_new = gate(&x, &w1);
    let left = correct(&h2_flip, &h2, &xnor_weight(&a_new, &gates));
    assert_eq!(left.data, [false; 4]);
    let w2 = flip(&gates, &w_flip(&left, 4));
    assert_eq!(gate(&a_new, &w2), target);
}

/// One input +1, two hidden units, three outputs; all gradients are positive, so all outputs should shrink.
///
/// h1 = w1 = (1, 0), so hidden = (1, 0). All w2 are 1, so each output is 1 - 1 = 0, and its product with
/// hidden unit 0 asks for a flip: three votes of three for hidden unit 0 (mean 3/2), one of one for the
/// weights from it to the outputs (mean 1/2).
fn step_of_tiny_net(order: Order) -> (FlipNet, Vec<f32>, Step, Vec<usize>) {
    let layers = vec![bits([1, 2, 1], &[1, 0]), bits([1, 3, 2], &[1, 1, 1, 1, 1, 1])];
    let mut net = FlipNet { layers, thresholds: thresholds(1).to_vec() };
    let x = bits([1, 1, 1], &[1]);
    let mut called = vec![];
    let select = |layer, flips| {
        called.push(layer);
        flips
    };
    let step = net.step(order, &x, |y| Tensor::from_fn(y.shape, |_| 0.5), select);
    assert_eq!(step.logits.data, [0.0, 0.0, 0.0]);
    let y = net.forward(&x).data;
    (net, y, step, called)
}

const SHRUNK: [f32; 3] = [-std::f32::consts::SQRT_2; 3]; // -1 - 1, over sqrt(2)

#[test]
fn parallel_order_flips_both_layers_and_gains_nothing() {
    let (net, y, step, called) = step_of_tiny_net(Order::Parallel);
    assert_eq!(net.layers[0], bits([1, 2, 1], &[0, 0]));
    assert_eq!(net.layers[1], bits([1, 3, 2], &[0, 1, 0, 1, 0, 1]));
    assert_eq!(y, [0.0, 0.0, 0.0]);
    assert_eq!(step.x_flips[1], bits([1, 1, 2], &[1, 0]));
    assert_eq!(step.x_flips[0], bits([1, 1, 1], &[0])); // one of two hidden units asks: a tie
    assert_eq!(called, [0, 1]);
}

#[test]
fn input_first_order_flips_the_first_layer_only() {
    let (net, y, step, called) = step_of_tiny_net(Order::InputFirst);
    assert_eq!(net.layers[0], bits([1, 2, 1], &[0, 0]));
    assert_eq!(net.layers[1], bits([1, 3, 2], &[1, 1, 1, 1, 1, 1]));
    close(&y, &SHRUNK);
    assert_eq!(step.x_flips[1], bits([1, 1, 2], &[1, 0]));
    assert_eq!(called, [0, 1]);
}

#[test]
fn weight_first_order_flips_the_last_layer_and_the_request_vanishes() {
    let (net, y, step, called) = step_of_tiny_net(Order::WeightFirst);
    assert_eq!(net.layers[0], bits([1, 2, 1], &[1, 0]));
    assert_eq!(net.layers[1], bits([1, 3, 2], &[0, 1, 0, 1, 0, 1]));
    close(&y, &SHRUNK);
    assert_eq!(step.x_flips[1], bits([1, 1, 2], &[0, 0]));
    assert_eq!(called, [1, 0]);
}

#[test]
fn flips_that_are_not_selected_are_not_carried_out() {
    let layers = vec![bits([1, 2, 1], &[1, 0]), bits([1, 3, 2], &[1, 1, 1, 1, 1, 1])];
    for order in [Order::WeightFirst, Order::InputFirst, Order::Parallel] {
        let mut net = FlipNet { layers: layers.clone(), thresholds: thresholds(1).to_vec() };
        let x = bits([1, 1, 1], &[1]);
        // nothing flips in the first layer, so in all orders the last layer gets all requests
        let select = |layer, flips: Bits<3>| Tensor::from_fn(flips.shape, |at| layer == 1 && flips[at]);
        net.step(order, &x, |y| Tensor::from_fn(y.shape, |_| 0.5), select);
        assert_eq!(net.layers[0], layers[0], "{order:?}");
        assert_eq!(net.layers[1], bits([1, 3, 2], &[0, 1, 0, 1, 0, 1]), "{order:?}");
    }
}
