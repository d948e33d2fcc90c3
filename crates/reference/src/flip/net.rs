//! A net of BMAB layers and a final BMA, and one step of learning in each of three orders.
//!
//! A flip of x *or* of w corrects a product `h = xnor(x, w)`; if both flip, the product stays the same. So
//! the order matters:
//!
//! | order | what happens |
//! |---|---|
//! | [`Order::Parallel`] | both flip at once, unaware of each other: on a chain of gates the flips cancel |
//! | [`Order::WeightFirst`] | going backward, the weights flip first; the input gets the remaining requests |
//! | [`Order::InputFirst`] | in a second forward pass, inputs flip first; the weights get the remaining requests |
//!
//! Input-first is forward-backward-forward, FBF: the second pass starts at the first layer, and each layer
//! sees its new input.
//!
//! ```
//! use onebit_reference::flip::{FlipNet, Order, Tensor, thresholds};
//! let bits = |shape, bits: &[u8]| Tensor::new(shape, bits.iter().map(|&b| b == 1).collect());
//! let layers = vec![bits([1, 2, 1], &[1, 0]), bits([1, 3, 2], &[1, 1, 1, 1, 1, 1])]; // w: (d, o, i)
//! let mut net = FlipNet { layers, thresholds: thresholds(1).to_vec() };
//! let x = bits([1, 1, 1], &[1]); // x: (b, d, i)
//! assert_eq!(net.forward(&x).data, [0.0, 0.0, 0.0]);
//! // All outputs should shrink, so their products with the hidden unit that is +1 ask it to flip. It does.
//! net.step(Order::InputFirst, &x, |y| Tensor::from_fn(y.shape, |_| 1.0), |_, flips| flips);
//! assert!(net.forward(&x).data.iter().all(|&y| y < 0.0));
//! ```

use super::{
    operations::{correct, pnb, pnb_backward, popcount, popcount_backward, w_flip, x_flip, xnor_weight},
    tensor::{Bits, Tensor},
};

/// The order in which the weights and the input of a layer flip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Going backward, the weights of each layer flip first; its input gets the requests corrected for that.
    WeightFirst,
    /// Forward-backward-forward: in a second forward pass, from the first layer on, the weights of each layer
    /// get the requests corrected for its new input.
    InputFirst,
    /// All requests come from the first forward pass, without a correction.
    Parallel,
}

/// A net of BMAB layers and a final BMA: bits (b, d, i) in, standardized counts (b, o) out.
#[derive(Clone, Debug, PartialEq)]
pub struct FlipNet {
    /// The weights of each layer, at least one: (d, o, i) with the depth of the layer's input, or (1, o, i)
    /// shared by all depths.
    pub layers: Vec<Bits<3>>,
    /// The thresholds (d) of all BMAB layers; d is the depth between layers.
    pub thresholds: Vec<f32>,
}

/// Values of one step, for comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The output of the first forward pass, (b, o), whose gradient the step uses.
    pub logits: Tensor<f32, 2>,
    /// The flips that each layer asked of its input, (b, d, i), from the first layer on.
    pub x_flips: Vec<Bits<3>>,
}

/// The values of one forward pass.
struct Trace {
    /// The input of each layer, (b, d, i).
    x: Vec<Bits<3>>,
    /// The products of each layer, (b, d, o, i).
    h: Vec<Bits<4>>,
}

impl FlipNet {
    /// The standardized counts of the last layer. x: (b, d, i) -> (b, o)
    pub fn forward(&self, x: &Bits<3>) -> Tensor<f32, 2> {
        let trace = self.trace(x);
        popcount(&trace.h[self.last()])
    }

    /// Makes one step of learning on a batch; updates the weights and returns values of the step.
    ///
    /// `gradient` gets the logits (b, o) of the first forward pass and returns the gradient of the loss, (b,
    /// o). `select` is the update suppressor: it gets the number of a layer and the flips (d, o, i) that its
    /// weights voted for, and returns those to carry out. It is called once for each layer: in
    /// [`Order::WeightFirst`] from the last to the first, otherwise from the first to the last.
    pub fn step(
        &mut self,
        order: Order,
        x: &Bits<3>,
        gradient: impl FnOnce(&Tensor<f32, 2>) -> Tensor<f32, 2>,
        mut select: impl FnMut(usize, Bits<3>) -> Bits<3>,
    ) -> Step {
        let old = self.trace(x);
        let logits = popcount(&old.h[self.last()]);

        // backward, from the last layer to the first
        let dy = gradient(&logits);
        let mut h_flips = Vec::new();
        let mut x_flips: Vec<Bits<3>> = Vec::new();
        for layer in (0..=self.last()).rev() {
            let mut h_flip = match x_flips.last() {
                None => popcount_backward(&old.h[layer], &dy),
                Some(y_flip) => pnb_backward(&old.h[layer], &old.x[layer + 1], y_flip),
            };
            if order == Order::WeightFirst {
                self.update(layer, &h_flip, &mut select);
                let h_new = xnor_weight(&old.x[layer], &self.layers[layer]); // the new weights, the old input
                h_flip = correct(&h_flip, &old.h[layer], &h_new);
            }
            x_flips.push(x_flip(&h_flip));
            h_flips.push(h_flip);
        }
        h_flips.reverse();
        x_flips.reverse();

        match order {
            Order::WeightFirst => {}
            Order::Parallel => {
                for (layer, h_flip) in h_flips.iter().enumerate() {
                    self.update(layer, h_flip, &mut select);
                }
            }
            Order::InputFirst => {
                let mut x_new = x.clone();
                for (layer, h_flip) in h_flips.iter().enumerate() {
                    let h_new = xnor_weight(&x_new, &self.layers[layer]); // the old weights, the new input
                    self.update(layer, &correct(h_flip, &old.h[layer], &h_new), &mut select);
                    x_new = pnb(&xnor_weight(&x_new, &self.layers[layer]), &self.thresholds);
                }
            }
        }
        Step { logits, x_flips }
    }

    fn last(&self) -> usize {
        self.layers.len().checked_sub(1).expect("a net has at least one layer")
    }

    fn trace(&self, x: &Bits<3>) -> Trace {
        let mut trace = Trace { x: vec![], h: vec![] };
        let mut x = x.clone();
        for w in &self.layers {
            let h = xnor_weight(&x, w);
            let y = pnb(&h, &self.thresholds);
            trace.x.push(std::mem::replace(&mut x, y));
            trace.h.push(h);
        }
        trace
    }

    /// `w ^= select(w_flip)`: the weights vote, and the selected ones flip.
    fn update(&mut self, layer: usize, h_flip: &Bits<4>, select: &mut impl FnMut(usize, Bits<3>) -> Bits<3>) {
        let w = &mut self.layers[layer];
        let flips = select(layer, w_flip(h_flip, w.shape[0]));
        assert_eq!(flips.shape, w.shape, "select must return the shape of the weights");
        w.data.iter_mut().zip(&flips.data).for_each(|(w, flip)| *w ^= flip);
    }
}
