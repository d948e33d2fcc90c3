//! Layers of flip backprop, forward and backward, and votes.

use super::tensor::{Bits, Tensor};

/// A bit flips only if more than this share of its voters ask for it. The same for activations and weights.
pub const P_MIN: f64 = 0.5;

/// +1 for bit 1, -1 for bit 0.
pub fn sign(bit: bool) -> i32 {
    if bit { 1 } else { -1 }
}

/// The thresholds, ascending, that divide the standard normal distribution into `depth + 1` equally likely
/// parts.
///
/// # Panics
/// If `depth` is not 1, 3, 7 or 15.
pub fn thresholds(depth: usize) -> &'static [f32] {
    match depth {
        1 => &[0.0],
        3 => &[-0.67, 0.0, 0.67],
        7 => &[-1.15, -0.67, -0.32, 0.0, 0.32, 0.67, 1.15],
        15 => {
            &[-1.53, -1.15, -0.89, -0.67, -0.49, -0.32, -0.16, 0.0, 0.16, 0.32, 0.49, 0.67, 0.89, 1.15, 1.53]
        }
        _ => panic!("thresholds: the depth must be 1, 3, 7 or 15, got {depth}"),
    }
}

// ---- gradients and flips ----------------------------------------------------------------------------------

/// Turns a gradient into a flip. Bit `x` feeds a sum whose gradient is `g`: `g > 0` asks for bit 0, `g < 0`
/// for bit 1, and `g = 0` for nothing, so `flip = (x ^ [g < 0]) & [g != 0]`.
pub fn grad2flip(x: bool, g: f32) -> bool {
    (x ^ (g < 0.0)) & (g != 0.0)
}

/// Turns flips into a gradient: `g = sum_k sign(bit_k) * flip_k`. `bits` (d) compare one real number with its
/// thresholds, and `flips` (d) are their requests.
///
/// A bit 1 that should become 0 asks for a smaller number and adds +1; a bit 0 that should become 1 asks for
/// a larger one and adds -1.
pub fn flip2grad(bits: &[bool], flips: &[bool]) -> i32 {
    assert_eq!(bits.len(), flips.len(), "flip2grad: expected one flip for each bit");
    bits.iter().zip(flips).map(|(&bit, &flip)| if flip { sign(bit) } else { 0 }).sum()
}

// ---- binarize: real to bits -------------------------------------------------------------------------------

/// `bit_k = [r > t_k]`, strictly. r: (b, x), thresholds: (d) -> (b, d, x)
pub fn binarize(r: &Tensor<f32, 2>, thresholds: &[f32]) -> Bits<3> {
    let [b, x] = r.shape;
    Tensor::from_fn([b, thresholds.len(), x], |[b, k, x]| r[[b, x]] > thresholds[k])
}

/// The gradient of the input of [`binarize`] from the flips of its bits: [`flip2grad`] over d, divided by the
/// population standard deviation of the whole tensor unless that is 0. bits, flips: (b, d, x) -> (b, x)
pub fn binarize_backward(bits: &Bits<3>, flips: &Bits<3>) -> Tensor<f32, 2> {
    assert_eq!(bits.shape, flips.shape, "binarize_backward: flips must have the shape of the bits");
    let [b, d, x] = bits.shape;
    let g = Tensor::from_fn([b, x], |[b, x]| {
        let over_depth = |t: &Bits<3>| (0..d).map(|k| t[[b, k, x]]).collect::<Vec<_>>();
        f64::from(flip2grad(&over_depth(bits), &over_depth(flips)))
    });
    let count = g.data.len() as f64;
    let mean = g.data.iter().sum::<f64>() / count;
    let deviation = (g.data.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / count).sqrt();
    let scale = if deviation == 0.0 { 1.0 } else { deviation };
    Tensor::from_fn([b, x], |at| (g[at] / scale) as f32)
}

// ---- popcount: bits to real -------------------------------------------------------------------------------

/// The sum of the signs over d and i, `2 * n1 - N` with n1 ones among N = d*i bits. h: (b, d, o, i) -> (b, o)
///
/// Its backward is [`popcount_backward`].
pub fn bit_balance(h: &Bits<4>) -> Tensor<i32, 2> {
    let [b, d, o, i] = h.shape;
    Tensor::from_fn([b, o], |[b, o]| {
        let mut s = 0;
        for k in 0..d {
            for i in 0..i {
                s += sign(h[[b, k, o, i]]);
            }
        }
        s
    })
}

/// The number of ones over d and i, standardized as a fair binomial: `(n1 - N/2) / sqrt(N/4)` with N = d*i.
/// h: (b, d, o, i) -> (b, o)
pub fn popcount(h: &Bits<4>) -> Tensor<f32, 2> {
    let n = h.shape[1] * h.shape[3];
    let s = bit_balance(h);
    // (n1 - N/2) / sqrt(N/4) = (2 n1 - N) / sqrt(N)
    Tensor::from_fn(s.shape, |at| (f64::from(s[at]) / (n as f64).sqrt()) as f32)
}

/// The flips of the counted bits: [`grad2flip`] of each bit by the gradient of its sum.
/// h: (b, d, o, i), dy: (b, o) -> (b, d, o, i) flips
pub fn popcount_backward(h: &Bits<4>, dy: &Tensor<f32, 2>) -> Bits<4> {
    assert_eq!(dy.shape, [h.shape[0], h.shape[2]], "popcount_backward: dy must have the shape (b, o)");
    Tensor::from_fn(h.shape, |[b, k, o, i]| grad2flip(h[[b, k, o, i]], dy[[b, o]]))
}

// ---- PNB: popcount, normalize, binarize, fused: bits to bits ----------------------------------------------

/// `bit_k = [s > t_k * sqrt(N)]` with the integer s of [`bit_balance`] and N = d*i.
/// h: (b, d, o, i), thresholds: (d') -> (b, d', o)
pub fn pnb(h: &Bits<4>, thresholds: &[f32]) -> Bits<3> {
    let [b, d, o, i] = h.shape;
    let root_n = ((d * i) as f64).sqrt();
    let s = bit_balance(h);
    Tensor::from_fn([b, thresholds.len(), o], |[b, k, o]| {
        f64::from(s[[b, o]]) > f64::from(thresholds[k]) * root_n
    })
}

/// The flips of the products from those of the output bits, in integers only:
/// `g = sum_k sign(y_k) * y_flip_k`, then [`grad2flip`] of each product by g.
/// h: (b, d, o, i), y and y_flip: (b, d', o) -> (b, d, o, i)
pub fn pnb_backward(h: &Bits<4>, y: &Bits<3>, y_flip: &Bits<3>) -> Bits<4> {
    assert_eq!(y.shape, y_flip.shape, "pnb_backward: y_flip must have the shape of y");
    let [b, depth, o] = y.shape;
    let g = Tensor::from_fn([b, o], |[b, o]| {
        let over_depth = |t: &Bits<3>| (0..depth).map(|k| t[[b, k, o]]).collect::<Vec<_>>();
        flip2grad(&over_depth(y), &over_depth(y_flip)) as f32
    });
    popcount_backward(h, &g)
}

// ---- xnor with a weight -----------------------------------------------------------------------------------

/// `~(a ^ b)`, the product of two signs. Flipping either operand flips the product; flipping both does not.
pub fn xnor(a: bool, b: bool) -> bool {
    !(a ^ b)
}

/// All products of inputs and weights: `h = xnor(x, w)`. x: (b, d, i), w: (d, o, i) or (1, o, i) -> (b, d, o,
/// i)
///
/// Weights of depth 1 are shared by all depths of x.
pub fn xnor_weight(x: &Bits<3>, w: &Bits<3>) -> Bits<4> {
    let [b, d, i] = x.shape;
    let [w_depth, o, w_inputs] = w.shape;
    assert!(
        w_depth == d || w_depth == 1,
        "xnor_weight: weights of depth {w_depth} do not fit x of depth {d}"
    );
    assert_eq!(w_inputs, i, "xnor_weight: x and w must have the same number of inputs");
    Tensor::from_fn([b, d, o, i], |[b, k, o, i]| {
        let w_k = if w_depth == 1 { 0 } else { k };
        xnor(x[[b, k, i]], w[[w_k, o, i]])
    })
}

/// For each input, how many of its `o` products ask it to flip. h_flip: (b, d, o, i) -> (b, d, i)
pub fn x_votes(h_flip: &Bits<4>) -> Tensor<usize, 3> {
    let [b, d, o, i] = h_flip.shape;
    let mut n = Tensor::new([b, d, i], vec![0; b * d * i]);
    for b in 0..b {
        for k in 0..d {
            for o in 0..o {
                for i in 0..i {
                    n[[b, k, i]] += usize::from(h_flip[[b, k, o, i]]);
                }
            }
        }
    }
    n
}

/// For each weight, how many of its products ask it to flip: of `b` products, or of `b * d` if weights of
/// depth 1 are shared by all depths. h_flip: (b, d, o, i) -> (w_depth, o, i)
pub fn w_votes(h_flip: &Bits<4>, w_depth: usize) -> Tensor<usize, 3> {
    let [b, d, o, i] = h_flip.shape;
    assert!(w_depth == d || w_depth == 1, "w_votes: weights of depth {w_depth} do not fit h of depth {d}");
    let mut n = Tensor::new([w_depth, o, i], vec![0; w_depth * o * i]);
    for b in 0..b {
        for k in 0..d {
            let w_k = if w_depth == 1 { 0 } else { k };
            for o in 0..o {
                for i in 0..i {
                    n[[w_k, o, i]] += usize::from(h_flip[[b, k, o, i]]);
                }
            }
        }
    }
    n
}

/// Turns votes into flips: `flip = [n > p * n_votes]` with `p = max(mean(n) / n_votes, p_min)` and the mean
/// of the whole tensor. `n_votes` is the number of voters, those that do not ask for a flip included.
///
/// If all elements have the same n, nothing flips, even if all voters ask for it: n is not above its own
/// mean.
pub fn votes_to_flips<const R: usize>(n: &Tensor<usize, R>, n_votes: usize, p_min: f64) -> Bits<R> {
    let votes: Vec<u32> = n.data.iter().map(|&n| n as u32).collect();
    Tensor::new(n.shape, crate::gemm::votes_to_flips(&votes, n_votes as u32, p_min))
}

/// The flips of the inputs of [`xnor_weight`]: [`x_votes`], with the threshold [`P_MIN`].
/// h_flip: (b, d, o, i) -> (b, d, i)
pub fn x_flip(h_flip: &Bits<4>) -> Bits<3> {
    votes_to_flips(&x_votes(h_flip), h_flip.shape[2], P_MIN)
}

/// The flips of the weights of [`xnor_weight`]: [`w_votes`], with the threshold [`P_MIN`].
/// h_flip: (b, d, o, i) -> (w_depth, o, i)
pub fn w_flip(h_flip: &Bits<4>, w_depth: usize) -> Bits<3> {
    let [b, d, _, _] = h_flip.shape;
    votes_to_flips(&w_votes(h_flip, w_depth), b * d / w_depth, P_MIN)
}

/// The requests after the products have changed: `h_flip ^ (h_old ^ h_new)`, which keeps the target `h_old ^
/// h_flip`. A product that reached its target meanwhile no longer asks for a flip; one that left it does.
/// All: (b, d, o, i)
pub fn correct(h_flip: &Bits<4>, h_old: &Bits<4>, h_new: &Bits<4>) -> Bits<4> {
    assert!(
        h_flip.shape == h_old.shape && h_old.shape == h_new.shape,
        "correct: all three must have the same shape"
    );
    Tensor::from_fn(h_flip.shape, |at| h_flip[at] ^ h_old[at] ^ h_new[at])
}
